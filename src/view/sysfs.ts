import type { State } from '../model/state.ts';
import { irq } from '../model/things/irq.ts';

/** A file of `/sys/bus/pci/devices/<bdf>/msi_irqs/`: its name is the irq number, its content the mode. */
export interface MsiIrq {
  readonly virq: number;
  readonly mode: 'msi' | 'msix';
}

/**
 * What `msi_irqs/` of a function would show: the irqs of its MSI and MSI-X domains that exist, by number. Interrupts of
 * its interrupt message storage never appear: they have no sysfs (drivers/pci/msi/msi.c makes the files for
 * descriptors of these two domains only). Nothing else reads this projection; owners are in the key `owner` of irqs.
 */
export function msiIrqs(state: State, bdf: string): readonly MsiIrq[] {
  const all: MsiIrq[] = [];
  for (const node of state.world.find('irq')?.children.values() ?? []) {
    const object = node.object;
    if (!state.present(object) || state.flag(object, irq.at.allocated) === false) continue;
    if (state.text(object, irq.at.device) !== bdf) continue;
    const kind = /(^|-)PCI-(MSIX?)-/.exec(state.text(object, irq.at.domain))?.[2];
    if (kind !== undefined) all.push({ virq: Number(node.segment), mode: kind === 'MSIX' ? 'msix' : 'msi' });
  }
  return all.sort((a, b) => a.virq - b.virq);
}
