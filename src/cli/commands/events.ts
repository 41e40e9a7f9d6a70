import { type EventView, viewEvent } from '../../query/events.ts';
import { type Filter, FilterError } from '../../query/filter/ast.ts';
import { parseFilter } from '../../query/filter/parse.ts';
import { compileFilter } from '../../query/filter/pass.ts';
import { orderOf } from '../../query/order.ts';
import { type Command, type Context, readArguments } from '../command.ts';
import { DONE, Failure } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { POSITION_HELP, parsePosition, stretchBetween } from '../position.ts';
import { Columns } from '../text.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('events', args, {
    from: { type: 'string' },
    to: { type: 'string' },
    filter: { type: 'string' },
    limit: { type: 'string' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
  });
  if (positionals.length !== 1) throw onlyOne('events', positionals);
  // Wrong arguments are reported before a long file is read.
  const from = values.from === undefined ? undefined : parsePosition(values.from, '--from');
  const to = values.to === undefined ? undefined : parsePosition(values.to, '--to');
  const filter = values.filter === undefined ? undefined : readFilter(values.filter);
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : readLimit(values.limit);
  const trace = await readInput('events', positionals[0]!, values, context.progress);
  const [first, last] = stretchBetween(trace, from, to);
  const matches = filter ? compileFilter(filter, trace) : () => true;
  const { out } = context;
  const order = orderOf(trace);
  const columns = new Columns((line) => out.line(line), [0, 1, 2, 3]);
  if (!values.json) columns.row('step', 'time', 'cpu', 'line', 'event', 'object', 'arguments');
  let found = 0;
  for (let step = first; step <= last && found < limit; step++) {
    if (matches(step)) {
      found++;
      const event = viewEvent(trace, step);
      const unordered = order?.unknownBeside(step) ?? [];
      const more = unordered.length === 0 ? {} : { unordered };
      if (values.json) out.json(`${JSON.stringify({ ...event, ...more })}\n`);
      else columns.row(...eventCells(event, unordered.length > 0));
    }
    if (out.due) await out.rest();
  }
  if (found > 0) columns.end();
  else if (!values.json && limit > 0) out.line('no event matches');
  return DONE;
}

function readLimit(text: string): number {
  if (!/^\d+$/.test(text)) throw new Failure(`--limit: expected a whole number of events, found '${text}'`);
  return Number(text);
}

function readFilter(text: string): Filter {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Failure(`--filter, column ${error.at + 1}: ${error.message}`);
  }
}

/** An event as cells of a line: step, time, CPU, line, kind, object, arguments. `~` stands before a time that does not tell the order. */
export function eventCells(event: EventView, unordered = false): string[] {
  const { step, time, cpu, source, kind, object } = event;
  return [
    String(step),
    `${unordered ? '~' : ''}${time ?? '?'}`,
    cpu === null ? '-' : String(cpu),
    String(source.line),
    kind,
    object,
    argumentsText(event),
  ];
}

/** The arguments of an event. */
export function argumentsText({ fields }: EventView): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'boolean' ? Number(value) : (value ?? '?')}`)
    .join(' ');
}

export const events: Command = {
  name: 'events',
  usage: 'FILE [--from S] [--to S] [--filter EXPR] [--limit N] [--json]',
  help: `Prints one event per line: step, time, the CPU that the record names (- for none), the line of FILE, what happened,
to which object, and the arguments. In a trace of several sources, ~ stands before the time of an event that lies so
close to one of another source that their order is not known.

Options:
  --from S       begin with the first event at or after S
  --to S         end with the last event at or before S
                 S: ${POSITION_HELP}
  --filter EXPR  only events for which EXPR holds
  --limit N      at most N events: the first ones of those that are asked for
${INPUT_HELP}
  --json         one JSON object per line: {step, time, cpu, kind, object, fields, task, source, unordered};
                 unordered has the nearest events of other sources whose order to this one is not known

EXPR compares what an event tells: step, time, dt (time since the event before), cpu, kind, object, task, line,
vantage and system (of the source), or any argument by its name (fields.NAME where the name is taken, as in
fields.cpu); and what the state holds after it: a key of an object (irq/41.vector) or of a related one (entry.mask,
irte.vector, device.busMaster). docs/filter.md has it all.
  == != < <= > >=   numbers in decimal or hexadecimal, times with a unit (50us); texts, where * stands for anything
                    (in an object path for anything within a segment, /** at the end for all that is below)
  ~                 a text contains another one, in upper or lower case
  in A,B..C         one of several values, or within a range
  NAME, !NAME       a flag is set, is clear
  after(EXPR, 5ms)  an earlier event, at most 5 ms before, for which EXPR held; after(EXPR, 5ms, same): of the same
                    object
  && || ! ( )       both, one of both, not; quotes "…" around texts with spaces or signs
Where an event, or the state, lacks what a comparison asks about, neither the comparison nor its negation holds.

Examples:
  irqscope events examples/x86-vtd-qemu.log --from 1795148664.565645 --to 1795148664.599510
  irqscope events examples/x86-vtd-qemu.log --filter 'kind == tbl.write && object == device/0000:00:03.0/msix/*'
  irqscope events examples/x86-vtd-qemu.log --filter 'vector in 33,40..45 && !(kind == apic.accept)' --json
  irqscope events examples/x86-vtd-qemu.log --filter 'kind == msix.write && device == 00:03.0 && entry.mask' --limit 3
  irqscope events examples/x86-vtd-qemu.log --filter 'kind == send && after(kind == dev.raise, 5us, same)' --limit 3`,
  run,
};
