import type { Trace } from '../../trace/trace.ts';
import type { FileRead } from './file-read.ts';
import { type Again, cutRecordings, WholeRecording } from './pieces.ts';

/** A recording that was cut into several files, the last of which may grow. */
interface Recording {
  readonly of: object;
  readonly files: readonly string[];
  readonly whole: WholeRecording;
  /** A file in front of the last one is not what it was. */
  stale: boolean;
}

/** Keeps what files that grow are as pieces of one recording: what is appended to the last piece is read once, behind the others. */
export class GrowingPieces<F extends FileRead & { readonly system?: string | undefined }> {
  readonly #again: Again<F>;
  #recordings: Recording[] = [];

  /** `again`: the bytes of a file, as far as they were fed. */
  constructor(again: Again<F>) {
    this.#again = again;
  }

  /** A file has more bytes. */
  feed(file: string, fresh: Uint8Array): void {
    for (const recording of this.#recordings)
      if (recording.files.at(-1) === file) recording.whole.push(fresh);
      else if (recording.files.includes(file)) recording.stale = true;
  }

  /** A file is fed from its beginning. */
  restart(file: string): void {
    for (const recording of this.#recordings) if (recording.files.includes(file)) recording.stale = true;
  }

  /** The files, with what they are as pieces. */
  async of(files: readonly F[]): Promise<F[]> {
    const found: Recording[] = [];
    const pieces = new Map<string, F['piece']>();
    for (const chain of cutRecordings(files)) {
      const recording = this.#known(chain) ?? (await this.#read(chain));
      if (recording === undefined) continue;
      found.push(recording);
      recording.whole.settle();
      const traces: readonly Trace[] | undefined = recording.whole.traces(chain.map(({ trace }) => trace));
      for (const [at, { file }] of chain.entries())
        pieces.set(file, traces && { of: recording.of, at, count: chain.length, trace: traces[at]! });
    }
    this.#recordings = found;
    return files.map((file) => ({ ...file, piece: pieces.get(file.file) }));
  }

  #known(chain: readonly FileRead[]): Recording | undefined {
    return this.#recordings.find(
      ({ files, stale }) =>
        !stale && files.length === chain.length && files.every((file, i) => file === chain[i]!.file),
    );
  }

  async #read(chain: readonly F[]): Promise<Recording | undefined> {
    const whole = new WholeRecording();
    for (const file of chain) {
      const bytes = this.#again(file);
      if (bytes === undefined) return undefined;
      whole.next();
      for await (const chunk of bytes) whole.push(chunk);
    }
    return { of: {}, files: chain.map(({ file }) => file), whole, stale: false };
  }
}
