import { avicPhysicalId } from '../../model/registers/amd.ts';
import type * as things from '../../model/things/avic.ts';
import { avic, gaLog } from '../../model/things/avic.ts';
import { bitLayer, flagLayer, strip } from './layer.ts';
import type { PresentationsOf } from './presentation.ts';
import { counted, flag, list, number } from './words.ts';

const { isRunning } = avicPhysicalId.f;

/** AVIC of a virtual CPU, and the log by which an AMD IOMMU wakes those that do not run. */
export const avicPresentations: PresentationsOf<typeof things> = {
  avic: {
    unit: ['backing page', 'backing pages'],
    label: () => 'APIC backing page (AVIC)',
    alone: () => 'backing page',
    icon: 'mail',
    describe: (state, object) => {
      const runs = isRunning.flag(state, object, avic.at.entry);
      return list(
        runs !== undefined && (runs ? 'runs' : 'does not run'),
        counted(state, object, avic.at.signals, 'doorbell'),
        counted(state, object, avic.at.wakes, 'wake-up'),
      );
    },
    layers: [
      bitLayer({ name: 'running', on: 'IsRunning', off: 'IsRunning 0', style: 'hold' }, isRunning, avic.at.entry),
    ],
  },
  gaLog: {
    unit: ['log', 'logs'],
    label: (segment) => `GA log ${segment}`,
    icon: 'list-ordered',
    describe: (state, object) =>
      list(
        `${number(state.num(object, gaLog.at.waiting))} waiting`,
        flag(state, object, 'overflow') === true && 'overflow',
        counted(state, object, gaLog.at.written, 'wake-up'),
      ),
    layers: [strip(flagLayer({ name: 'overflow', on: 'overflow', off: 'logs', style: 'pending' }, gaLog.at.overflow))],
  },
};
