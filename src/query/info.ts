import type { Step } from '../base/ids.ts';
import { timeText } from '../base/time.ts';
import { clockMap, onClock } from '../trace/merge.ts';
import type { Repeats, Source, Vantage } from '../trace/source.ts';
import type { Trace } from '../trace/trace.ts';

/** The format of a source and how its lines were read. */
export interface TraceInfo {
  readonly file: string;
  readonly format: string;
  readonly variant: string;
  readonly lines: number;
  readonly records: number;
  readonly events: number;
  readonly understood: number;
  /** Records of events that are not known, by name. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Records that could not be read, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Events that the recorder lost; null where it does not say how many for each gap. */
  readonly lost: number | null;
  /** Gaps of unknown size. */
  readonly gaps: number;
  /** CPUs that the source names or that recorded something; null where it tells none. */
  readonly cpus: number | null;
  /** Clock of the stamps, `none` without stamps; null where the source does not tell which. */
  readonly clock: string | null;
  /** Time of the first and of the last record; null where the source has no stamps. */
  readonly start: string | null;
  readonly end: string | null;
  /** Records that are known and became no event, by name. */
  readonly withoutEffect: Readonly<Record<string, number>>;
  /** Lines that are no records, by what they are. */
  readonly others: Readonly<Record<string, number>>;
  /** What is wrong with the source as a whole; null when nothing is. */
  readonly problem: string | null;
  /** What was undone to read it, such as `quoted` or `prefix:journal`. */
  readonly undone: readonly string[];
  /** The first lines that were skipped, with the reason. */
  readonly samples: readonly { readonly line: number; readonly offset: number; readonly reason: string }[];
  /** The sources of a file in which several stand; the numbers above are their sums. */
  readonly sources?: readonly TraceInfo[];
}

/** How the clock of a source was brought to that of the trace. */
export interface ClockInfo {
  readonly file: string;
  /** Seconds that are added to its own times at its first record. */
  readonly offset: string;
  /** Seconds by which that may be wrong; null where nothing tells. */
  readonly uncertainty: string | null;
  /** Parts per million by which the clock of the trace goes faster. */
  readonly drift: number;
  /** Of a source without stamps: what gave it its place among the others, in words. */
  readonly place?: string;
  /** Events of both sources that show the same instant. */
  readonly evidence: readonly { readonly steps: readonly [Step, Step]; readonly what: string }[];
}

/** A source of a joined trace. */
export interface JoinedSourceInfo extends TraceInfo {
  /** Events that another file recorded, too, and that are not told again; missing where there are none. */
  readonly repeats?: Repeats;
  readonly system: string | null;
  readonly vantage: Vantage | null;
}

/** How the files of a joined trace were read, and how they were put together. */
export interface JoinedInfo {
  readonly sources: readonly JoinedSourceInfo[];
  /** The names of the systems; none where there is one without a name. */
  readonly systems: readonly string[];
  readonly clocks: readonly ClockInfo[];
}

/** Events that show how two clocks belong together, at most: the first ones. */
const SHOWN_EVIDENCE = 100;

/** Whether a trace was put together from several files. */
export const isJoined = ({ sources, first }: Trace): boolean =>
  sources.some(({ file, system }) => file !== first.file || system !== '');

/** What is told of a joined trace. */
export function joinedInfo(trace: Trace): JoinedInfo {
  const sources = trace.sources.filter(({ derived }) => !derived);
  return {
    sources: sources.map((source) => ({
      ...sourceInfo(source),
      system: source.system === '' ? null : source.system,
      vantage: source.vantage,
      ...(source.repeats === undefined ? {} : { repeats: source.repeats }),
    })),
    systems: [...new Set(sources.map(({ system }) => system))].filter((system) => system !== ''),
    clocks: sources.map((source) => clockInfo(trace, source)),
  };
}

