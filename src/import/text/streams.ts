/** The sources that stand in one file of text: each has a format, a builder and a reader of its own. */
import { textOf } from '../../base/bytes.ts';
import { tally, total } from '../../trace/accounting.ts';
import { TraceBuilder } from '../../trace/builder.ts';
import { DmesgReader } from '../dmesg/reader.ts';
import type { RecordReader } from '../importer.ts';
import type { Seeker } from './find.ts';
import { DMESG, TEXT_FORMATS, type TextFormat } from './formats.ts';
import { type Heard, hear } from './headings.ts';
import { inOrder, type Undone } from './undone.ts';

/** One source of the file, or one that may still begin. */
export class Stream implements Seeker {
  readonly format: TextFormat;
  readonly undone = new Set<Undone>();
  /** Text that belongs to no format stood behind its last record: the next record may begin another excerpt. */
  afterText = false;
  /** The header of another buffer came: the next record begins another source. */
  ended = false;
  #out: TraceBuilder;
  #reader: RecordReader;
  #begun = false;

  constructor(format: TextFormat) {
    this.format = format;
    // What is read before the source has begun is only looked at.
    this.#out = new TraceBuilder('');
    this.#reader = format.open(this.#out);
  }

  get out(): TraceBuilder {
    return this.#out;
  }

  get reader(): RecordReader {
    return this.#reader;
  }

  /** Whether it has a place among the sources. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Gives it what it writes to. */
  begin(out: TraceBuilder): void {
    const before = this.#reader;
    this.#out = out;
    this.#reader = this.format.open(out);
    this.#reader.follow?.(before);
    this.#begun = true;
  }

  native(buf: Uint8Array, start: number): boolean {
    return this.format.native(buf, start);
  }

  get named(): boolean {
    return this.format.named;
  }

  get tabs(): boolean {
    return this.format.tabs === true;
  }

  get stamps(): boolean {
    return this.format.stamps === true;
  }

  evident(buf: Uint8Array, start: number): boolean {
    return this.format.evident(buf, start);
  }

  /** Records read so far. */
  get records(): number {
    return this.#begun ? this.#out.accounting.records : 0;
  }

  /** Whether a record with this time (seconds) comes from an earlier time than the ones before, so that another excerpt begins. */
  isOlder(stamp: number): boolean {
    this.#out.noteTime();
    const { end, time } = this.#out.source;
    if (Number.isNaN(stamp) || Number.isNaN(end)) return false;
    const last = Number(time.base) + end / (time.ticks ? 1 : 1e9);
    // Seconds since 1970 with nanoseconds are not exact.
    return stamp < last - this.format.disorder - 1e-6;
  }
}

/** A line that came before the first record of its format and belongs to it. */
interface Heading {
  readonly format: TextFormat;
  readonly bytes: Uint8Array;
  readonly line: number;
  readonly offset: number;
}

/** Formats between whose records lines of a kernel log stand. */
const TRACES: ReadonlySet<string> = new Set(['ftrace-text', 'perf-script', 'qemu-log']);

/** More sources than that in one file are no excerpts. */
const MOST_SOURCES = 64;
const MOST_HEADINGS = 1000;
/** What a line of a kernel log is called that tells of no interrupt: its reader keeps its time. */
const KERNEL_LOG = 'kernel log';

export class Streams {
  readonly #first: TraceBuilder;
  readonly #begun: Stream[] = [];
  /** For each format the source that its next record goes to. */
  readonly #open = new Map<TextFormat, Stream>();
  #current: Stream | undefined;
  #order: readonly Stream[] = [];
  /** Lines that came before the first record, by what they are. */
  readonly #before = new Map<string, number>();
  #headings: Heading[] = [];
  #inFile = false;

  /** `first`: what the first source of the file is written to; others get builders of the same system. */
  constructor(first: TraceBuilder) {
    this.#first = first;
    for (const format of TEXT_FORMATS) this.#open.set(format, new Stream(format));
    this.#arrange();
  }

  /**
   * Puts the source at hand first. Lines of a kernel log between the records of a trace belong to the trace: they stand at their place there, and the
   * clock of an emulator's log is another one. Where the kernel log began first, and a dump of the ring buffer stands in it, both are sources.
   */
  #arrange(): void {
    const traces = this.#begun.filter(({ format }) => TRACES.has(format.name));
    const log = this.#open.get(DMESG)!;
    const alone = traces.length === 0 || (log.begun && traces.every(({ format }) => format.name === 'ftrace-text'));
    const all = [...this.#open.values()].filter((stream) => stream !== this.#current && (alone || stream !== log));
    this.#order = this.#current === undefined ? all : [this.#current, ...all];
  }

  /** The sources, in the order of their first records. */
  get all(): readonly Stream[] {
    return this.#begun;
  }

  /** The source of the last record. */
  get current(): Stream | undefined {
    return this.#current;
  }

  /** Whether a path told which file the lines belong to. */
  get inFile(): boolean {
    return this.#inFile;
  }

