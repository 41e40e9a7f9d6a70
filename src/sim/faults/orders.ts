import { refused } from '../../model/event.ts';
import { tblRead } from '../../model/events/msix.ts';
import { queueState, queueSubmit } from '../../model/events/queue.ts';
import type { PlantedFault } from './planting.ts';

/** Nanoseconds for which the driver of an ITS waits for a command. */
const PATIENCE = 1e9;

/** Faults of queues, caches and command queues that stand beside the groups of the catalogue. */
export const orderFaults: readonly PlantedFault[] = [
  {
    id: 'F79',
    scenario: 'its-queue',
    how: 'The ITS stalls at a command for longer than the driver waits for it.',
    stated: 'line',
    places: 30,
    watch: (planting) => () => {
      if (planting.machine.now - planting.struckAt >= PATIENCE) planting.tell(planting.blamed);
    },
  },
  {
    id: 'INV-QLIFE',
    scenario: 'ims-faults',
    how: 'A queue that is in use is set up again, without being destroyed first.',
    stated: 'act',
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
    scenario: 'cache-faults',
    how: 'The VMM serves a write that changes the data of a message and does not set its route, from which KVM answers reads of the table.',
    places: 24,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind === tblRead && object === planting.blamed && tblRead.read(words, 0).stale) planting.tell(object);
      },
  },
];
