import { timeText } from '../../base/time.ts';
import { shown } from '../../base/visible.ts';
import { type Comparison, comparing } from '../../query/diff/compare.ts';
import { rowsOf } from '../../query/diff/rows.ts';
import { comparingSnapshots } from '../../query/diff/snapshots.ts';
import { comparingStates, type StateRow } from '../../query/diff/states.ts';
import { unequalCounts } from '../../query/diff/tally.ts';
import { eventText } from '../../query/events.ts';
import { isSnapshots } from '../../query/snapshot.ts';
import { valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { snapshotLines } from '../diff/snapshots.ts';
import { comparisonLines } from '../diff/text.ts';
import { DONE, FOUND } from '../failure.ts';
import { readInput } from '../input.ts';
import { POSITION_HELP, parsePosition, stepAt } from '../position.ts';
import { nameOf, STDIN } from '../read.ts';
import { Columns } from '../text.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('diff', args, {
    'at-a': { type: 'string' },
    'at-b': { type: 'string' },
    counts: { type: 'boolean' },
    all: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const [fileA, fileB] = positionals;
  if (fileA === undefined || fileB === undefined || positionals.length > 2)
    throw misused('diff', 'diff needs two files, A and B');
  if (fileA === STDIN && fileB === STDIN) throw misused('diff', 'only one of A and B can be standard input');
  const [atA, atB] = [values['at-a'], values['at-b']];
  // Wrong arguments are reported before long files are read.
  const places =
    atA === undefined && atB === undefined
      ? undefined
      : ([parsePosition(atA ?? 'end', '--at-a'), parsePosition(atB ?? 'end', '--at-b')] as const);
  const a = await readInput('diff', fileA, {}, context.progress);
  const b = fileA === fileB ? a : await readInput('diff', fileB, {}, context.progress);
  if (places !== undefined) {
    const steps = [stepAt(a, places[0], '--at-a'), stepAt(b, places[1], '--at-b')] as const;
    const rows = await finish(comparingStates(a, steps[0], b, steps[1]), context);
    return values.json ? printJson(rows, context) : printStates(a, steps[0], b, steps[1], rows, context);
  }
  if (isSnapshots(a) && isSnapshots(b)) {
    const rows = await finish(comparingSnapshots(a, b), context);
    if (values.json) return printJson(rows, context);
    await printLines(snapshotLines(a, b, rows), context);
    return rows.length > 0 ? FOUND : DONE;
  }
  const comparison = await finish(comparing(a, b), context);
  if (values.json) {
    await printJson(rowsIn(comparison), context);
    if (values.counts) await printJson(countRows(comparison), context);
  } else await printLines(comparisonLines(comparison, values.all === true), context);
  return comparison.differences.length > 0 ? FOUND : DONE;
}

/** Takes a work to its end; signals get through between its slices. */
async function finish<T>(work: Generator<void, T>, { out }: Context): Promise<T> {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
    await out.rest();
  }
}

function* rowsIn(comparison: Comparison): Generator<object> {
  for (const difference of comparison.differences) yield* rowsOf(comparison, difference);
}

/** A duration as answers print it: decimal seconds with the digits of the clock of its trace; null where that clock counts ticks. */
const secondsText = ({ time }: Trace, ns: number): string | null =>
  time.ticks ? null : timeText(ns, { ...time, base: 0n });

/**
 * The counts and times of interrupts that differ, in the form of differences without a step; and the counts that only one trace can
 * tell, as rows of that trace alone.
 */
function* countRows(comparison: Comparison): Generator<object> {
  const at = { a: null, b: null };
  for (const subject of comparison.subjects) {
    if (!subject.interrupt) continue;
    const [here, there] = comparison.tallies(subject);
    const row = (field: string, a: number | string | null, b: number | string | null): object => ({
      at,
      kind: b === null ? 'only-a' : a === null ? 'only-b' : 'changed',
      object: subject.path,
      field,
      a,
      b,
    });
    for (const { name, a, b } of unequalCounts(here, there)) yield row(name, a, b);
    if (here.latency === null || there.latency === null) continue;
    for (const key of ['p50', 'p99', 'max'] as const) {
      const [x, y] = [here.latency[key], there.latency[key]];
      const [a, b] = [secondsText(comparison.a.trace, x), secondsText(comparison.b.trace, y)];
      // A counter of ticks says nothing of seconds.
      if (a !== null && b !== null && x !== y && a !== b) yield row(`latency.${key}`, a, b);
    }
  }
}

