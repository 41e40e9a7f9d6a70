import { noun } from '../../base/counted.ts';
import { spanText } from '../../base/time.ts';
import { alikeRows } from '../../query/diff/alike.ts';
import { type Comparison, countsOf, type Subject, titleOf } from '../../query/diff/compare.ts';
import type { Difference } from '../../query/diff/pairing.ts';
import { rowsOf } from '../../query/diff/rows.ts';
import { type Latency, unequalCounts } from '../../query/diff/tally.ts';
import { eventText, sourceOf } from '../../query/events.ts';
import { coarsest } from '../../query/span.ts';
import { valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import { nameOf } from '../read.ts';
import { Columns } from '../text.ts';

/** Different differences of one interrupt that are shown; those behind them are counted. */
const SHOWN = 30;
/** Interrupts under another number that are listed. */
const NUMBERS = 40;

/** The comparison of two traces as lines of text; `all`: no difference is left out. */
export function* comparisonLines(comparison: Comparison, all: boolean): Generator<string> {
  const { a, b, differences, same, subjects } = comparison;
  yield `A  ${nameOf(a.trace.first.file)}, ${a.trace.length} ${noun(a.trace.length, 'event')}`;
  yield `B  ${nameOf(b.trace.first.file)}, ${b.trace.length} ${noun(b.trace.length, 'event')}`;
  const { changed, onlyA, onlyB } = countsOf(differences);
  yield `compared: ${same} ${noun(same, 'event is', 'events are')} the same, ${changed} changed, ${onlyA} only in A, ${onlyB} only in B`;
  yield* numberLines(subjects, all);
  const first = differences[0];
  if (first === undefined) {
    yield '';
    yield 'no differences';
  } else {
    yield* firstLines(comparison, first);
    for (const subject of subjects) if (subject.differences.length > 0) yield* subjectLines(comparison, subject, all);
  }
  yield* latencyLines(comparison);
}

function* numberLines(subjects: readonly Subject[], all: boolean): Generator<string> {
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line));
  for (const subject of subjects)
    for (const [here, there] of subject.renumbered) columns.row(`  ${here}`, 'is', there, titleOf(subject));
  columns.end();
  if (lines.length === 0) return;
  yield '';
  yield 'the same under another number (A is B)';
  yield* all ? lines : lines.slice(0, NUMBERS);
  if (!all && lines.length > NUMBERS) yield `  and ${lines.length - NUMBERS} more; --all lists them`;
}

/** The first divergence: both events, and what differs. */
function* firstLines(comparison: Comparison, first: Difference): Generator<string> {
  const { a, b, subjects } = comparison;
  const subject = subjects.find(({ group }) => group === first.group)!;
  yield '';
  yield `first divergence, ${comparison.phase(first)}: ${titleOf(subject)}`;
  const side = (name: string, trace: Trace, step: number): string =>
    step < 0
      ? `  ${name}  no such event`
      : `  ${name}  step ${step}, ${placeOf(trace, step)}: ${eventText(trace, step)}`;
  const rows = rowsOf({ a, b }, first);
  yield side('A', a.trace, first.a);
  yield side('B', b.trace, first.b);
  for (const { kind, field, a: x, b: y } of rows)
    if (kind === 'changed') yield `     ${field}  ${valueText(x)} -> ${valueText(y)}`;
}

function placeOf(trace: Trace, step: number): string {
  const { file, line } = sourceOf(trace, step);
  return `${nameOf(file)}:${line}`;
}

function* subjectLines(comparison: Comparison, subject: Subject, all: boolean): Generator<string> {
  yield '';
  yield titleOf(subject);
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line), [0, 1, 2]);
  columns.row('  step in A', 'in B', 'times', 'phase', '', 'object', 'event or field');
  const alike = alikeRows(comparison, subject.differences, all);
  for (const { row, phase, times } of all ? alike : alike.slice(0, SHOWN)) {
    const { at, kind, object, field, a, b } = row;
    const what = kind === 'changed' ? `${field} ${valueText(a)} -> ${valueText(b)}` : String(a ?? b);
    columns.row(stepText(at.a), stepText(at.b), times === 1 ? '' : String(times), phase, kind, object, what);
  }
  columns.end();
  yield* lines;
  if (!all && alike.length > SHOWN) yield `  and ${alike.length - SHOWN} more; --all lists them`;
  yield* countLines(comparison, subject);
}

const stepText = (step: number | null): string => (step === null ? '-' : String(step));

function* countLines(comparison: Comparison, subject: Subject): Generator<string> {
  const [here, there] = comparison.tallies(subject);
  const texts = unequalCounts(here, there).map(({ name, a, b }) => `${name} ${a ?? '?'} -> ${b ?? '?'}`);
  if (texts.length > 0) yield `  counts: ${texts.join(', ')}`;
}

/** Interrupts whose deliveries took another time, where both traces tell it: no difference, but worth knowing. */
function* latencyLines(comparison: Comparison): Generator<string> {
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line), [1, 2, 3, 4, 5, 6]);
  const { a, b } = comparison;
  columns.row('  interrupt', 'median A', 'B', '99 % A', 'B', 'longest A', 'B');
  for (const subject of comparison.subjects) {
    const [here, there] = subject.interrupt ? comparison.tallies(subject) : [];
    if (!here?.latency || !there?.latency || sameTimes(here.latency, there.latency)) continue;
    const pairs = (['p50', 'p99', 'max'] as const).flatMap((key) => [
      spanText(here.latency![key], coarsest(a.trace)),
      spanText(there.latency![key], coarsest(b.trace)),
    ]);
    columns.row(`  ${titleOf(subject)}`, ...pairs);
  }
  columns.end();
  if (lines.length < 2) return;
  yield '';
  yield 'time from cause to handler (it differs from run to run and counts as no difference)';
  yield* lines;
}

const sameTimes = (a: Latency, b: Latency): boolean => a.p50 === b.p50 && a.p99 === b.p99 && a.max === b.max;
