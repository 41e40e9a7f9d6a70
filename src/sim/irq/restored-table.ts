import { vectorControl } from '../../model/registers/pci.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions } from '../machine.ts';
import type { Domain, Irq } from './domain.ts';
import type { IrqCore } from './irq-core.ts';
import type { TableAccess } from './msix-domain.ts';

/**
 * The entries that __pci_restore_msix_state writes again behind a reset: of each irq of the function the message that the kernel wrote last, and its
 * mask bit as the kernel has it. It reads nothing back, and MSI-X is on with the function mask set meanwhile.
 */
export function* restoreEntries(core: IrqCore, fn: PciFunction, domain: Domain, access: TableAccess): Actions {
  const irqs = [...core.irqs.values()].filter((irq) => irq.device === fn && irq.domain === domain);
  for (const irq of irqs.sort((a, b) => a.hwirq - b.hwirq)) {
    const [low, high, data] = messageOf(core, irq);
    for (const [offset, word] of [
      [0, low],
      [4, high],
      [8, data],
      [12, vectorControl(irq.masked)],
    ] as const)
      yield* access.write(fn, irq.hwirq, offset, 4, [word]);
  }
}

/** Address and data of the last message of an irq (msi_desc.msg). */
function messageOf({ machine: { state } }: IrqCore, { object }: Irq): readonly [number, number, number] {
  const { address, data } = irqType.at;
  return [state.get(object, address), state.get(object, address + 1), state.get(object, data)];
}
