import { VFIO_INDEX } from '../../model/vfio-index.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { MMIO_READ } from '../irq/msix-domain.ts';
import type { Vm } from '../kvm/vm.ts';
import type { Actions } from '../machine.ts';
import type { Eventfds } from './eventfds.ts';
import { ACTION, DATA } from './set-irqs.ts';
import type { VfioDevice } from './vfio-device.ts';

/** Pin of the guest's I/O APIC that the INTx pins of assigned functions lead to: interrupt link A of QEMU's i440FX. */
const GSI = 10;
/** Nanoseconds that the guest's handler works besides reading the status of the device. */
const WORK = 1000;

/** INTx of an assigned device that has no messages: QEMU ties it to a line of KVM (hw/vfio/pci.c vfio_intx_enable_kvm); the guest's driver serves it. */
export function* driveIntx(vm: Vm, fn: PciFunction, device: VfioDevice, fds: Eventfds, name: string): Actions {
  const [trigger, resample] = [fds.make(), fds.make()];
  const call = { index: VFIO_INDEX.intx, start: 0, count: 1 };
  yield* vm.machine.within(vm.vmm, device.setIrqs({ ...call, flags: DATA.eventfd | ACTION.trigger, fds: [trigger] }));
  vm.machine.as(vm.vmm, () => vm.lines.assign(GSI, trigger, resample));
  yield* vm.machine.within(vm.vmm, device.setIrqs({ ...call, flags: DATA.eventfd | ACTION.unmask, fds: [resample] }));
  const { core } = vm;
  const virq = yield* core.alloc({ domain: vm.wired, hwirq: GSI, device: fn, owner: name, canReserve: false });
  function* handler(): Actions<boolean> {
    yield MMIO_READ;
    const found = device.serveIntx();
    yield WORK;
    return found;
  }
  if (virq >= 0) yield* core.request(virq, name, handler);
}
