import { timeText } from '../base/time.ts';
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
  /** Events that the recorder lost, as far as it says how many. */
  readonly lost: number;
  /** Gaps of unknown size. */
  readonly gaps: number;
  readonly cpus: number;
  readonly clock: string;
  /** Time of the first and of the last record; null where the source has no stamps. */
  readonly start: string | null;
  readonly end: string | null;
  /** Records that are known and became no event, by name. */
  readonly withoutEffect: Readonly<Record<string, number>>;
  /** Lines that are no records, by what they are. */
  readonly others: Readonly<Record<string, number>>;
  /** What is wrong with the source as a whole; absent when nothing is. */
  readonly problem?: string;
  /** The first lines that were skipped, with the reason. */
  readonly samples: readonly { readonly line: number; readonly offset: number; readonly reason: string }[];
}

/** A tally as a plain object, most frequent first. */
const plain = (map: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));

/** The format of a source and how its lines were read. */
export function traceInfo(trace: Trace): TraceInfo {
  const meta = trace.first;
  const { accounting: a } = meta;
  return {
    file: meta.file,
    format: meta.format,
    variant: meta.variant,
    lines: a.lines,
    records: a.records,
    events: trace.length,
    understood: a.understood,
    unknown: plain(a.unknown),
    skipped: plain(a.skipped),
    lost: a.lost,
    gaps: a.gaps,
    cpus: meta.cpus,
    clock: meta.clock,
    start: timeText(meta.start, meta.time),
    end: timeText(meta.end, meta.time),
    withoutEffect: plain(a.withoutEffect),
    others: plain(a.others),
    samples: a.samples,
    ...(meta.problem === undefined ? {} : { problem: meta.problem }),
  };
}
