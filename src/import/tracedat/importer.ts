/**
 * trace.dat, the file of trace-cmd: ring buffers of the kernel as they were, with descriptions of their records. Each CPU has its own pages;
 * records are read in order of time. The rules are those of the ftrace text: their captures are filled from fields.
 *
 * `line` of an event is the number of its record in that order, from 1. `offset` is the byte of the file at which the record stands; where
 * records are packed, the byte at which it would stand if the pages of all CPUs followed each other unpacked behind a first page, as trace-cmd
 * counts.
 */
import type { TraceBuilder } from '../../trace/builder.ts';
import type { Source } from '../../trace/source.ts';
import { readLatency } from '../ftrace/latency-text.ts';
import type { Helpers } from '../helpers.ts';
import type { Importer } from '../importer.ts';
import { clockOfFile, stampClock } from './clock.ts';
import { Contents } from './contents.ts';
import { cpuCount, guestThreads, processNames, recordingOf, shiftOf, statedLosses, tellFacts } from './facts.ts';
import { FileBytes, Trouble } from './file.ts';
import { KnownEvents } from './known.ts';
import { RingsHere } from './merge.ts';
import { readHead } from './parts.ts';
import { Places } from './places.ts';
import { Recording } from './recording.ts';
import { pageLayout } from './ring.ts';
import { readV6 } from './v6.ts';
import { SectionReader } from './v7.ts';

function tellFormat(source: Source): void {
  source.format = 'trace-dat';
  source.binary = true;
}

/** Whether bytes are no text: one of the first is a NUL. */
const otherThanText = (bytes: Uint8Array): boolean => bytes.subarray(0, 4096).includes(0);

const NANO = 1_000_000_000n;
/** Problems that are kept. */
const MOST_PROBLEMS = 10;

export class TraceDatImporter implements Importer {
  readonly #out: TraceBuilder;
  readonly #helpers: Helpers;
  #bytes = new FileBytes();
  #recordings: Recording[] = [];
  readonly #problems: string[] = [];

  constructor(out: TraceBuilder, helpers: Helpers) {
    this.#out = out;
    this.#helpers = helpers;
    tellFormat(out.source);
  }

  push(chunk: Uint8Array): void {
    this.#bytes.push(chunk);
  }

  /** Nothing is known of the records before the file is whole: what tells where they stand is written last. */
  settle(): void {
    for (const recording of this.#recordings) recording.settle();
  }

  end(): void {
    const work = this.ending();
    while (work.next().done !== true);
  }

  *ending(): Generator<void, void> {
    const bytes = this.#bytes;
    if (bytes.beyond > 0)
      this.#wrong(`has ${bytes.size + bytes.beyond} bytes, of which the first ${bytes.size} are read`);
    const contents = this.#read();
    if (contents !== undefined) {
      yield* this.#records(contents);
      const others = this.#recordings.slice(1).map(({ out }) => out.source);
      if (others.length > 0) yield* this.#out.trace.joining(...others);
    }
    // All of the file was read: its bytes and pages are needed no more.
    this.#bytes = new FileBytes();
    this.#recordings = [];
    const [first, ...more] = this.#problems;
    if (first !== undefined)
      this.#out.source.problem = `the file ${first}${more.length > 0 ? `; ${more.length} more such places` : ''}`;
  }

  #wrong(problem: string): void {
    if (this.#problems.length < MOST_PROBLEMS && !this.#problems.includes(problem)) this.#problems.push(problem);
  }

  /** Reads everything but the records. */
  #read(): Contents | undefined {
    const bytes = this.#bytes;
    try {
      const { head, end } = readHead(bytes);
      const contents = new Contents(head, (problem) => this.#wrong(problem));
      this.#out.source.variant = `version ${head.version}`;
      if (head.version === 6) readV6(bytes, end, contents);
      else new SectionReader(bytes, contents, this.#helpers).read(end);
      return contents;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#wrong(error.message);
      return undefined;
    }
  }

  /** Reads the text of a latency tracer; false where it holds no record. */
  #text({ text, at }: NonNullable<Contents['latency']>): boolean {
    const { source } = this.#out;
    const version = source.variant;
    if (otherThanText(text)) return false;
    const read = readLatency(this.#out, text, at);
    tellFormat(source);
    source.variant = `${version}, text of a latency tracer: ${source.variant}`;
    return read;
  }

  *#records(contents: Contents): Generator<void, void> {
    const own = clockOfFile(contents);
    const long = pageLayout(contents.headerPage, contents.head.pageSize, contents.head.long).long;
    const known = new KnownEvents(contents, long);
    const places = new Places(this.#bytes, contents, known.type, this.#helpers);
    const groups = places.rings(
      contents.buffers,
      contents.buffers.map(({ clock }) => (clock === '' ? own : clock)),
    );
    if (contents.latency !== undefined && this.#text(contents.latency)) return;
    if (contents.texts > 0)
      this.#wrong('holds text of a latency tracer, which is not read: `trace-cmd report -i FILE` prints it');
    const names = processNames(contents.cmdlines);
    const threads = guestThreads(contents);
    let line = 0;
    for (const [name, rings] of groups.size === 0 ? [[own, new RingsHere([])] as const] : groups) {
      const out = this.#recordings.length === 0 ? this.#out : this.#out.beside();
      tellFormat(out.source);
      const clock = stampClock(name, contents);
      const recording = new Recording(out, known, rings, clock, names, line);
      this.#recordings.push(recording);
      for (const { thread, vcpu } of threads) recording.runsOn(thread, vcpu);
      tellFacts(out.source, contents);
      recording.open();
      // The thread makes it behind the first records; they are read meanwhile.
      if (places.reader !== undefined) known.prepare((text) => places.reader!.index(text));
      // The statistics are of all buffers: they are told once.
      yield* recording.read(this.#recordings.length === 1 ? statedLosses(contents) : undefined);
      line = recording.line;
      out.source.cpus = Math.max(cpuCount(contents), recording.cpus);
      out.source.recording = recordingOf(contents);
      out.source.shift = shiftOf(contents, clock, out.source.time.base * NANO);
    }
    places.end();
  }
}
