import { msiObject, raiseMsi } from '../device/msi-messages.ts';
import { deviceOf } from '../find-function.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { host } from './host.ts';
import { allocMsi } from './msi-domain.ts';

const refuses = (setup: Setup, object: string): string | undefined => {
  const { fn, problem } = deviceOf(setup, object);
  return problem ?? (fn && msiObject(fn) >= 0 ? undefined : `${object.split('/')[1]} has no MSI capability`);
};

/** Operations on the MSI capability of a function. */
export const msiOperations: readonly OperationSpec[] = [
  {
    name: 'msi.alloc',
    title: 'Allocate the MSI',
    meaning:
      'The driver allocates the interrupt of the MSI capability. It takes a vector at once, because MSI cannot be masked. Nothing happens while MSI-X is enabled.',
    on: ['device/*', 'device/*/msi'],
    args: [],
    actor: { layer: 'driver', name: 'operator', cpu: 0 },
    refuses,
    *run(setup, object) {
      const { fn } = deviceOf(setup, object);
      yield* allocMsi(setup.use(host), fn!, fn!.bdf);
    },
  },
  {
    name: 'msi.raise',
    title: 'Raise the MSI',
    meaning:
      'A cause arises in the device for its MSI: the message in config space is sent, or it is lost while MSI is off.',
    on: ['device/*', 'device/*/msi'],
    args: [],
    actor: { layer: 'device', name: 'operator', cpu: -1 },
    refuses,
    *run(setup, object) {
      raiseMsi(deviceOf(setup, object).fn!);
    },
  },
];
