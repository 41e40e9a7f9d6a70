/** How each line of a source was read. Every line is counted. */
export interface Accounting {
  /** All lines, the last one also without a line end. */
  lines: number;
  /** Lines that are trace records: the sum of `understood`, `unknown` and `skipped`. */
  records: number;
  /** Records that became events, or are known and deliberately without effect. */
  understood: number;
  /** Of these, the ones that became no event, by name. */
  withoutEffect: Map<string, number>;
  /** Records of events that are not known, by name. */
  unknown: Map<string, number>;
  /** The line of the first record of each of them, where it has one. */
  unknownAt: Map<string, number>;
  /** Records that could not be read, by reason. */
  skipped: Map<string, number>;
  /** Lines that are no records, by what they are: header, blank, loss marker, text, … */
  others: Map<string, number>;
  /** Events that the recorder says it lost. */
  lost: number;
  /** Gaps for which the recorder does not tell the number of lost events. */
  gaps: number;
  /** The first few lines that were skipped or not understood, for the report. */
  samples: { line: number; offset: number; reason: string }[];
}

const SAMPLES = 20;

export function emptyAccounting(): Accounting {
  return {
    lines: 0,
    records: 0,
    understood: 0,
    withoutEffect: new Map(),
    unknown: new Map(),
    unknownAt: new Map(),
    skipped: new Map(),
    others: new Map(),
    lost: 0,
    gaps: 0,
    samples: [],
  };
}

/** Adds one, or so many, to a tally. */
export function tally(map: Map<string, number>, name: string, count = 1): void {
  map.set(name, (map.get(name) ?? 0) + count);
}

/** Counts a record that could not be read. */
export function countSkipped(a: Accounting, reason: string, line: number, offset: number): void {
  a.records++;
  tally(a.skipped, reason);
  if (a.samples.length < SAMPLES) a.samples.push({ line, offset, reason });
}

/** The sum of a tally. */
export function total(map: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const n of map.values()) sum += n;
  return sum;
}
