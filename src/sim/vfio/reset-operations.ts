import { host } from '../irq/host.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type AssignedDevice, assignedDevices } from './assigned-devices.ts';
import { resetByGuest } from './guest-reset.ts';

/** The assigned device that a guest sees as a function with MSI-X. */
function seenAs(setup: Setup, object: string): AssignedDevice | undefined {
  const bdf = object.split('/')[1];
  return [...(setup.find(assignedDevices)?.values() ?? [])].find(({ user }) => user?.fn.bdf === bdf);
}

/** Whether the scenario gives a function of the host a function level reset. */
const resets = (setup: Setup, bdf: string | undefined): boolean =>
  setup.scenario.devices.some((one) => one.bdf === bdf && one.flr);

/** Resets that a guest asks for. */
export const resetOperations: readonly OperationSpec[] = [
  {
    name: 'guest.flr',
    title: 'Guest resets the function',
    meaning:
      'The kernel of the guest resets an assigned function (pci_reset_function): it saves Command and Message Control, turns the function off, sets the bit in Device Control, waits 100 ms, and writes Command and the table again with the function mask set. VFIO resets the function and restores the messages of the host. What comes while MSI-X of the function is off is lost; what comes while the guest has the function mask set waits in the pending bits of QEMU.',
    on: ['device/*'],
    args: [],
    actor: { layer: 'guest-kernel', name: 'operator', cpu: 0 },
    refuses: (setup, object) => {
      const one = seenAs(setup, object);
      if (!one?.parent) return `no guest has an assigned function ${object.split('/')[1]} with MSI-X`;
      return resets(setup, one.parent.bdf) ? undefined : `${one.parent.bdf} has no function level reset (key flr)`;
    },
    *run(setup, object) {
      const one = seenAs(setup, object)!;
      yield* resetByGuest(setup.use(host), one.user!, one.parent!, one.device.actor);
    },
  },
];
