import type { ObjectId, Step } from '../../base/ids.ts';
import { mapOf, type Slices } from '../../base/slices.ts';
import { apicAccept } from '../../model/events/apic.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import type { State } from '../../model/state.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { Trace } from '../../trace/trace.ts';
import { kindsWhere, lastEvents } from './last.ts';
import type { Joined } from './row.ts';

/** Events that a handler of VFIO and KVM takes at most, with those of other CPUs between. */
const MOST = 400;

const ENTRIES = kindsWhere((kind) => kind === irqEntry);

/**
 * Where KVM injected the interrupt of an assigned device last: the handler of its irq signals the eventfd, and KVM hands the
 * message to a local APIC before the handler returns (irqfd_wakeup, virt/kvm/eventfd.c). So what a local APIC accepted on the same
 * CPU between entry and exit of the handler is that interrupt. Where a trace shows no GSI, no state tells it.
 */
export function* delivered(trace: Trace, state: State, step: Step, rows: readonly Joined[]): Slices<Joined[]> {
  const unknown = ({ vfio, irq, vcpuVector: place }: Joined): boolean => vfio >= 0 && irq >= 0 && place < 0;
  const which = rows.filter(unknown);
  const sets = which.map((row) => [row.irq]);
  const entered = which.length === 0 ? [] : yield* lastEvents(trace, sets, step, ENTRIES);
  const places = new Map(
    yield* mapOf(which, (row, i) => [row, acceptedIn(trace, row.irq, entered[i]!, step)] as const),
  );
  return rows.map((row) => {
    const place = places.get(row) ?? -1;
    if (place < 0) return row;
    const vcpu = state.world.node(place)?.parent?.parent?.object ?? -1;
    return { ...row, vcpu: state.present(vcpu) ? vcpu : -1, vcpuVector: place };
  });
}

/** What a local APIC accepted while the handler of an irq ran that was entered at a step; -1 for nothing. */
function acceptedIn(trace: Trace, irq: ObjectId, from: Step, step: Step): ObjectId {
  const { table, world } = trace;
  const end = Math.min(step, from + MOST);
  for (let at = from + 1; from >= 0 && at <= end; at++) {
    if (table.cpu(at) !== table.cpu(from)) continue;
    const kind = table.kind(at);
    const object = table.object(at);
    if (kind === irqExit && object === irq) break;
    if (kind === apicAccept && world.type(object) === vcpuVector) return object;
  }
  return -1;
}
