/** What the readers of snapshots share: files of /proc, /sys and debugfs have no stamps, and a line of them is a record. */
import { COLON, SPACE, textOf } from '../../base/bytes.ts';
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
import { type Heard, hear } from '../text/headings.ts';
import { type Place, placeOfPath, type SnapshotFormat } from './place.ts';

/** Why a record has no effect: it is not known, by name, or cannot be read. A text alone: it is known and has none. */
export type NoEffect = string | { readonly unknown: string } | { readonly skipped: string };

/** A line that is the beginning of a record: the next one continues it. */
export const BROKEN_OFF = Symbol('broken off');

/** Longer lines are no records of a snapshot: 8192 CPUs with 11 characters each. */
const LONGEST = 100_000;

/** Whether a line begins with blanks, a word and a colon. */
export function isLabelled(buf: Uint8Array, start: number): boolean {
  let at = start;
  while (buf[at] === SPACE) at++;
  const from = at;
  while (at - from < 13 && at < buf.length && buf[at] !== COLON && buf[at] !== SPACE) at++;
  return at > from && buf[at] === COLON && buf[at + 1] === SPACE;
}

/** Whether a line may begin with a path: a slash or a point, or a name with a slash near its beginning. */
export function isPath(buf: Uint8Array, start: number): boolean {
  for (let at = start; at < start + 24 && at < buf.length && buf[at]! > SPACE; at++) if (buf[at] === SLASH) return true;
  return false;
}

const SLASH = 47;

/** Reads lines of a snapshot; `R` is what a line says. */
export abstract class SnapshotReader<R> implements RecordReader {
  protected readonly out: TraceBuilder;
  readonly evidence = 1;
  readonly stamp: number = Number.NaN;

  readonly #format: SnapshotFormat;
  /** Columns of the table at hand, in their order; undefined when no header told them. */
  protected cpus: readonly number[] | undefined;
  /** What the path of the file at hand says; undefined when it is not told, or that of another format. */
  protected place: Place | undefined;
  /** A path was told: lines without their own belong to that file. */
  protected elsewhere = false;
  /** Whether the last line was a row of CPUs: one that a mail program broke goes on. */
  #inHeader = false;

  constructor(out: TraceBuilder, format: SnapshotFormat) {
    this.out = out;
    this.#format = format;
    out.source.format = format;
    out.source.clock = 'none';
  }

  /** Whether a line may be a record, told from its first bytes. */
  protected abstract may(buf: Uint8Array, start: number, end: number): boolean;
  /** What a line says, without any effect; undefined when it is no record. */
  protected abstract parse(line: string): R | typeof BROKEN_OFF | undefined;
  /** Takes what a record says. It is counted already as understood, unless this returns why it is not. */
  protected abstract take(record: R): NoEffect | undefined;
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

  note(_buf: Uint8Array, _start: number, _end: number): string | undefined {
    this.#inHeader = false;
    return undefined;
  }

  hear({ path, cpus }: Heard): void {
    if (path !== undefined) {
      const place = placeOfPath(path);
      this.place = place?.format === this.#format ? place : undefined;
      this.elsewhere = place !== undefined && this.place === undefined;
      this.cpus = undefined;
    }
    if (cpus === undefined) return;
    const goesOn = this.#inHeader && this.cpus !== undefined && cpus[0]! > this.cpus.at(-1)!;
    this.cpus = goesOn ? [...this.cpus!, ...cpus] : cpus;
    this.#inHeader = true;
    this.out.source.cpus = Math.max(this.out.source.cpus, this.cpus.length);
  }

  follow(before: SnapshotReader<R>): void {
    this.cpus = before.cpus;
    this.place = before.place;
    this.elsewhere = before.elsewhere;
    this.#inHeader = before.#inHeader;
    this.out.source.cpus = Math.max(this.out.source.cpus, this.cpus?.length ?? 0);
  }

  settle(): void {
    this.out.source.variant = this.variant();
  }

  #read(buf: Uint8Array, start: number, end: number): R | typeof BROKEN_OFF | undefined {
    if (end - start > LONGEST || !this.may(buf, start, end)) return undefined;
    const line = textOf(buf, start, end).trimEnd();
    // A line that names another file is no value of this one.
    return this.place !== undefined && hear(line, 0) !== undefined ? undefined : this.parse(line);
  }

  #count(record: R): void {
    this.#inHeader = false;
    const problem = this.take(record);
    if (problem === undefined) this.out.understood();
    else if (typeof problem === 'string') this.out.withoutEffect(problem);
    else if ('unknown' in problem) this.out.unknown(problem.unknown);
    else this.out.skipped(problem.skipped);
  }
}