  /** All that a record may belong to, the likeliest first. */
  seekers(): readonly Stream[] {
    return this.#order;
  }

  /** The source that a record goes to; `stamp` its time in seconds, NaN unknown. */
  use(found: Stream, stamp: number): Stream {
    let stream = found;
    if (!stream.begun) this.#begin(stream);
    else if (
      (stream.ended || (stream.afterText && stream.isOlder(stamp))) &&
      this.#begun.length < MOST_SOURCES &&
      stream.records > 0
    ) {
      const before = stream.reader;
      stream = new Stream(stream.format);
      stream.reader.follow?.(before);
      this.#open.set(stream.format, stream);
      this.#begin(stream);
    }
    stream.afterText = false;
    if (stream !== this.#current) {
      this.#current = stream;
      this.#arrange();
    }
    return stream;
  }

  #begin(stream: Stream): void {
    stream.begin(this.#begun.length === 0 ? this.#first : this.#first.beside());
    this.#begun.push(stream);
    const { others } = stream.out.accounting;
    for (const [what, count] of this.#before) others.set(what, (others.get(what) ?? 0) + count);
    this.#before.clear();
    const mine = this.#headings.filter(({ format }) => format === stream.format);
    this.#headings = this.#headings.filter(({ format }) => format !== stream.format);
    for (const { bytes, line, offset } of mine) {
      stream.out.begin(line, offset);
      stream.reader.note(bytes, 0, bytes.length);
    }
  }

  /** Whether a line is one of a kernel log, where such lines are read. */
  inLog(buf: Uint8Array, start: number, end: number): boolean {
    const log = this.#order.find(({ format }) => format === DMESG);
    return log?.reader instanceof DmesgReader && log.reader.isLine(buf, start, end);
  }

  /** Counts lines that are no records. */
  other(what: string, count = 1): void {
    tally(this.#current?.out.accounting.others ?? this.#before, what, count);
  }

  /** Counts a line that belongs to no format. */
  text(): void {
    this.other('text');
    for (const stream of this.#begun) stream.afterText = true;
  }

  /** A line that was counted as text turned out to be a record. */
  noText(): void {
    for (const { out } of this.#begun) {
      const count = out.accounting.others.get('text') ?? 0;
      if (count === 0) continue;
      if (count === 1) out.accounting.others.delete('text');
      else out.accounting.others.set('text', count - 1);
      return;
    }
  }

  /** Tells all readers what the lines to come are. */
  hear(heard: Heard): void {
    if (heard.path !== undefined) this.#inFile = heard.path !== '';
    for (const stream of this.#order) stream.reader.hear?.(heard);
  }

  /** The file has ended: all sources read what they kept back. A file that is a kernel log is one, also where no line tells of an interrupt. */
  end(): void {
    const log = this.#open.get(DMESG)!;
    if (this.#begun.length === 0 && log.reader instanceof DmesgReader) {
      const blank = (this.#before.get('blank') ?? 0) + (this.#before.get('NUL bytes') ?? 0);
      if (log.reader.lines > 0 && log.reader.lines * 2 >= total(this.#before) - blank) this.use(log, Number.NaN);
    }
    for (const { reader } of this.#begun) reader.end?.();
  }

  /** Takes a line that is no record: it may belong to a format all the same. True when it belongs to none. */
  note(bytes: Uint8Array, text: string, line: number, offset: number): boolean {
    // The row of CPUs of a large machine is long.
    const heard = hear(/^\s*CPU\d/.test(text) ? textOf(bytes) : text, line);
    if (heard !== undefined) {
      this.hear(heard);
      // Another listing is another snapshot.
      if (heard.cpus !== undefined)
        for (const stream of this.#order) if (stream.format.listings && stream.records > 0) stream.ended = true;
      this.other(heard.path === undefined ? 'header' : 'path');
      return false;
    }
    for (const stream of this.#order) {
      if (stream.format.heading?.test(text) === true && stream.records > 0) stream.ended = true;
      if (!stream.begun || stream.ended) {
        const what = stream.ended
          ? new Stream(stream.format).reader.note(bytes, 0, bytes.length)
          : stream.reader.note(bytes, 0, bytes.length);
        if (what === undefined) continue;
        if (this.#headings.length < MOST_HEADINGS && what !== KERNEL_LOG)
          this.#headings.push({ format: stream.format, bytes, line, offset });
        if (what !== '') this.other(what);
        return false;
      }
      stream.out.begin(line, offset);
      const what = stream.reader.note(bytes, 0, bytes.length);
      if (what === undefined) continue;
      if (what !== '') stream.out.other(what);
      return false;
    }
    this.text();
    return true;
  }

  /** Brings accounting and facts of all sources up to date. */
  settle(words: Iterable<Undone>): void {
    for (const { out, reader, undone } of this.#begun) {
      out.noteTime();
      reader.settle();
      const { accounting, source } = out;
      accounting.lines = accounting.records + total(accounting.others);
      source.undone = inOrder(new Set([...undone, ...words]));
    }
  }
}
