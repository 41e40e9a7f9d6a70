import { exactTime } from '../../../base/time.ts';
import { CheckRun } from '../../../check/check-run.ts';
import { type Finding, showsAll } from '../../../check/check-trace.ts';
import { foundAt } from '../../../check/found.ts';
import { rules } from '../../../check/rules.ts';
import { listing } from '../../../query/interrupts/list.ts';
import type { InterruptRow } from '../../../query/interrupts/row.ts';
import type { Trace } from '../../../trace/trace.ts';
import { long, moment, rising, type Table, text, texts, time } from '../parquet.ts';

/** Events judged between two pauses. */
const SLICE = 1 << 14;

/** What all rules find in a trace; pauses now and then. */
export function* judge(trace: Trace): Generator<undefined, readonly Finding[]> {
  const run = new CheckRun(trace, rules, false);
  while (run.advance(SLICE)) yield;
  return run.check!.findings;
}

interface Row {
  readonly trace: string;
  readonly row: InterruptRow;
  readonly last: { readonly step: number; readonly time: bigint | null } | null;
}

const path = (key: 'entry' | 'guestEntry' | 'irq' | 'domain' | 'irte' | 'cpu' | 'vector' | 'vfio' | 'gsi' | 'vcpu') =>
  text<Row>(key, ({ row }) => row[key]);

/** The interrupts after the last event of a trace: the keys of `irqscope interrupts --json`. */
export const interruptTable: Table<Row> = {
  name: 'interrupts',
  columns: [
    text('trace', ({ trace }) => trace),
    path('entry'),
    path('guestEntry'),
    path('irq'),
    path('domain'),
    path('irte'),
    path('cpu'),
    path('vector'),
    path('vfio'),
    path('gsi'),
    path('vcpu'),
    text('guestIrq', ({ row }) => row.guestIrq),
    text('action', ({ row }) => row.action),
    long('raises', ({ row }) => row.raises),
    long('sends', ({ row }) => row.sends),
    long('handled', ({ row }) => row.handled),
    moment('last', ({ last }) => last),
    text('status', ({ row }) => row.status),
    texts('findings', ({ row }) => row.findings),
  ],
};

export function* interruptRows(trace: Trace, name: string, judged: readonly Finding[]): Generator<Row | undefined> {
  const step = trace.length - 1;
  const all = yield* pauses(
    listing(trace, trace.stateAt(step), step, { findings: foundAt(judged, step), complete: showsAll(trace) }),
  );
  for (const { row } of all) {
    const at = row.last?.step;
    const last = at === undefined ? null : { step: at, time: exactTime(trace.table.time(at), trace.time) };
    yield { trace: name, row, last };
  }
}

function* pauses<T>(work: Generator<unknown, T>): Generator<undefined, T> {
  let next = work.next();
  for (; !next.done; next = work.next()) yield;
  return next.value;
}

interface FindingRow {
  readonly name: string;
  readonly trace: Trace;
  readonly finding: Finding;
}

/** What the rules of `irqscope check` found. */
export const findingTable: Table<FindingRow> = {
  name: 'findings',
  columns: [
    text('trace', ({ name }) => name),
    text('rule', ({ finding }) => finding.rule.id),
    text('severity', ({ finding }) => finding.severity),
    text('title', ({ finding }) => finding.title),
    rising('step', ({ finding }) => finding.step),
    time('time', ({ trace, finding }) => exactTime(trace.table.time(finding.step), trace.time)),
    text('object', ({ trace, finding }) => (finding.object < 0 ? null : trace.world.path(finding.object))),
  ],
};

export function* findingRows(trace: Trace, name: string, judged: readonly Finding[]): Generator<FindingRow> {
  for (const finding of judged) yield { name, trace, finding };
}
