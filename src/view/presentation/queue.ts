import type * as things from '../../model/things/queue.ts';
import { interruptHandle, ntbCopy, pasidEntry, queueUser } from '../../model/things/queue.ts';
import { UNKNOWN } from '../values.ts';
import type { PresentationsOf } from './presentation.ts';
import { counted, join, key, list, told } from './words.ts';

/** Who uses the queues of a function, and what a bridge shows of them to a peer. */
export const queuePresentations: PresentationsOf<typeof things> = {
  queueUser: {
    unit: ['user', 'users'],
    label: (segment) => `PASID ${segment}`,
    icon: 'person',
    describe: (state, object) => list(state.text(object, queueUser.at.front), state.text(object, queueUser.at.owner)),
  },
  pasidEntry: {
    unit: ['PASID', 'PASIDs'],
    label: (segment) => `PASID ${segment}`,
    icon: 'key',
    describe: (state, object) =>
      join(state.text(object, pasidEntry.at.owner), `→ ${state.text(object, pasidEntry.at.table) || UNKNOWN}`),
  },
  interruptHandle: {
    unit: ['handle', 'handles'],
    label: (segment) => `handle ${segment}`,
    icon: 'tag',
    describe: (state, object) =>
      join(
        told('IMS entry', state.num(object, interruptHandle.at.index)),
        state.flag(object, interruptHandle.at.granted) === false && 'revoked',
      ),
  },
  ntbCopy: {
    unit: ['descriptor', 'descriptors'],
    label: (segment) => `descriptor ${segment}`,
    icon: 'link-external',
    describe: (state, object) =>
      join(
        `${key(state, object, 'offset')} / ${key(state, object, 'data')}`,
        counted(state, object, ntbCopy.at.triggers, 'trigger'),
      ),
  },
};
