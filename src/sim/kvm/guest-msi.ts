import { illegal } from '../../model/events/outcome.ts';
import { msiObject } from '../device/msi-messages.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import { allocMsi, freeMsi, type MsiBlock, type MsiKernel } from '../irq/msi-domain.ts';
import type { Actions } from '../machine.ts';
import type { Vm } from './vm.ts';

/** Nanoseconds of a read that needs no exit. */
const READ = 400;

/** The kernel of a guest, as far as its functions get MSI: each access of config space exits. */
const kernelOf = (vm: Vm): MsiKernel => ({
  core: vm.core,
  kernel: vm.vcpus.guest(0),
  parent: vm.irqParent,
  era: { perDevice: true },
  prefix: vm.irqParent.prefix ?? '',
  sharedName: 'PCI-MSI',
  path: `guest/${vm.id}/`,
  config: {
    write: (fn, offset, size, value) => vm.guestConfig(() => fn.configWrite(offset, size, value)),
    *read(fn, offset, size, value) {
      yield READ;
      yield* vm.guestConfig(() => fn.configRead(offset, size, value));
    },
  },
});

/** Interrupts of the MSI of functions of guests, while they have them. */
const blocks = new WeakMap<PciFunction, MsiBlock>();

/** The guest enables MSI with so many vectors, or with one where it gets no more, and requests them. How many, or a negative errno. */
export function* enableGuestMsi(vm: Vm, fn: PciFunction, name: string, count: number): Actions<number> {
  const refused = msiObject(fn) < 0 ? errno.ENODEV : blocks.has(fn) ? errno.EINVAL : 0;
  if (refused < 0) {
    const why = refused === errno.ENODEV ? 'there is no MSI capability' : 'MSI is on already';
    vm.machine.emit(illegal, fn.object, { rule: 'refused', text: `pci_alloc_irq_vectors: ${refused}: ${why}` });
    return refused;
  }
  const got = yield* allocMsi(kernelOf(vm), fn, name, count);
  if (typeof got === 'number') return got;
  blocks.set(fn, got);
  for (const [i, virq] of got.virqs.entries()) yield* vm.core.request(virq, `${name}-${i}`);
  return got.virqs.length;
}

/** The guest frees the actions, then disables MSI. 0 or a negative errno. */
export function* disableGuestMsi(vm: Vm, fn: PciFunction): Actions<number> {
  const block = blocks.get(fn);
  if (!block) {
    vm.machine.emit(illegal, fn.object, { rule: 'refused', text: 'guest.disableMsi: MSI is not on' });
    return errno.EINVAL;
  }
  for (const virq of block.virqs) yield* vm.core.freeIrq(virq);
  yield* freeMsi(kernelOf(vm), block);
  blocks.delete(fn);
  return 0;
}
