// Every snapshot fixture is read in five ways (test/helpers/five-ways.ts). A new fixture needs one line here.
import assert from 'node:assert/strict';
import { fiveWays, type Summary } from '../../helpers/five-ways.ts';
import { snapshotFixtures } from '../../helpers/fixtures.ts';

/** /proc/interrupts: all lines but the header are records, and each becomes one event of an irq or of a label. */
const INTERRUPTS: Summary = {
  format: 'proc-interrupts',
  record: /^ *\w+: /,
  counts: { 'snap.irq': /^ *\d+: /, 'snap.count': /^ *[A-Z]\w+: / },
};

const FIXTURES: Readonly<Record<string, Summary>> = {
  'arm64-irqdebugfs/snap-interrupts.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-before.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-cpu1-off.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-cpu13-off.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-final.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-nvme-unbound.txt': INTERRUPTS,
};

describe('five ways of snapshots', () => {
  for (const [name, summary] of Object.entries(FIXTURES)) fiveWays(name, summary);

  it('every snapshot fixture is among them', () => {
    assert.deepEqual(Object.keys(FIXTURES), snapshotFixtures());
  });
});