async function printJson(rows: Iterable<object>, { out }: Context): Promise<number> {
  let found = false;
  for (const row of rows) {
    found = true;
    out.json(`${JSON.stringify(row)}\n`);
    if (out.due) await out.rest();
  }
  return found ? FOUND : DONE;
}

async function printLines(lines: Iterable<string>, { out }: Context): Promise<void> {
  for (const line of lines) {
    out.line(line);
    if (out.due) await out.rest();
  }
}

/** The objects of a state as one word each: what only one state has is named, not spelled out. */
async function printStates(
  a: Trace,
  stepA: number,
  b: Trace,
  stepB: number,
  rows: readonly StateRow[],
  context: Context,
): Promise<number> {
  const head = (name: string, trace: Trace, step: number): string =>
    shown(
      `${name}  ${nameOf(trace.first.file)}, state after step ${step}${step < 0 ? '' : `: ${eventText(trace, step)}`}`,
    );
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line));
  for (const { kind, object, field, a: x, b: y } of rows) {
    if (kind === 'changed') columns.row(`${object}/${field}`, `${valueText(x)} -> ${valueText(y)}`);
    else columns.row(object, kind === 'only-a' ? 'only in A' : 'only in B');
  }
  columns.end();
  await printLines([head('A', a, stepA), head('B', b, stepB), '', ...lines], context);
  if (rows.length === 0) context.out.line('no differences');
  return rows.length > 0 ? FOUND : DONE;
}

export const diff: Command = {
  name: 'diff',
  usage: 'A B [--at-a S] [--at-b S] [--all] [--counts] [--json]',
  help: `Compares two traces, such as those of a good run and of a bad one: the first divergence first, then what differs of
each interrupt, event by event and field by field, and how often it was raised, sent, handled, moved, masked.

How the traces are aligned:
  An interrupt of A is that of B with the same function and index (MSI-X, MSI, IMS), else with the same name of its
  handler, else the one that was set up at the same place in the order. Each run gives out by itself the numbers of
  Linux irqs, remapping table entries, GSIs, LPIs, eventfds, and tables known by their address: they are matched by
  what they belong to, and are no differences. The text lists those that have another number.
  The events of one interrupt, from its entry to its handler, are aligned by their order: with the fewest differences
  while these are few, otherwise phase by phase (set-up, running, moves, teardown). Independent interrupts may come
  in any order. Times, places in memory, causes and tasks are not compared. Where one trace begins later, in the middle
  of a run, both are read from the end; what only the other one tells of the beginning stands in that one only.
  Not compared are reads, runs and exits of virtual CPUs, timers, IPIs, threads of irqs, and DMA translations: they
  come when they come.
  A changed vector, CPU, mask or message is a difference.

Two snapshots (/proc/interrupts and others without stamps) are compared by their states: which irqs were handled between
  A and B (field handled; counts on the CPUs that both show), which were handled before A and not since (field counted:
  true in A, false in B), whose count fell because they were set up again, and what else differs.

With --at-a or --at-b two states are compared instead, object by object; A and B may be the same file.

Options:
  --at-a S    the state of A after S: ${POSITION_HELP.replaceAll('\n                 ', '\n              ')};
              end where only --at-b is given
  --at-b S    the same for B
  --all       show every difference in the text, also many of one kind in a row
  --counts    with --json: behind the differences also rows for counts and times (field raises, sends, handled, moves,
              masks, latency.p50, latency.p99, latency.max in decimal seconds) of interrupts, without steps; they do not
              set the exit status. A count is null (in the text: ?) where a trace has no such records for that system;
              the kind of such a row is only-a or only-b
  --json      one JSON object per line: {at: {a, b}, kind: only-a | only-b | changed, object, field, a, b}; at: steps,
              null where a trace lacks the event; field: the argument of the event, or the key of the object, that
              differs (object: what the event is about; cpu: where the handler ran), null for a whole event or object

Exit status: 0 no differences, 1 differences (counts and times are none), 2 A or B could not be read.

Examples:
  irqscope diff examples/migration-good.irqtrace examples/migration-bad.irqtrace
  irqscope diff examples/x86-vtd-qemu.log examples/x86-vtd-qemu.log --at-a 4672 --at-b line:4722 --json
  irqscope diff examples/migration-good.irqtrace examples/migration-bad.irqtrace --json | head -1`,
  run,
};
