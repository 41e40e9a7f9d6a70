import type { Trace } from '../../trace/trace.ts';
import { ImportRun } from '../run.ts';

/** One of several files of a trace that is read while it grows. It is a trace of its own; what joins it with the others reads it when it has settled. */
export class GrowingFile {
  readonly #name: string;
  #run: ImportRun;
  #trace: Trace | undefined;

  /** `trace`: what the file was when it was read before, until the first record of what is fed shows what it is now. */
  constructor(name: string, trace: Trace | undefined) {
    this.#name = name;
    this.#run = new ImportRun(name);
    this.#trace = trace;
  }

  /** What was read so far. */
  get trace(): Trace | undefined {
    return this.#trace;
  }

  /** Sources in the file that are shown when it has ended. */
  get further(): number {
    return this.#run.further;
  }

  /** Takes the next bytes of the file. Throws ImportError when they are no trace. */
  feed(chunk: Uint8Array): void {
    this.#run.push(chunk);
  }

  /** All that is there was fed. */
  settle(): void {
    this.#run.settle();
    if (this.#run.format !== undefined) this.#trace = this.#run.trace;
  }

  /** The file was cut, or another one took its name: it is fed from its beginning. */
  restart(): void {
    this.#run = new ImportRun(this.#name);
  }

  /** It is followed no more: what was kept back is read. */
  end(): void {
    if (this.#run.format !== undefined) this.#trace = this.#run.end();
  }
}
