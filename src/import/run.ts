import { LF, plainBytes } from '../base/bytes.ts';
import type { World } from '../model/world.ts';
import { TraceBuilder } from '../trace/builder.ts';
import { checkIntegrity } from '../trace/integrity.ts';
import type { Trace } from '../trace/trace.ts';
import { Unpacker } from './decompress.ts';
import { detect, HEAD_BYTES, notATrace } from './detect.ts';
import type { Helpers } from './helpers.ts';
import type { Importer } from './importer.ts';
import { isNameList, otherKind } from './other-kinds.ts';
import { DMESG } from './text/formats.ts';
import { TextImporter } from './text/importer.ts';
import { Streams } from './text/streams.ts';
import { inOrder, type Undone } from './text/undone.ts';
import { Utf16 } from './utf16.ts';

/** The source is no trace that can be read; `message` says what was found and what was expected. */
export class ImportError extends Error {
  /** It is no file of another kind: what packs it is damaged. */
  readonly damaged: boolean;

  constructor(message: string, damaged = false) {
    super(message);
    this.damaged = damaged;
  }
}

/** Traces with more events than that are checked at every eighth event: what goes wrong in a reader does so again and again. */
const CHECKED = 1 << 17;
const SPARSE = 8;

/**
 * Reads one source, plain or packed (gzip, zstd), in UTF-8 or UTF-16, chunk by chunk. The trace grows with every chunk and
 * can be read in between. What was read is never lost: an error in the source is counted, not thrown. ImportError is thrown
 * only when the source is no trace. The first bytes show that; of text, and of short sources, only the end does.
 */
export class ImportRun {
  readonly #builder: TraceBuilder;
  readonly #utf16 = new Utf16((chunk) => this.#plain(chunk));
  readonly #unpacker = new Unpacker((chunk) => this.#utf16.push(chunk));
  #importer: Importer | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #begun = false;
  /** Of text: the sources in it, and its first bytes. */
  #streams: Streams | undefined;
  #first: Uint8Array = new Uint8Array(0);
  readonly #path: string | undefined;
  readonly #helpers: Helpers;

  /**
   * `into`: the world and the system of the trace that this source will join; a world of its own when left out. `path`: where the file lies
   * in a folder or an archive, for files of /proc, /sys and debugfs that only their path tells (`proc/irq/41/smp_affinity`). `helpers`: what the place can do for readers.
   */
  constructor(
    file: string,
    into?: { readonly world: World; readonly system: string },
    path?: string,
    helpers: Helpers = {},
  ) {
    this.#path = path;
    this.#helpers = helpers;
    this.#builder = new TraceBuilder(file, into?.world, into?.system);
  }

  /** The trace so far. */
  get trace(): Trace {
    return this.#builder.trace;
  }

  /** Bytes of the source taken so far, packed as they are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The format of the (first) source, once a record has shown it. */
  get format(): string | undefined {
    if (this.#streams !== undefined && this.#streams.all.length === 0) return undefined;
    return this.#begun ? this.trace.first.format : undefined;
  }

  /** Sources in the file that are shown when it has ended, besides those in `trace`: excerpts and formats beside one another. */
  get further(): number {
    return Math.max(0, (this.#streams?.all.length ?? 0) - this.trace.sources.length);
  }

  /** Takes the next bytes of the source; the caller may use the memory again afterwards. */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#unpacker.push(chunk);
  }

  /**
   * Brings accounting and facts of the source up to date with the bytes so far: a file that grows is looked at like this. What holds for
   * a file as a whole (escapes of a page, a mail in quoted-printable) is decided with the bytes so far, too.
   */
  settle(): void {
    this.#utf16.settle();
    // The first line tells the format; half of it would tell another one.
    const head = this.#importer ? undefined : this.#head();
    if (head?.includes(LF)) {
      const format = detect(head);
      if (typeof format === 'string' || !('problem' in format)) this.#start(format);
    }
    this.#importer?.settle();
    this.#tellEncoding();
  }

  /** Says of all sources that their text was in UTF-16. */
  #tellEncoding(): void {
    if (!this.#utf16.decoded) return;
    for (const source of this.trace.sources) {
      const words = source.undone as readonly Undone[];
      if (!words.includes('utf-16')) source.undone = inOrder([...words, 'utf-16']);
    }
  }

  #plain(chunk: Uint8Array): void {
    if (this.#importer) {
      this.#importer.push(plainBytes(chunk));
      return;
    }
    this.#waiting.push(new Uint8Array(chunk));
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= HEAD_BYTES) this.#start(this.#detect());
  }

  /** The source has ended. Returns the finished trace. */
  end(): Trace {
    const work = this.ending();
    for (;;) {
      const slice = work.next();
      if (slice.done) return slice.value;
    }
  }

  /** The same in slices: some formats can be read only when the source is whole. Between two slices the trace can be read. */
  *ending(): Generator<void, Trace> {
    this.#unpacker.end();
    this.#utf16.end();
    const { packing } = this.#unpacker;
    const problem = this.#unpacker.problem ?? this.#utf16.problem;
    if (!this.#importer && problem !== undefined && this.#waitingBytes === 0) throw new ImportError(problem, true);
    if (!this.#importer) this.#start(this.#detect());
    const importer = this.#importer!;
    if (importer.ending === undefined) importer.end();
    else yield* importer.ending();
    if (this.#streams !== undefined) this.#joinSources(this.#streams);
    const { source } = this.#builder;
    this.#tellEncoding();
    if (packing !== 'none') for (const each of this.trace.sources) each.variant += `, ${packing}`;
    const [wrong] = checkIntegrity(this.trace, this.trace.length > CHECKED ? SPARSE : 1);
    if (problem !== undefined) source.problem = problem;
    else if (wrong !== undefined) source.problem = `the trace is not sound, please report this: ${wrong}`;
    return this.trace;
  }

  /** The bytes that came before the format was known. */
  #head(): Uint8Array {
    const all = new Uint8Array(this.#waitingBytes);
    let at = 0;
    for (const chunk of this.#waiting) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** The sources of a file of text become one trace; throws ImportError when there is none. */
  #joinSources({ all }: Streams): void {
    // A file of another kind may name events as a trace does; then no arguments fit.
    const read = all.some(({ format, out: { accounting: a } }) => a.understood > 0 || format === DMESG);
    if (all.length === 0 || isNameList(this.#first) || (!read && otherKind(this.#first, true) !== undefined))
      throw this.#refused(notATrace(this.#first));
    if (all.length > 1) this.trace.join(...all.slice(1).map(({ out }) => out.source));
  }

  /** The format of these bytes; throws ImportError when they are no trace. */
  #detect(): Exclude<ReturnType<typeof detect>, { readonly problem: string }> {
    const format = detect(this.#head());
    if (typeof format === 'string' || !('problem' in format)) return format;
    throw this.#refused(format.problem);
  }

  /** The error for a reason why nothing can be read, with what was wrong before that. */
  #refused(reason: string): ImportError {
    const { problem } = this.#unpacker;
    if (problem === undefined) return new ImportError(reason);
    return new ImportError(`${problem}; of what was unpacked: ${reason}`, true);
  }

  #start(format: Exclude<ReturnType<typeof detect>, { readonly problem: string }>): void {
    const head = this.#head();
    this.#waiting = [];
    this.#begun = true;
    if (format === 'text') {
      this.#first = head;
      this.#streams = new Streams(this.#builder);
      this.#importer = new TextImporter(this.#streams, head, this.#path);
    } else this.#importer = format.open(this.#builder, this.#helpers);
    this.#importer.push(head);
  }
}
