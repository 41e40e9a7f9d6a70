import { shown } from '../../base/visible.ts';
import { funnelOf } from '../../query/delivery/funnel.ts';
import { funnelHead, funnelTable, funnelTail } from '../../query/delivery/funnel-text.ts';
import { pathAt, pathText } from '../../query/delivery/path.ts';
import { eventText } from '../../query/events.ts';
import { objectsBelow } from '../../query/paths.ts';
import { RecordedKinds } from '../../query/recorded-kinds.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { findTarget } from '../find.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { POSITION_HELP, parsePosition, stepAt, stretchBetween } from '../position.ts';
import { Columns } from '../text.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('path', args, {
    at: { type: 'string' },
    funnel: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
  });
  if (positionals.length !== 1) throw onlyOne('path', positionals);
  if ((values.at === undefined) === (values.funnel === undefined))
    throw misused('path', 'path needs either --at S, an event of the delivery, or --funnel PATH');
  if (values.at !== undefined && (values.from ?? values.to) !== undefined)
    throw misused('path', '--from and --to belong to --funnel');
  const at = values.at === undefined ? undefined : parsePosition(values.at, '--at');
  const from = values.from === undefined ? undefined : parsePosition(values.from, '--from');
  const to = values.to === undefined ? undefined : parsePosition(values.to, '--to');
  const trace = await readInput('path', positionals[0]!, values, context.progress);
  if (at) return onePath(trace, stepAt(trace, at, '--at'), values.json === true, context);
  return funnel(trace, values.funnel!, stretchBetween(trace, from, to), values.json === true, context);
}

function onePath(trace: Trace, step: number, json: boolean, { out }: Context): number {
  const path = pathAt(trace, step);
  if (json) {
    const none = { hops: [], delivered: null, reason: 'this event belongs to no delivery', blind: [] };
    out.json(`${JSON.stringify(path ?? none)}\n`);
  } else if (path === undefined) {
    out.line(shown(`step ${step} belongs to no delivery: ${eventText(trace, step)}`));
  } else {
    for (const line of pathText(path)) out.line(shown(line));
  }
  return DONE;
}

function funnel(trace: Trace, path: string, [from, to]: [number, number], json: boolean, { out }: Context): number {
  const { node } = findTarget(trace, path);
  const recorded = new RecordedKinds(trace);
  const of = { object: node.path, from, to };
  const result = funnelOf(trace, new Set(objectsBelow(node)), from, to, (kind) => recorded.has(kind));
  if (json) {
    out.json(`${JSON.stringify({ ...of, ...result })}\n`);
    return DONE;
  }
  out.line(shown(funnelHead(of, result)));
  const columns = new Columns((line) => out.line(line), [1, 2, 3, 4]);
  for (const row of funnelTable(result)) columns.row(...row);
  columns.end();
  for (const line of funnelTail(result)) out.line(line);
  return DONE;
}

export const path: Command = {
  name: 'path',
  usage: 'FILE --at S [--json] | FILE --funnel PATH [--from S] [--to S] [--json]',
  help: `Prints the delivery that the event at S belongs to, one line for each hop: step, time, time since the hop before,
stage, object, and what the event says with the state bits that decided there. Then whether the interrupt was delivered
and why not, and the stages that no record shows (blind), with the input that would show them. For an event that is no
part of a delivery, such as a write of the mask, it is the delivery that waits there, or else the nearest one; the
first line says which, and how far away it is.

Stages: cause, message (on the bus), remap (SMMU, ITS, interrupt remapping), post (into the descriptor of a virtual
CPU), accept (requested at the local APIC or redistributor), signal (VFIO, eventfd, line of the VMM), route (KVM),
inject (the processor takes it), handler, eoi.

With --funnel it counts, for all deliveries that pass an object (or anything below it), how many entered and left
each stage: the first stage with more in than out is where interrupts are lost.

Options:
  --at S         ${POSITION_HELP}
  --funnel PATH  an entry, a function, an irq, a vector, a VFIO vector: whatever the deliveries pass
  --from S       count deliveries that begin at or after S
  --to S         read up to the last event at or before S
${INPUT_HELP}
  --json         {hops: [{step, time, stage, object, detail, seen, latency, unordered}], delivered, reason,
                 blind: [{stage, opens}], near: {step, event, object, delivery, through, hop, steps, distance}}; seen is
                 false for a hop that is inferred; near only where S is no hop. With --funnel {object, from, to,
                 deliveries, delivered, lost, unknown, stages: [{stage, entered, left, merged, ended, evidence}],
                 first, blind}

Examples:
  irqscope path examples/x86-vtd-qemu.log --at 1795148664.599510
  irqscope path examples/x86-vtd-qemu.log --at line:4682 --json
  irqscope path examples/x86-vtd-qemu.log --funnel device/0000:00:03.0/msix/0`,
  run,
};
