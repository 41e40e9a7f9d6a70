import { deviceOf } from '../find.ts';
import type { OperationSpec } from '../operation.ts';
import type { System } from '../system.ts';
import { host } from './host.ts';
import { allocMsi, msiObject, raiseMsi } from './msi-domain.ts';

const refuses = (system: System, object: string): string | undefined => {
  const { fn, problem } = deviceOf(system, object);
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
    *run(system, object) {
      const { fn } = deviceOf(system, object);
      yield* allocMsi(system.use(host), fn!, fn!.bdf);
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
    *run(system, object) {
      raiseMsi(deviceOf(system, object).fn!);
    },
  },
];
