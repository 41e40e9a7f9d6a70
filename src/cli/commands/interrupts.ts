import type { Step } from '../../base/ids.ts';
import { shown } from '../../base/visible.ts';
import { CheckRun } from '../../check/check-run.ts';
import { showsAll } from '../../check/check-trace.ts';
import { foundAt } from '../../check/found.ts';
import { rules } from '../../check/rules.ts';
import { sourceOf, timeOf } from '../../query/events.ts';
import { interrupts as listOf } from '../../query/interrupts/list.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { jsonDocument } from '../json.ts';
import { POSITION_HELP, parsePosition, stepAt } from '../position.ts';
import { nameOf } from '../read.ts';
import { interruptLines } from './interrupts-text.ts';

/** Events judged between two looks at the clock. */
const SLICE = 1 << 14;

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('interrupts', args, {
    at: { type: 'string', default: 'end' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
  });
  if (positionals.length !== 1) throw onlyOne('interrupts', positionals);
  const position = parsePosition(values.at, '--at');
  const trace = await readInput('interrupts', positionals[0]!, values, context.progress);
  const step = stepAt(trace, position, '--at');
  const { out } = context;
  const findings = foundAt(await judged(trace, step, context), step);
  const all = listOf(trace, step, { findings, complete: showsAll(trace) });
  if (values.json) {
    for (const text of jsonDocument(all.map(({ row }) => row))) {
      out.json(text);
      if (out.due) await out.rest();
    }
    return DONE;
  }
  out.line(shown(title(trace, step)));
  for (const line of interruptLines(all)) {
    out.line(line);
    if (out.due) await out.rest();
  }
  return DONE;
}

/** The findings of all rules in the events up to a step. What only the end of a trace can show counts when the step is its last. */
async function judged(trace: Trace, step: Step, { out }: Context) {
  const run = new CheckRun(trace, rules, false);
  // First it looks which kinds of events there are.
  while (run.check === undefined) {
    run.advance(SLICE);
    if (out.due) await out.rest();
  }
  while (run.done <= step) {
    run.advance(Math.min(SLICE, step + 1 - run.done));
    if (out.due) await out.rest();
  }
  return run.check.findings;
}

function title(trace: Trace, step: Step): string {
  if (step < 0) return `${nameOf(trace.first.file)}: no events, so there are no interrupts`;
  const { file, line } = sourceOf(trace, step);
  const after = `after step ${step} of 0 to ${trace.length - 1}, time ${timeOf(trace, step) ?? '?'}`;
  return `${nameOf(file)}:${line}: interrupts ${after}`;
}

export const interrupts: Command = {
  name: 'interrupts',
  usage: 'FILE [--at S] [--json]',
  help: `Lists every interrupt as one row: the entry of the function that sends it, the Linux irq, the remapping table entry, the
CPU and vector, the vector of VFIO, the GSI, the virtual CPU and the irq of the guest, joined as the state after the
event at S shows it. Then how often it was raised, sent and handled so far, the last event about it, and where it
stands. What is lost comes first, then what is pending, then what is masked while a cause waits, then the busiest.
Interrupts that were never used are one line. - is none; ? is what the trace cannot show: unknown is not zero.

Status: idle; pending (a pending bit is set, or the processor has accepted it and not taken it); masked; in-flight (it
left the device and did not arrive at a handler yet); in-service (its handler runs); lost (a rule found a loss);
unknown.

Options:
  --at S         ${POSITION_HELP};
                 without it: end
${INPUT_HELP}
  --json         one JSON array of all interrupts, those never used too: {entry, guestEntry, irq, domain, irte, cpu,
                 vector, vfio, gsi, vcpu, guestIrq, action, raises, sends, handled, last, status, findings}; ids are
                 object paths or null

Examples:
  irqscope interrupts examples/x86-vtd-qemu.log
  irqscope interrupts examples/x86-vtd-qemu.log --at 1795148664.599508
  irqscope interrupts examples/x86-vtd-qemu.log --at end --json`,
  run,
};
