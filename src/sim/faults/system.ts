import { irqExit } from '../../model/events/irq.ts';
import { devWithdraw } from '../../model/events/msix.ts';
import { vecUpdate } from '../../model/events/vector.ts';
import type { EventRow } from '../../trace/row.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

const DRIVERS = 'driver-faults';
/** Handler runs in a row that make a storm. */
const STORM = 1000;
/** Moves of an irq, there and back twice. */
const MOVES = 4;
/** Messages for which a handler found nothing: so many are no race any more. */
const LATE = 3;

/** The handler of an irq runs so many times and finds nothing, once a part went wrong. */
const nothingFound = (times: number) => (planting: Planting) => {
  let left = times;
  return ({ kind, object, words }: EventRow): void => {
    if (kind !== irqExit || !planting.struck || irqExit.read(words, 0).handled) return;
    if ((planting.blamed < 0 || object === planting.blamed) && --left === 0) planting.tell(object);
  };
};

/** Faults of the system as a whole. */
export const systemFaults: readonly PlantedFault[] = [
  {
    id: 'F80',
    scenario: DRIVERS,
    how: 'A function keeps its INTx pin asserted after its driver served the cause: the handler runs again and again and finds nothing.',
    places: 7,
    watch: nothingFound(STORM),
  },
  {
    id: 'F81',
    scenario: DRIVERS,
    how: 'The driver begins to poll the queue of a vector and leaves the vector unmasked: its handler finds nothing from then on.',
    places: 100,
    watch: nothingFound(LATE),
  },
  {
    id: 'F82',
    scenario: 'hung-guest',
    how: "The guest's handler of an interrupt does not end: its virtual CPU goes in and out of the guest and takes nothing any more.",
    places: 20,
  },
  {
    id: 'F83',
    scenario: 'remap-faults',
    how: 'The kernel writes a descriptor of the invalidation queue with the index in reserved bits: the unit stops at it, and the entry stays in its cache.',
    stated: 'line',
    places: 40,
  },
  {
    id: 'F84',
    scenario: 'balance-faults',
    how: 'irqbalance does not see that a driver keeps an irq on a CPU: it moves it away in each round, and the driver moves it back.',
    places: 27,
    watch: blamedAt(vecUpdate, MOVES),
  },
  {
    id: 'R03',
    scenario: DRIVERS,
    how: 'From some cause on, a function sends no message of an entry that nothing masks: the driver finds its completions by a poll after a time-out.',
    places: 100,
    watch: blamedAt(devWithdraw),
  },
];
