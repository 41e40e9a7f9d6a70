import { apicAccept, apicEoi, apicInject } from '../../model/events/apic.ts';
import { irqExit } from '../../model/events/irq.ts';
import { devWithdraw } from '../../model/events/msix.ts';
import { vecUpdate } from '../../model/events/vector.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { irq } from '../../model/things/irq.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Actor } from '../machine.ts';
import type { PlantedFault, Planting } from './planting.ts';

const scenario = 'vmm-faults';

const DRIVERS = 'driver-faults';
/** Handler runs in a row that make a storm. */
const STORM = 1000;
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
    scenario,
    how: 'The guest takes an interrupt and never ends it.',
    places: 20,
    watch(planting) {
      const ended = new Set<number>();
      let stuck = -1;
      return ({ kind, object }) => {
        const { world } = planting.machine;
        if (kind !== apicAccept && kind !== apicInject && kind !== apicEoi) return;
        if (object === stuck) planting.drop();
        else if (kind === apicEoi) ended.add(object);
        else if (kind === apicInject && ended.has(object) && stuck < 0) {
          // The virtual CPU that goes on to serve the guest's accesses.
          const cpu = world.type(object) === vcpuVector ? world.node(object)?.parent?.parent?.segment : undefined;
          if (cpu !== '0' || !planting.here()) return;
          stuck = object;
          planting.tell(object);
        }
      };
    },
  },
  {
    id: 'F83',
    scenario: 'remap-faults',
    how: 'The kernel writes a descriptor of the invalidation queue with the index in reserved bits: the unit stops at it, and the entry stays in its cache.',
    places: 40,
  },
  {
    id: 'F84',
    scenario,
    how: 'irqbalance and a driver move an irq to and fro.',
    places: 100,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind !== kvmEntry || !planting.here()) return;
        const { machine } = planting;
        planting.after(() => {
          const object = machine.world.object(irq, 'irq/999');
          for (let i = 0; i < 4; i++) {
            if (i === 3) planting.tell(object);
            const move = { vector: 36, cpu: i % 2, prevVector: 36, prevCpu: 1 - (i % 2) };
            machine.as(i % 2 === 0 ? BALANCER : DRIVER, () => machine.emit(vecUpdate, object, move));
          }
        });
      },
  },
  {
    id: 'R03',
    scenario: DRIVERS,
    how: 'From some cause on, a function sends no message of an entry that nothing masks: the driver finds its completions by a poll after a time-out.',
    places: 100,
    watch:
      (planting) =>
      ({ kind, object }) => {
        if (kind === devWithdraw && planting.struck && object === planting.blamed) planting.tell(object);
      },
  },
];

const BALANCER: Actor = { layer: 'user', name: 'irqbalance', cpu: 0 };
const DRIVER: Actor = { layer: 'driver', name: 'nic', cpu: 0 };
