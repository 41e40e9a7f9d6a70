import type { World } from '../model/world.ts';
import { TraceBuilder } from '../trace/builder.ts';
import { checkIntegrity } from '../trace/integrity.ts';
import type { Trace } from '../trace/trace.ts';
import { Unpacker } from './decompress.ts';
import { detect, type Format, HEAD_BYTES } from './detect.ts';
import type { Importer } from './importer.ts';

/** The source is no trace that can be read; `message` says what was found and what was expected. */
export class ImportError extends Error {}

/**
 * Reads one source, plain or packed (gzip, zstd), chunk by chunk. The trace grows with every chunk and can be read in between. Nothing already
 * read is ever lost: an error in the source is counted, not thrown. Throws ImportError only when the first bytes (or
 * the end, for short sources) show that the source is no trace.
 */
export class ImportRun {
  readonly #builder: TraceBuilder;
  readonly #unpacker = new Unpacker((chunk) => this.#plain(chunk));
  #importer: Importer | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #format: Format | undefined;

  /** `into`: the world and the system of the trace that this source will join; a world of its own when left out. */
  constructor(file: string, into?: { readonly world: World; readonly system: string }) {
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

  /** The format, once it is known. */
  get format(): Format | undefined {
    return this.#format;
  }

  /** Takes the next bytes of the source. */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#unpacker.push(chunk);
  }

  /** Brings accounting and facts of the source up to date with the bytes so far: a file that grows is looked at like this. */
  settle(): void {
    if (!this.#importer && this.#waitingBytes > 0) {
      const format = detect(this.#head());
      if (!('problem' in format)) this.#start(format);
    }
    this.#importer?.settle();
  }

  #plain(chunk: Uint8Array): void {
    if (this.#importer) {
      this.#importer.push(chunk);
      return;
    }
    this.#waiting.push(new Uint8Array(chunk));
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= HEAD_BYTES) this.#start(this.#detect());
  }

  /** The source has ended. Returns the finished trace. */
  end(): Trace {
    this.#unpacker.end();
    const { problem, packing } = this.#unpacker;
    if (!this.#importer && problem !== undefined && this.#waitingBytes === 0) throw new ImportError(problem);
    if (!this.#importer) this.#start(this.#detect());
    this.#importer!.end();
    const { source } = this.#builder;
    if (packing !== 'none') source.variant += `, ${packing}`;
    const [wrong] = checkIntegrity(this.trace);
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

  /** The format of these bytes; throws ImportError when they are no trace. */
  #detect(): Format {
    const format = detect(this.#head());
    if (!('problem' in format)) return format;
    const { problem } = this.#unpacker;
    throw new ImportError(
      problem === undefined ? format.problem : `${problem}; of what was unpacked: ${format.problem}`,
    );
  }

  #start(format: Format): void {
    const head = this.#head();
    this.#waiting = [];
    this.#format = format;
    this.#importer = format.open(this.#builder);
    this.#importer.push(head);
  }
}
