import { shown } from '../../base/visible.ts';
import { pathAt, pathText } from '../../query/delivery/path.ts';
import { eventText } from '../../query/events.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { POSITION_HELP, parsePosition, stepAt } from '../position.ts';
import { readTrace } from '../read.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('path', args, { at: { type: 'string' }, json: { type: 'boolean' } });
  if (positionals.length !== 1) throw misused('path', 'path needs one FILE');
  if (values.at === undefined) throw misused('path', 'path needs --at S, an event of the delivery');
  const position = parsePosition(values.at, '--at');
  const trace = await readTrace(positionals[0]!, context.progress);
  const step = stepAt(trace, position, '--at');
  const path = pathAt(trace, step);
  const { out } = context;
  if (values.json) {
    const none = { hops: [], delivered: null, reason: 'this event belongs to no delivery', blind: [] };
    out.json(`${JSON.stringify(path ?? none)}\n`);
    return DONE;
  }
  if (path === undefined) {
    out.line(shown(`step ${step} belongs to no delivery: ${eventText(trace, step)}`));
    return DONE;
  }
  for (const line of pathText(path)) out.line(shown(line));
  return DONE;
}

export const path: Command = {
  name: 'path',
  usage: 'FILE --at S [--json]',
  summary: 'the way of one interrupt: from its cause to the end of interrupt, or to where it was lost',
  help: `Prints the delivery that the event at S belongs to, one line for each hop: step, time, time since the hop before,
stage, object, and what the event says with the state bits that decided there. Then whether the interrupt was delivered
and why not, and the stages that no record shows (blind), with the input that would show them. For an event that is no
part of a delivery, such as a write of the mask, it is the delivery that waits there, or else the next one.

Stages: cause, message (on the bus), remap (SMMU, ITS, interrupt remapping), post (into the descriptor of a virtual
CPU), accept (requested at the local APIC or redistributor), signal (VFIO, eventfd, line of the VMM), route (KVM),
inject (the processor takes it), handler, eoi.

Options:
  --at S         ${POSITION_HELP}
  --json         {hops: [{step, time, stage, object, detail, seen, latency}], delivered, reason, blind: [{stage, opens}]};
                 seen is false for a hop that is inferred

Examples:
  irqscope path examples/x86-vtd-qemu.log --at 1795148664.599510
  irqscope path examples/x86-vtd-qemu.log --at line:4682 --json`,
  run,
};
