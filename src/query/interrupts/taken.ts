import type { ObjectId, Step } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';
import { apicAccept } from '../../model/events/apic.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { kindsWhere, lastEvents } from './last.ts';
import type { Joined } from './row.ts';

const ACCEPTS = kindsWhere((kind) => kind === apicAccept);
const RUNS = kindsWhere((kind) => kind === kvmEntry || kind === kvmExit);

/** A level-triggered interrupt: its end leaves the guest, so that a record shows it. */
const isLevel = (mode: string): boolean => /\blevel\b/i.test(mode);

/**
 * Vectors of virtual CPUs that are requested as far as the state shows, and that the processor may have taken since. With APICv it
 * takes what is posted on its own while it runs guest code: no record tells the injection, and of an edge-triggered one none tells
 * the end. The record is written when the processor has been told (vmx_deliver_interrupt, arch/x86/kvm/vmx/vmx.c). So nothing is
 * known of the request as soon as the virtual CPU runs.
 */
export function* takenUnseen(
  trace: Trace,
  state: State,
  step: Step,
  rows: readonly Joined[],
): Slices<ReadonlySet<ObjectId>> {
  const { world, table } = trace;
  const requested = new Set<ObjectId>();
  for (const { vector, vcpuVector: guest, previous } of rows)
    for (const object of [vector, guest, previous])
      if (world.type(object) === vcpuVector && state.flag(object, vcpuVector.at.requested) === true)
        requested.add(object);
  const vectors = [...requested];
  const accepts = yield* lastEvents(
    trace,
    vectors.map((object) => [object]),
    step,
    ACCEPTS,
  );
  const posted = vectors
    .map((object, i) => ({ object, accept: accepts[i]!, vcpu: world.node(object)?.parent?.parent?.object ?? -1 }))
    .filter(({ accept, vcpu }) => accept >= 0 && vcpu >= 0 && isPostedEdge(trace, accept));
  const runs = yield* lastEvents(
    trace,
    posted.map(({ vcpu }) => [vcpu]),
    step,
    RUNS,
  );
  const taken = new Set<ObjectId>();
  for (const [i, { object, accept }] of posted.entries()) {
    const run = runs[i]!;
    // It runs now; or it left the guest after the accept, and so ran between.
    if (run >= 0 && (table.kind(run) === kvmEntry || run > accept)) taken.add(object);
  }
  return taken;
}

/** Whether what a local APIC accepted at a step was posted and is not level-triggered. */
function isPostedEdge({ table, world }: Trace, accept: Step): boolean {
  const { words, at } = table.read(accept, eventRow(apicAccept));
  const { mode, posted } = apicAccept.read(words, at);
  return posted && !isLevel(world.strings.text(mode));
}
