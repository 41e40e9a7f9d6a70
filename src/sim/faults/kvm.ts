import type { ObjectId } from '../../base/ids.ts';
import { piPost } from '../../model/events/posted.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdAssign, irqfdWakeup, kvmEntry, piUpdate, routeRelease } from '../../model/events/virt.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { World } from '../../model/world.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

const scenario = 'vmm-faults';
/** The route of the GSI of an irqfd, or -1. */
function routeOf(world: World, irqfd: ObjectId): ObjectId {
  const node = world.node(irqfd);
  return node?.parent?.parent?.children.get('route')?.children.get(node.segment)?.object ?? -1;
}

/** The posted-interrupt descriptor of a virtual CPU, or -1. */
const descriptorOf = ({ machine }: Planting, object: ObjectId): ObjectId =>
  machine.world.node(object)?.children.get('pi')?.object ?? -1;

/** Faults of KVM: routes, irqfds, local APICs, posted interrupts. */
export const kvmFaults: readonly PlantedFault[] = [
  {
    id: 'F50',
    scenario,
    how: 'The VMM that follows a mask takes the route of a GSI away while a signal of its irqfd is under way: the signal finds none.',
    places: 10,
    watch: blamedAt(irqfdWakeup),
  },
  {
    id: 'F51',
    scenario,
    how: 'The VMM takes the route of a GSI away before it releases the irqfd.',
    stated: 'act',
    places: 15,
    watch: (planting) => (event) => {
      if (event.kind !== irqfdAssign || irqfdAssign.read(event.words, 0).release !== true) return;
      const route = routeOf(planting.machine.world, event.object);
      if (route < 0 || !planting.here()) return;
      planting.tell(event.object);
      planting.add(routeRelease, route, {});
    },
  },
  {
    id: 'F52',
    scenario: 'cache-faults',
    settings: { msixOwner: 'user' },
    how: 'The guest gives an entry another message and unmasks it, and the VMM does not set its route: the next interrupt goes by the old one.',
    places: 40,
  },
  {
    id: 'F53',
    scenario,
    how: 'KVM returns from the release of an irqfd and does not wait for the signal that is under way.',
    places: 10,
    watch: blamedAt(irqfdWakeup),
  },
  {
    id: 'F54',
    scenario,
    how: "KVM's map of local APICs lacks the one that a message goes to: none accepts it, and nothing is said.",
    places: 60,
  },
  {
    id: 'F55',
    scenario,
    how: 'KVM does not clear SN when it loads a virtual CPU: it enters the guest with notifications suppressed.',
    places: 15,
    watch:
      (planting) =>
      ({ kind, object }) => {
        const { blamed } = planting;
        if (kind === kvmEntry && blamed >= 0 && blamed === descriptorOf(planting, object)) planting.tell(blamed);
      },
  },
  {
    id: 'F56',
    scenario,
    how: 'The notification of a posted interrupt is lost on its way to the CPU.',
    places: 10,
  },
  {
    id: 'F57',
    scenario,
    how: 'KVM loads a virtual CPU on another CPU and leaves NDST as it was: the descriptor names the CPU that it ran on before.',
    places: 10,
    // The first notification goes to the wrong CPU.
    watch: (planting) => (event) => {
      if (event.kind !== piPost || event.object !== planting.blamed) return;
      const { state, world } = planting.machine;
      const { set, notified } = piPost.read(event.words, 0);
      const owner = world.node(event.object)?.parent?.object ?? -1;
      if (set && notified && state.flag(owner, vcpu.at.inGuest) === true) planting.tell(event.object);
    },
  },
  {
    id: 'F58',
    scenario: 'bypass-faults',
    how: 'The route of a GSI changes, and the irqfd keeps the entry that it had: the vector of that is posted.',
    places: 12,
    watch: blamedAt(piUpdate),
  },
  {
    id: 'F59',
    scenario,
    how: 'KVM stops to post an interrupt: the next one comes through the host.',
    stated: 'act',
    places: 60,
    watch(planting) {
      let fired = { vector: -1, irq: -1 };
      return ({ kind, object, words }) => {
        if (kind === irqfdWakeup && fired.irq >= 0 && planting.here()) {
          planting.add(piUpdate, object, { enable: false, hostIrq: fired.irq, vcpu: 0, vector: 0 });
          planting.tell(fired.vector);
        }
        fired =
          kind === vfioFire ? { vector: object, irq: vfioFire.read(words, 0).irq ?? -1 } : { vector: -1, irq: -1 };
      };
    },
  },
];
