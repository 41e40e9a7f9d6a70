import { pciCommand } from '../../model/registers/pci.ts';
import type { FunctionSpec } from '../device/function-spec.ts';
import { COMMAND_ON } from '../irq/host.ts';
import type { Actions } from '../machine.ts';
import { nanoseconds, type VmSpec } from '../scenario-schema.ts';
import type { Setup } from '../setup.ts';
import { driveGuest } from './guest-driver.ts';
import { Vm, vms } from './vm.ts';

/** What an emulated function of a scenario is like: BARs lie one after the other. */
function guestFunctionSpec(vm: VmSpec, place: number): FunctionSpec {
  const { bdf, name, vectors } = vm.devices[place]!;
  const barAddress = 0xc0000000 + vm.id * 0x1000000 + place * 0x10000;
  return { bdf, name, vectors, bar: 1, barAddress, barSize: 0x10000, tableOffset: 0, pbaOffset: 0x8000 };
}

/** Makes the virtual machines: their virtual CPUs enter the guest, its kernel drives the functions one after the other. */
export function installVms(setup: Setup): void {
  const { scenario, machine } = setup;
  if (scenario.vms.length === 0) return;
  const all = setup.provide(vms, new Map<number, Vm>());
  let first = 0;
  for (const spec of scenario.vms) {
    const vm = new Vm(setup, spec, first);
    first += spec.vcpus;
    all.set(spec.id, vm);
    const made = spec.devices.map((device, place) =>
      vm.addFunction(
        guestFunctionSpec(spec, place),
        device.source,
        device.driver === 'guest' ? COMMAND_ON : COMMAND_ON & ~pciCommand.f.busMaster.mask,
        device.hostIrq,
      ),
    );
    function* boot(): Actions {
      vm.vcpus.boot();
      for (const [place, device] of spec.devices.entries())
        if (device.driver === 'guest' && device.vectors > 0)
          yield* vm.vcpus.paced(
            0,
            driveGuest(vm, made[place]!, {
              name: device.name,
              irqs: Math.min(device.irqs ?? device.vectors, device.vectors),
              maskEach: device.maskEach,
            }),
          );
    }
    machine.spawn(vm.vcpus.guest(0), boot(), nanoseconds('2us'));
  }
}
