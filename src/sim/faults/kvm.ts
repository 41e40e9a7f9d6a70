import type { ObjectId } from '../../base/ids.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { piPost } from '../../model/events/posted.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdAssign, irqfdWakeup, kvmEntry, piUpdate, routeRelease, routeSet } from '../../model/events/virt.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { kvmRoute, vcpu } from '../../model/things/virt.ts';
import type { World } from '../../model/world.ts';
import type { EventRow } from '../../trace/row.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

const scenario = 'vmm-faults';
/** The route of the GSI of an irqfd, or -1. */
function routeOf(world: World, irqfd: ObjectId): ObjectId {
  const node = world.node(irqfd);
  return node?.parent?.parent?.children.get('route')?.children.get(node.segment)?.object ?? -1;
}

/** A signal of an irqfd whose route was made from a table entry: both. */
function routedSignal(
  { kind, object }: EventRow,
  { machine: { world, state } }: Planting,
): { readonly route: ObjectId; readonly entry: ObjectId } | undefined {
  const route = kind === irqfdWakeup ? routeOf(world, object) : -1;
  const entry = route < 0 ? -1 : state.num(route, kvmRoute.at.entry);
  return entry < 0 ? undefined : { route, entry };
}

/** The posted-interrupt descriptor of a virtual CPU, or -1. */
const descriptorOf = ({ machine }: Planting, object: ObjectId): ObjectId =>
  machine.world.node(object)?.children.get('pi')?.object ?? -1;

/** Faults of KVM: routes, irqfds, local APICs, posted interrupts. */
export const kvmFaults: readonly PlantedFault[] = [
  {
    id: 'F50',
    scenario,
    how: 'The route of a GSI is gone at the moment at which its irqfd is signalled.',
    places: 60,
    watch: (planting) => (event) => {
      const { machine } = planting;
      const found = routedSignal(event, planting);
      if (found === undefined || !planting.here()) return;
      const { route, entry } = found;
      const args = {
        device: machine.state.text(route, kvmRoute.at.device),
        vector: machine.state.num(route, kvmRoute.at.vector),
        entry,
      };
      planting.add(routeRelease, route, {});
      planting.tell(event.object);
      planting.after(() => machine.emit(routeSet, route, args));
    },
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
    scenario,
    how: 'The guest changes the message of an unmasked entry, and the next interrupt goes by the old route.',
    places: 60,
    watch: (planting) => (event) => {
      const { machine } = planting;
      const { state } = machine;
      const entry = routedSignal(event, planting)?.entry ?? -1;
      if (entry < 0 || effectivelyMasked(state, entry) !== false || !planting.here()) return;
      const data = state.get(entry, msixEntry.at.data);
      const write = (value: number) => ({ offset: 8, size: 4, value });
      planting.tell(entry);
      planting.add(tblWrite, entry, write(data + 1));
      planting.after(() => machine.emit(tblWrite, entry, write(data)));
    },
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
