// How a row of the list is joined where a snapshot tells of the irq.
import assert from 'node:assert/strict';
import { interrupts } from '../../src/query/interrupts/list.ts';
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
