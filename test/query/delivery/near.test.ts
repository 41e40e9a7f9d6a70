// Events that are no hop of a delivery: which delivery answers for them, why, and how far away it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { nearText } from '../../../src/query/delivery/near.ts';
import { pathAt, pathText } from '../../../src/query/delivery/path.ts';
import { pathRows } from '../../../src/view/path-rows.ts';
import { importBytes, importText } from '../../helpers/fixtures.ts';

const ENTRY = 'device/0000:03:00.0/msix/1';

/** An entry that sends at 1 ms, then `idle` reads of another function, then an access that is no hop, then perhaps another message. */
function trace(idle: number, again: boolean) {
  const rows = [`0.001000000 - device/x send ${ENTRY} address=0xfee01000 data=0x20`];
  for (let i = 0; i < idle; i++)
    rows.push(`0.002000000 - kernel/x cfg.read device/0000:07:00.0 offset=0x4 size=2 value=0x6`);
  rows.push(`0.003500000 - kernel/x tbl.write ${ENTRY} offset=0x0 size=4 value=0xfee02000`);
  if (again) rows.push(`0.003700000 - device/x send ${ENTRY} address=0xfee02000 data=0x20`);
  return importText(`#irqtrace 1\n#clock seconds digits=9 "model time"\n${rows.join('\n')}\n`);
}

describe('an event that is no hop of a delivery', () => {
  it('gets the last delivery through its object, with the distance', () => {
    const path = pathAt(trace(3, false), 4);
    assert.deepEqual(path?.near, {
      step: 4,
      event: `tbl.write ${ENTRY} offset=0x0 size=4 value=0xfee02000`,
      object: ENTRY,
      delivery: 'before',
      through: ENTRY,
      hop: 0,
      steps: 4,
      distance: '0.002500000',
    });
    assert.equal(
      nearText(path.near),
      `step 4 (${path.near.event}) is no hop of a delivery; shown is the last one through ${ENTRY}: it ended at step 0, 4 steps (2.500 ms) before`,
    );
    assert.equal(pathText(path)[0], `${nearText(path.near)}:`);
  });

  it('gets it also where thousands of other events lie between', () => {
    const path = pathAt(trace(9000, false), 9001);
    assert.deepEqual([path?.near?.delivery, path?.near?.hop, path?.near?.steps], ['before', 0, 9001]);
  });

  it('gets the next one where none was before', () => {
    const all = importText(
      `#irqtrace 1\n#clock seconds digits=9 "model time"\n0.003500000 - kernel/x tbl.write ${ENTRY} offset=0x0 size=4 value=0x0\n0.003700000 - device/x send ${ENTRY} address=0xfee02000 data=0x20\n`,
    );
    const path = pathAt(all, 0);
    assert.deepEqual([path?.near?.delivery, path?.near?.hop, path?.near?.distance], ['after', 1, '0.000200000']);
    assert.match(
      nearText(path!.near!),
      /shown is the next one through \S+: it begins at step 1, 1 step \(200\.000 µs\) later$/,
    );
  });

  it('has none where nothing was delivered through its object', () => {
    assert.equal(pathAt(trace(3, true), 2), undefined);
  });

  it('says in the view which delivery is shown, leads back to the event and offers the history of its object', () => {
    const [row] = pathRows(pathAt(trace(3, false), 4)!);
    assert.deepEqual([row?.kind, row?.label, row?.step], ['near', 'step 4 is no hop', 4]);
    assert.match(row?.description ?? '', /^shown is the last one through .* \(2\.500 ms\) before$/);
    assert.deepEqual(
      row?.below?.map(({ kind, label, object }) => [kind, label, object]),
      [['history', 'Show History', ENTRY]],
    );
  });

  it('is none where it is a hop', () => {
    assert.ok(!('near' in pathAt(trace(3, true), 0)!));
    assert.ok(!pathRows(pathAt(trace(3, true), 0)!).some(({ kind }) => kind === 'near'));
  });

  it('is told of the example capture: the first look at the mask of an entry lies 51 events before its first cause', () => {
    // grep of the lines 4672 and 4723: the read of vector control, and pci_nvme_irq_msix.
    const near = pathAt(importBytes(readFileSync('examples/x86-vtd-qemu.log')), 4651)?.near;
    assert.deepEqual([near?.delivery, near?.hop, near?.distance], ['after', 4702, '0.045599']);
  });
});
