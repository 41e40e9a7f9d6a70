import { expControl, msixControl, msixControlBits, pciCommand } from '../../model/registers/pci.ts';
import { device as deviceType } from '../../model/things/pci.ts';
import { COMMAND, EXP_AT, EXP_CONTROL, MSIX_AT } from '../device/offsets.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Host } from '../irq/host.ts';
import { hardwareAccess } from '../irq/msix-domain.ts';
import { restoreEntries } from '../irq/restored-table.ts';
import type { Actions, Actor } from '../machine.ts';
import type { QemuDevice } from './qemu-device.ts';

/** Nanoseconds that the kernel waits behind the start of a reset (pcie_flr: 100 ms). */
const FLR = 100_000_000;
/** Nanoseconds of an access of config space. */
const CONFIG = 400;

const { memory, intxDisable } = pciCommand.f;
const RESET = EXP_AT + EXP_CONTROL;

/**
 * pci_reset_function() of a kernel inside a guest: it saves the state, turns the function off, starts the reset and waits; then Command and, with
 * the function mask set, the entries of the table are written again. QEMU sees config writes and trapped table writes only: the function mask
 * releases all vectors, and they are used again behind it.
 */
export function* resetByGuest(host: Host, { vm, fn }: QemuDevice, hardware: PciFunction, vfio: Actor): Actions {
  const { machine } = vm;
  const command = machine.state.get(fn.object, deviceType.at.command);
  const enabled = fn.enabled === true;
  const control = msixControl.f.size.put(Math.max(fn.size, 1) - 1) | msixControlBits(enabled, false);
  const config = (offset: number, value: number, then: () => Actions): Actions =>
    vm.guestConfig(
      () => fn.configWrite(offset, 2, value),
      () => machine.within(vfio, then()),
    );
  /** VFIO passes on what may reach the function. */
  const write = (value: number): Actions =>
    config(COMMAND, value, function* () {
      yield CONFIG;
      hardware.configWrite(COMMAND, 2, value);
    });
  yield* vm.guestConfig(() => fn.configRead(COMMAND, 2, command));
  yield* vm.guestConfig(() => fn.configRead(MSIX_AT + 2, 2, control));
  yield* write(intxDisable.mask);
  yield* config(RESET, expControl.f.reset.mask, () => resetByVfio(host, hardware));
  yield FLR;
  yield* write(command);
  if (!enabled) return;
  yield* vm.guestControl(fn, true, true);
  yield* restoreEntries(vm.core, fn, vm.msixDomain(fn), vm.guestAccess);
  yield* vm.guestControl(fn, true, false);
}

/**
 * vfio_exp_config_write: VFIO emulates the bit that starts the reset and calls pci_try_reset_function(), which waits as well: the virtual CPU is out
 * of the guest for so long. The kernel of the host restores what it saved; its interrupts stay requested all the time.
 */
function* resetByVfio(host: Host, fn: PciFunction): Actions {
  const { state } = host.machine;
  const saved = state.get(fn.object, deviceType.at.command);
  const enabled = fn.enabled === true;
  const write = function* (offset: number, value: number): Actions {
    yield CONFIG;
    fn.configWrite(offset, 2, value);
  };
  yield* write(COMMAND, intxDisable.mask);
  yield* write(RESET, expControl.f.reset.mask);
  fn.reset('the function was reset');
  yield FLR;
  yield* write(COMMAND, saved);
  if (!enabled) return;
  yield CONFIG;
  fn.control(true, true);
  // The guest turned memory off before it started the reset: the table answers only with it.
  const off = !memory.in(saved);
  if (off) yield* write(COMMAND, (saved | memory.mask) >>> 0);
  yield* restoreEntries(host.core, fn, host.msixDomain(fn), hardwareAccess);
  if (off) yield* write(COMMAND, saved);
  yield CONFIG;
  fn.control(true, false);
}
