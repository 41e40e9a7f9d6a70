import { refused } from '../../model/event.ts';
import { itsTrans } from '../../model/events/its.ts';
import { tblRead } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { queueState, queueSubmit } from '../../model/events/queue.ts';
import { mention } from '../../model/things/pci.ts';
import type { PlantedFault } from './planting.ts';

/** Offset of Message Data in a table entry. */
const DATA = 8;

/** Faults of queues, caches and command queues that stand beside the groups of the catalogue. */
export const orderFaults: readonly PlantedFault[] = [
  {
    id: 'F79',
    scenario: 'arm-faults',
    how: 'The kernel reports that the ITS does not take its commands any more.',
    places: 60,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind !== itsTrans || !planting.here()) return;
        planting.after(() => {
          const object = planting.machine.world.object(mention, 'log');
          planting.tell(object);
          planting.machine.emit(message, object, { text: 'ITS queue timeout (17408 17344)' });
        });
      },
  },
  {
    id: 'INV-QLIFE',
    scenario: 'ims-faults',
    how: 'A queue that is in use is set up again, without being destroyed first.',
    places: 16,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== queueSubmit || refused(queueSubmit.read(words, 0).ret) || !planting.here()) return;
        planting.after(() => {
          planting.tell(object);
          planting.machine.emit(queueState, object, { state: 'created' });
        });
      },
  },
  {
    id: 'INV-CACHEEQ',
    scenario: 'vmm-faults',
    how: 'A read of a table entry is answered from a cache that missed the last write.',
    places: 60,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== tblRead) return;
        const { offset, size, value, stale } = tblRead.read(words, 0);
        if (offset !== DATA || size !== 4 || stale === true || !planting.here()) return;
        planting.tell(object);
        planting.drop();
        planting.add(tblRead, object, { offset, size, value: [value(0) ^ 1, 0], stale: true });
      },
  },
];
