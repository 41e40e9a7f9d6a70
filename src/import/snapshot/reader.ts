/** What the readers of snapshots share: files of /proc, /sys and debugfs have no stamps, and a line of them is a record. */
import { textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import {
  FOREIGN,
  type Form,
  NO_RECORD,
  type Outcome,
  PART_OF_RECORD,
  type RecordReader,
  TAKEN,
  WHOLE_RECORD,
} from '../importer.ts';

/** A line that is the beginning of a record: the next one continues it. */
export const BROKEN_OFF = Symbol('broken off');

/** Longer lines are no records of a snapshot: 8192 CPUs with 11 characters each. */
const LONGEST = 100_000;

/** Reads lines of a snapshot; `R` is what a line says. */
export abstract class SnapshotReader<R> implements RecordReader {
  protected readonly out: TraceBuilder;
  readonly evidence = 1;
  readonly stamp: number = Number.NaN;

  constructor(out: TraceBuilder, format: string) {
    this.out = out;
    out.source.format = format;
    out.source.clock = 'none';
  }

  /** Whether a line may be a record, told from its first bytes. */
  protected abstract may(buf: Uint8Array, start: number, end: number): boolean;
  /** What a line says, without any effect; undefined when it is no record. */
  protected abstract parse(line: string): R | typeof BROKEN_OFF | undefined;
  /** Takes what a record says. It is counted already as understood, unless this returns why it is not. */
  protected abstract take(record: R): string | undefined;
  /** The variant of the format, in words. */
  protected abstract variant(): string;

  line(buf: Uint8Array, start: number, end: number): Outcome {
    const record = this.#read(buf, start, end);
    if (record === undefined || record === BROKEN_OFF) return FOREIGN;
    this.#count(record);
    return TAKEN;
  }

  form(buf: Uint8Array, start: number, end: number): Form {
    const record = this.#read(buf, start, end);
    return record === undefined ? NO_RECORD : record === BROKEN_OFF ? PART_OF_RECORD : WHOLE_RECORD;
  }

  record(buf: Uint8Array, start: number, end: number, open: boolean): boolean {
    const record = this.#read(buf, start, end);
    if (record !== undefined && record !== BROKEN_OFF) this.#count(record);
    else this.out.skipped(open ? 'cut off at the end of the file' : 'a line that is broken off');
    return false;
  }

  abstract note(buf: Uint8Array, start: number, end: number): string | undefined;

  settle(): void {
    this.out.source.variant = this.variant();
  }

  #read(buf: Uint8Array, start: number, end: number): R | typeof BROKEN_OFF | undefined {
    if (end - start > LONGEST || !this.may(buf, start, end)) return undefined;
    return this.parse(textOf(buf, start, end).trimEnd());
  }

  #count(record: R): void {
    const problem = this.take(record);
    if (problem === undefined) this.out.understood();
    else this.out.withoutEffect(problem);
  }
}