function clockInfo(trace: Trace, { file, offset, drift, alignment, placedBy }: Source): ClockInfo {
  // The clock of the trace is that of its first source.
  const uncertainty = alignment === undefined ? 0 : alignment.uncertainty;
  return {
    file,
    offset: seconds(offset),
    uncertainty: uncertainty === undefined ? null : seconds(BigInt(Math.round(uncertainty))),
    drift: Math.round(drift * 1000) / 1000,
    ...(placedBy === undefined ? {} : { place: placedBy }),
    evidence: (alignment?.evidence ?? [])
      .slice(0, SHOWN_EVIDENCE)
      .map(({ source: s, row, otherSource, other, what }) => ({
        steps: [trace.stepOf(s, row), trace.stepOf(otherSource, other)],
        what,
      })),
  };
}

/** Nanoseconds as a decimal string of seconds. */
function seconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${size / NANO}.${(size % NANO).toString().padStart(9, '0')}`;
}

const NANO = 1_000_000_000n;

/** What the facts of a source say of a clock that the source does not tell. */
const NOT_TOLD = ['not told', 'unknown', ''];

/** A tally as a plain object, most frequent first. */
const plain = (map: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));

/** How a source was read. */
function sourceInfo(meta: Source): TraceInfo {
  const { accounting: a } = meta;
  return {
    file: meta.file,
    format: meta.format,
    variant: meta.variant,
    lines: a.lines,
    records: a.records,
    events: meta.events.length,
    understood: a.understood,
    unknown: plain(a.unknown),
    skipped: plain(a.skipped),
    lost: a.gaps > 0 ? null : a.lost,
    gaps: a.gaps,
    cpus: meta.cpus === 0 ? null : meta.cpus,
    clock: NOT_TOLD.includes(meta.clock) ? null : meta.clock,
    start: timeText(meta.start, meta.time),
    end: timeText(meta.end, meta.time),
    withoutEffect: plain(a.withoutEffect),
    others: plain(a.others),
    problem: meta.problem ?? null,
    undone: meta.undone,
    samples: a.samples,
  };
}

/** Adds up tallies. */
function added(tallies: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const one of tallies) for (const [name, n] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + n);
  return plain(sums);
}

/** The first and last time of all sources, on the clock of the trace; NaN where no source has stamps that fit it. */
export function spanOf(trace: Trace): { readonly start: number; readonly end: number } {
  let [start, end] = [Number.NaN, Number.NaN];
  for (const source of trace.sources) {
    const map = clockMap(trace.time, source);
    const [first, last] = [onClock(map, source.start), onClock(map, source.end)];
    if (!(start <= first) && !Number.isNaN(first)) start = first;
    if (!(end >= last) && !Number.isNaN(last)) end = last;
  }
  return { start, end };
}

/** The same as text; null where no source has stamps that fit. */
function span(trace: Trace): Pick<TraceInfo, 'start' | 'end'> {
  const { start, end } = spanOf(trace);
  return { start: timeText(start, trace.time), end: timeText(end, trace.time) };
}

/** The format of a file and how its lines were read. */
export function traceInfo(trace: Trace): TraceInfo {
  const sources = trace.sources.map(sourceInfo);
  const [first] = sources;
  if (first === undefined || sources.length === 1) return first ?? sourceInfo(trace.first);
  const most = [...sources].sort((a, b) => b.records - a.records)[0]!;
  const sum = (of: (info: TraceInfo) => number): number => sources.reduce((n, info) => n + of(info), 0);
  return {
    file: first.file,
    format: most.format,
    variant: `${sources.length} sources in one file`,
    lines: sum((i) => i.lines),
    records: sum((i) => i.records),
    events: trace.length,
    understood: sum((i) => i.understood),
    unknown: added(sources.map((i) => i.unknown)),
    skipped: added(sources.map((i) => i.skipped)),
    lost: sources.some((i) => i.lost === null) ? null : sum((i) => i.lost ?? 0),
    gaps: sum((i) => i.gaps),
    cpus: Math.max(...sources.map((i) => i.cpus ?? 0)) || null,
    clock: most.clock,
    ...span(trace),
    withoutEffect: added(sources.map((i) => i.withoutEffect)),
    others: added(sources.map((i) => i.others)),
    problem: sources.find((i) => i.problem !== null)?.problem ?? null,
    undone: [...new Set(sources.flatMap((i) => i.undone))],
    samples: sources.flatMap((i) => i.samples).sort((a, b) => a.line - b.line),
    sources,
  };
}
