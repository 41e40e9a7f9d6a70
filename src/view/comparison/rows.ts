import { count, counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import { spanText } from '../../base/time.ts';
import { alikeKey, alikeRows } from '../../query/diff/alike.ts';
import { type Comparison, countsOf, type Subject, titleOf } from '../../query/diff/compare.ts';
import type { Difference } from '../../query/diff/pairing.ts';
import { type DiffRow, rowsOf } from '../../query/diff/rows.ts';
import { unequalCounts } from '../../query/diff/tally.ts';
import { eventText, lineText } from '../../query/events.ts';
import { coarsest } from '../../query/span.ts';
import { valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';

/** What a row of the view *Comparison* stands for. */
export type ComparisonRowKind = 'first' | 'subject' | 'difference' | 'count' | 'numbers' | 'number' | 'more' | 'same';

/** A row of the view *Comparison*. */
export interface ComparisonRow {
  /** Stays the same while the comparison does. */
  readonly id: string;
  readonly kind: ComparisonRowKind;
  readonly label: string;
  readonly description: string;
  /** Paragraphs of the tooltip. */
  readonly tooltip: readonly string[];
  /** Name of an icon of the editor; the empty text for none. */
  readonly icon: string;
  readonly parent: ComparisonRow | undefined;
  /** The rows below it; they are made when they are asked for. */
  readonly below: () => readonly ComparisonRow[];
  readonly open: boolean;
  /** Of a difference: equal for all differences that the row stands for. */
  readonly alike?: string;
  /** The step that it stands for in trace A, in trace B; undefined in a trace that has no such event. */
  readonly stepA?: Step;
  readonly stepB?: Step;
}

/** Differences of one subject that are listed; the others are counted. */
const LISTED = 200;

export const ICONS: Readonly<Record<DiffRow['kind'], string>> = {
  'only-a': 'diff-removed',
  'only-b': 'diff-added',
  changed: 'diff-modified',
};

/** A row; what is below it is made once. */
export function comparisonRow(
  given: Partial<ComparisonRow> & Pick<ComparisonRow, 'id' | 'kind' | 'label'>,
  below: (row: ComparisonRow) => ComparisonRow[] = () => [],
): ComparisonRow {
  let rows: ComparisonRow[] | undefined;
  const row: ComparisonRow = {
    description: '',
    tooltip: [],
    icon: '',
    parent: undefined,
    open: false,
    ...given,
    below: () => (rows ??= below(row)),
  };
  return row;
}

/** The steps of a row that a difference stands for. */
export const stepsOf = (a: Step | null, b: Step | null): { stepA?: Step; stepB?: Step } => ({
  ...(a === null || a < 0 ? {} : { stepA: a }),
  ...(b === null || b < 0 ? {} : { stepB: b }),
});

/** The topmost rows of a comparison of two traces: the first divergence, each interrupt that differs, what has another number. */
export function comparisonRows(comparison: Comparison): ComparisonRow[] {
  const { differences, subjects } = comparison;
  const [first] = differences;
  const rows: ComparisonRow[] = [];
  if (first) rows.push(firstRow(comparison, first));
  else rows.push(comparisonRow({ id: 'same', kind: 'same', label: 'No differences', icon: 'pass' }));
  for (const subject of subjects) if (subject.differences.length > 0) rows.push(subjectRow(comparison, subject));
  const renumbered = subjects.filter((subject) => subject.renumbered.length > 0);
  if (renumbered.length > 0) rows.push(numbersRow(renumbered));
  return rows;
}

/** The row that stands for a difference: that of its interrupt where it is not listed. `rows`: the topmost ones. */
export function rowOfDifference(
  comparison: Comparison,
  rows: readonly ComparisonRow[],
  difference: Difference,
): ComparisonRow | undefined {
  const subject = rows.find(({ id }) => id === subjectId(difference.group));
  const [first] = rowsOf(comparison, difference);
  const key = first && alikeKey(comparison, first, comparison.phase(difference));
  return subject?.below().find(({ alike }) => alike !== undefined && alike === key) ?? subject;
}

const subjectId = (group: number): string => `subject ${group}`;

/** One line that sums a comparison up. */
export function summaryOf({ same, differences }: Comparison): string {
  const { changed, onlyA, onlyB } = countsOf(differences);
  return `${counted(same, 'event')} the same, ${count(changed)} changed, ${count(onlyA)} only in A, ${count(onlyB)} only in B`;
}

/** An event as tooltips show it: trace, step, line of its source, what it says. */
function eventLine(name: string, trace: Trace, step: Step): string {
  if (step < 0) return `${name}: no such event`;
  return `${name}: step ${step}, ${lineText(trace, step)}: ${eventText(trace, step)}`;
}

const tooltipOf = ({ a, b }: Comparison, stepA: Step, stepB: Step): string[] => [
  eventLine('A', a.trace, stepA),
  eventLine('B', b.trace, stepB),
];

/** What a row of a difference says: the field with both values, or the event that one trace has. */
const told = ({ kind, field, a, b }: DiffRow): string =>
  kind === 'changed' ? `${field}: ${valueText(a)} → ${valueText(b)}` : String(a ?? b);

/** What a difference of two events says, in one line. */
export function differenceText(comparison: Pick<Comparison, 'a' | 'b'>, difference: Difference): string {
  const rows = rowsOf(comparison, difference);
  return rows.map((row) => (row.kind === 'changed' ? told(row) : WHERE[row.kind])).join(', ');
}

const WHERE: Readonly<Record<DiffRow['kind'], string>> = { 'only-a': 'only in A', 'only-b': 'only in B', changed: '' };

function firstRow(comparison: Comparison, first: Difference): ComparisonRow {
  const subject = comparison.subjects.find(({ group }) => group === first.group)!;
  const [row] = rowsOf(comparison, first);
  const what = [told(row!), WHERE[row!.kind]].filter((text) => text !== '').join(', ');
  return comparisonRow({
    id: 'first',
    kind: 'first',
    label: 'First divergence',
    description: `${titleOf(subject)}: ${what}`,
    tooltip: [`${titleOf(subject)}, ${comparison.phase(first)}`, ...tooltipOf(comparison, first.a, first.b)],
    icon: 'target',
    ...stepsOf(first.a, first.b),
  });
}

function subjectRow(comparison: Comparison, subject: Subject): ComparisonRow {
  const [first] = subject.differences;
  const { changed, onlyA, onlyB } = countsOf(subject.differences);
  const parts = [`${count(changed)} changed`, `${count(onlyA)} only in A`, `${count(onlyB)} only in B`].filter(
    (text) => !/^0 /.test(text),
  );
  return comparisonRow(
    {
      id: subjectId(subject.group),
      kind: 'subject',
      label: titleOf(subject),
      description: parts.join(', '),
      tooltip: subject.renumbered.map(([a, b]) => `${a} in A is ${b} in B`),
      icon: subject.interrupt ? 'zap' : 'circuit-board',
      ...stepsOf(first!.a, first!.b),
    },
    (parent) => [...countRows(comparison, subject, parent), ...differenceRows(comparison, subject, parent)],
  );
}

/** The counts that differ, and the times of deliveries where both traces tell them. */
function countRows(comparison: Comparison, subject: Subject, parent: ComparisonRow): ComparisonRow[] {
  if (!subject.interrupt) return [];
  const [here, there] = comparison.tallies(subject);
  const row = (label: string, description: string, tooltip: string): ComparisonRow =>
    comparisonRow({
      id: `${parent.id} ${label}`,
      kind: 'count',
      label,
      description,
      tooltip: [tooltip],
      icon: 'symbol-number',
      parent,
    });
  const rows = unequalCounts(here, there).map(({ name, a, b, differs }) => {
    const note = differs ? '' : '. No record of the other trace tells it: no difference.';
    return row(name, `${a ?? '?'} → ${b ?? '?'}`, `${name} in A → in B${note}`);
  });
  if (here.latency === null || there.latency === null) return rows;
  const ofA = (time: number): string => spanText(time, coarsest(comparison.a.trace));
  const ofB = (time: number): string => spanText(time, coarsest(comparison.b.trace));
  const [x, y] = [here.latency, there.latency];
  if (x.p50 !== y.p50 || x.p99 !== y.p99)
    rows.push(
      row(
        'latency',
        `median ${ofA(x.p50)} → ${ofB(y.p50)}, 99 % ${ofA(x.p99)} → ${ofB(y.p99)}`,
        'Time from cause to handler in A → in B. It differs from run to run and counts as no difference.',
      ),
    );
  return rows;
}

function differenceRows(comparison: Comparison, subject: Subject, parent: ComparisonRow): ComparisonRow[] {
  const alike = alikeRows(comparison, subject.differences);
  const rows = alike.slice(0, LISTED).map(({ row, phase, times }, i) =>
    comparisonRow({
      id: `${parent.id} ${i}`,
      alike: alikeKey(comparison, row, phase),
      kind: 'difference',
      label: told(row),
      description: [row.object, phase, WHERE[row.kind], times === 1 ? '' : `${times} times`]
        .filter((text) => text !== '')
        .join(' · '),
      tooltip: tooltipOf(comparison, row.at.a ?? -1, row.at.b ?? -1),
      icon: ICONS[row.kind],
      parent,
      ...stepsOf(row.at.a, row.at.b),
    }),
  );
  const more = alike.length - rows.length;
  if (more > 0) rows.push(comparisonRow({ id: `${parent.id} more`, kind: 'more', label: `and ${more} more`, parent }));
  return rows;
}

function numbersRow(subjects: readonly Subject[]): ComparisonRow {
  return comparisonRow(
    {
      id: 'numbers',
      kind: 'numbers',
      label: 'The same under another number',
      description: counted(
        subjects.reduce((sum, { renumbered }) => sum + renumbered.length, 0),
        'object',
      ),
      tooltip: [
        'Each run gives out by itself numbers of irqs, remapping entries, GSIs and LPIs: they are no differences.',
      ],
      icon: 'symbol-numeric',
    },
    (parent) =>
      subjects.flatMap((subject) =>
        subject.renumbered.map(([a, b], i) =>
          comparisonRow({
            id: `number ${subject.group} ${i}`,
            kind: 'number',
            label: `${a} is ${b}`,
            description: titleOf(subject),
            parent,
          }),
        ),
      ),
  );
}
