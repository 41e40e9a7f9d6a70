// Questions about a trace that still grows: an object that comes into the world later is read by keys and layers of
// objects that were there before.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { changesAt } from '../../src/query/changes.ts';
import { parseFilter } from '../../src/query/filter/parse.ts';
import { compileFilter } from '../../src/query/filter/pass.ts';
import { LaneIndex, layerAt } from '../../src/view/lanes/lanes.ts';
import { OFF, ON, UNKNOWN } from '../../src/view/lanes/values.ts';

const ENTRY = 'device/0000:00:03.0/msix/0';
const HEAD = '#irqtrace 1\n#clock seconds digits=6 realtime\n';
const unmask = `1.000000 - - tbl.write ${ENTRY} offset=0xc size=4 value=0x0\n`;
/** The function shows its MSI-X capability at 0x60: enabled, not masked (PCIe 7.7.2.2), and then with the function mask set. */
const capability = [
  '1.000001 - - cfg.read device/0000:00:03.0 offset=0x34 size=1 value=0x60',
  '1.000002 - - cfg.read device/0000:00:03.0 offset=0x60 size=4 value=0x80040011',
  '1.000003 - - cfg.write device/0000:00:03.0 offset=0x62 size=2 value=0xc004',
  '',
].join('\n');

/** A run that has read the first part of a file, up to a line end. */
function begun(text: string): ImportRun {
  const run = new ImportRun('test');
  run.push(new TextEncoder().encode(text));
  run.settle();
  return run;
}

function grow(run: ImportRun, text: string): void {
  run.push(new TextEncoder().encode(text));
  run.settle();
}

describe('a trace that grows', () => {
  it('is read from its first record on, long before its end', () => {
    assert.equal(begun(HEAD + unmask).trace.length, 1);
  });

  it('a filter that names a function without its segment finds it, also where it comes later', () => {
    const run = begun(`${HEAD}1.000000 - - irq.entry irq/41 name=eth0\n`);
    const filters = ['object == device/00:03.0/msix/0', 'object in device/00:03.0/msix/0, irq/7'].map((text) =>
      compileFilter(parseFilter(text), run.trace),
    );
    grow(run, unmask);
    assert.equal(run.trace.length, 2);
    for (const holds of filters) assert.deepEqual([holds(0), holds(1)], [false, true]);
  });

  it('a capability that comes later changes who masks an entry that was looked at before', () => {
    const run = begun(`${HEAD}${unmask}1.000000 - - cfg.read device/0000:00:03.0 offset=0x0 size=2 value=0x1b36\n`);
    const { trace } = run;
    // What step 1 changed is asked for: from here on it is known what the entry reads in the state after step 0.
    changesAt(trace, 1);
    grow(run, capability);
    const masked = (step: number): unknown =>
      changesAt(trace, step)
        .find((change) => change.path === ENTRY)
        ?.keys.find(({ key }) => key === 'effectivelyMasked');
    assert.deepEqual(masked(3), { key: 'effectivelyMasked', old: null, new: false });
    assert.deepEqual(masked(4), { key: 'effectivelyMasked', old: false, new: true });
  });

  it('the same in the lane of the entry', () => {
    const run = begun(HEAD + unmask);
    const index = new LaneIndex(run.trace);
    index.advance();
    grow(run, capability);
    index.advance();
    const mask = index.tree.find(ENTRY)!.layers.find((layer) => layer.spec.name === 'mask')!;
    assert.deepEqual(
      [0, 1, 2, 3].map((step) => layerAt(mask, step)),
      [UNKNOWN, UNKNOWN, OFF, ON],
    );
  });
});
