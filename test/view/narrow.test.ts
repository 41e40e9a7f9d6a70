// Names for narrow views: the first dozen characters tell rows apart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { interrupts } from '../../src/query/interrupts/list.ts';
import { Session } from '../../src/session/session.ts';
import { interruptRows } from '../../src/view/interrupts/rows.ts';
import { deepName, narrowName, sharedDomain } from '../../src/view/narrow.ts';
import { Outline } from '../../src/view/outline/outline.ts';
import { importBytes, importText } from '../helpers/fixtures.ts';

/** Characters of a label that a side bar of 170 pixels shows, as a picture of the workbench says. */
const NARROW = 11;

const devices = (...bdfs: string[]) =>
  importText(
    `#irqtrace 1\n#clock seconds digits=9 "model time"\n${bdfs.map((bdf) => `0.000000000 - - dev.seen device/${bdf} name=nvme`).join('\n')}\n`,
  );

describe('names in a narrow view', () => {
  it('leave the PCI domain out that all functions share, and no other', () => {
    assert.equal(sharedDomain(devices('0000:00:03.0', '0000:01:00.0').world), '0000:');
    assert.equal(sharedDomain(devices('10000:01:00.0', '10000:02:00.0').world), '10000:');
    assert.equal(sharedDomain(devices('0000:00:03.0', '10000:01:00.0').world), '');
  });

  it('begin with the function as lspci writes it, then the entry; the system comes last', () => {
    const names = [
      ['device/0000:00:03.0/msix/2', '00:03.0 #2'],
      ['device/0000:00:03.0/msi', '00:03.0 msi'],
      ['device/0000:00:03.0/ims/5', '00:03.0 ims 5'],
      ['device/0000:00:03.0', '00:03.0'],
      ['guest:device/0000:00:03.0/msix/2', '00:03.0 #2 (guest)'],
      ['vfio/0000:00:03.0/2/7', '00:03.0 #7 VFIO msix'],
      ['irq/41', 'irq 41'],
      ['vcpu/3/vector/33', 'vcpu 3 vector 33'],
    ] as const;
    for (const [path, name] of names) assert.equal(narrowName(path, '0000:'), name);
    assert.equal(deepName('device/0000:00:03.0/msix/2', '0000:'), '#2 of 00:03.0');
    assert.equal(deepName('irq/41', '0000:'), 'irq 41');
    assert.equal(narrowName('device/10000:01:00.0/msix/2', ''), '10000:01:00.0 #2');
  });

  it('tell the rows of Interrupts and Devices of the example capture apart in a side bar of 170 pixels', () => {
    const trace = importBytes(readFileSync('examples/x86-vtd-qemu.log'));
    const session = new Session(trace);
    session.move({ to: 'last' });
    const outline = new Outline('devices', session);
    const lists = [
      interruptRows(trace.world, interrupts(trace, trace.length - 1), true).map(({ text }) => text.label),
      outline.children().map((row) => outline.text(row).label),
    ];
    for (const labels of lists) {
      assert.ok(labels.length >= 8, labels.join('\n'));
      const cut = labels.map((label) => label.slice(0, NARROW));
      assert.deepEqual([...new Set(cut)], cut);
    }
  });
});
