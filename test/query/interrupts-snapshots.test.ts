// How a row of the list is joined where a snapshot tells of the irq.
import assert from 'node:assert/strict';
import { interrupts } from '../../src/query/interrupts/list.ts';
import { interruptRows } from '../../src/view/interrupts/rows.ts';
import { story } from '../helpers/story.ts';

const ENTRY = 'dev.raise device/0000:01:00.0/msix/2';

/** The entry that the row of an irq has. */
const entryOf = (text: string): string | null | undefined => {
  const trace = story(`${ENTRY}\n${text}`);
  return interrupts(trace, trace.length - 1).find(({ row }) => row.irq === 'irq/30')?.row.entry;
};

describe('entries of irqs that snapshots show', () => {
  it('an index beside a function that is told apart, in a domain of all functions', () => {
    for (const domain of ['ITS-MSI', 'PCI-MSI', 'IR-PCI-MSIX-0000:01:00.0'])
      assert.equal(
        entryOf(`snap.irq irq/30 device=0000:01:00.0 hwirq=2 domain=${domain}`),
        'device/0000:01:00.0/msix/2',
        domain,
      );
    // A probe at the mask function tells the index alone.
    assert.equal(
      entryOf(`
        snap.irq irq/30 device=0000:01:00.0 hwirq=2 domain=ITS-MSI
        irq.mask irq/30 masked=true hwirq=2
        = irq/30/device "0000:01:00.0"`),
      'device/0000:01:00.0/msix/2',
    );
  });

  it('the chip of a domain of one function, where only the chip is shown', () => {
    assert.equal(entryOf('snap.irq irq/30 chip=IR-PCI-MSIX-0000:01:00.0 hwirq=2'), 'device/0000:01:00.0/msix/2');
    assert.equal(entryOf('snap.irq irq/30 chip=IO-APIC hwirq=2'), null);
  });

  it('an index that a longer hwirq holds, too, does not contradict it', () => {
    // 524290: index 2 of 0000:01:00.0 (bus 1: requester ID 0x100, shifted by 11 bits).
    const known = 'irq.identify irq/30 hwirq=524290 domain=PCI-MSI owner=nvme';
    story(`
      ${known}
      snap.irq irq/30 device=0000:01:00.0 hwirq=2
      = irq/30/hwirq 524290
      = irq/30/owner "nvme"`);
    story(`
      ${known}
      snap.irq irq/30 device=0000:01:00.0 hwirq=3
      = irq/30/hwirq 3`);
  });
});

describe('entries that only the domain and hwirq of an irq name', () => {
  /** The entry of each irq of a story, by the path of the irq. */
  const entriesOf = (text: string): Record<string, string | null> => {
    const trace = story(text);
    const rows = interrupts(trace, trace.length - 1).map(({ row }) => [row.irq ?? '', row.entry] as const);
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  };

  it('are told where the domain is that of one function, as /proc/interrupts shows it since Linux 6.2', () => {
    assert.deepEqual(
      entriesOf(`
        snap.irq irq/24 chip=IR-PCI-MSIX-0000:02:00.0 hwirq=1
        snap.irq irq/25 chip=IR-PCI-MSI-0000:03:00.0 hwirq=0
        snap.irq irq/26 chip=IR-PCI-MSI-0000:03:00.0 hwirq=1
        snap.irq irq/27 chip=IO-APIC hwirq=9`),
      {
        'irq/24': 'device/0000:02:00.0/msix/1',
        // The capability stands in the row of the first of its vectors.
        'irq/25': 'device/0000:03:00.0/msi',
        'irq/26': null,
        'irq/27': null,
      },
    );
  });

  it('a domain of all functions does not tell MSI from MSI-X, but MSI has 32 vectors at most', () => {
    // Bus 1, device 0, function 0: requester ID 0x100, shifted by 11 bits.
    const hwirq = (index: number): number => (0x100 << 11) + index;
    assert.deepEqual(
      entriesOf(`
        snap.irq irq/30 device=0000:01:00.0 hwirq=${hwirq(0)} domain=PCI-MSI
        snap.irq irq/31 device=0000:01:00.0 hwirq=${hwirq(31)} domain=PCI-MSI
        snap.irq irq/32 device=0000:01:00.0 hwirq=${hwirq(32)} domain=PCI-MSI`),
      { 'irq/30': null, 'irq/31': null, 'irq/32': 'device/0000:01:00.0/msix/32' },
    );
    assert.deepEqual(
      entriesOf(`
        snap.irq irq/30 device=0000:01:00.0 hwirq=${hwirq(3)} domain=PCI-MSI
        = irq/30/hwirq ${hwirq(3)}
        irq.identify irq/30 device=0000:01:00.0 hwirq=${hwirq(3)} domain=PCI-MSI`),
      { 'irq/30': null },
    );
  });

  it('two irqs that name one entry, and an irq that was given back, tell of none', () => {
    assert.deepEqual(
      entriesOf(`
        snap.irq irq/24 chip=IR-PCI-MSIX-0000:02:00.0 hwirq=1
        snap.irq irq/25 chip=IR-PCI-MSIX-0000:02:00.0 hwirq=1
        snap.irq irq/26 chip=IR-PCI-MSIX-0000:02:00.0 hwirq=2
        dom.alloc irq/26 domain=IR-PCI-MSIX-0000:02:00.0 free=true`),
      { 'irq/24': null, 'irq/25': null, 'irq/26': null },
    );
  });

  it('rows are known by what the trace names: nothing can be shown of such an entry', () => {
    const trace = story('snap.irq irq/24 chip=IR-PCI-MSIX-0000:02:00.0 hwirq=1');
    const [row] = interruptRows(trace.world, interrupts(trace, 0), true);
    assert.equal(row?.path, 'irq/24');
    assert.match(row?.text.description ?? '', /irq 24/);
  });
});
