/** zip archives (APPNOTE.TXT), read one file after the other as they stand. */
import { Unzip, UnzipInflate } from 'fflate';
import type { ArchiveTaker } from './tar.ts';

/** Whether a file begins like a zip archive: with the header of a file. */
export const isZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04;

/** Reads an archive chunk by chunk. What is packed by a method other than deflate is told as a file without data. */
export class Zip {
  readonly #unzip: Unzip;
  #open = false;
  readonly #take: ArchiveTaker;
  /** What is wrong with the archive, if anything; nothing that was read before is lost. */
  problem: string | undefined;

  constructor(take: ArchiveTaker) {
    this.#take = take;
    this.#unzip = new Unzip((file) => {
      if (file.name.endsWith('/')) return;
      this.#close();
      take.file({ path: file.name, modified: undefined });
      this.#open = true;
      file.ondata = (error, data, final) => {
        if (error !== null) this.problem ??= `${file.name}: the zip data is damaged`;
        else if (data.length > 0) take.data(data);
        if (final || error !== null) this.#close();
      };
      try {
        file.start();
      } catch {
        this.problem ??= `${file.name} is packed in a way that is not read; pack the archive with deflate`;
        this.#close();
      }
    });
    this.#unzip.register(UnzipInflate);
  }

  push(chunk: Uint8Array): void {
    this.#guard(() => this.#unzip.push(chunk));
  }

  end(): void {
    this.#guard(() => this.#unzip.push(new Uint8Array(0), true));
    this.#close();
  }

  #guard(work: () => void): void {
    if (this.problem !== undefined) return;
    try {
      work();
    } catch (error) {
      this.problem ??= `the zip archive is damaged or cut off: ${error instanceof Error ? error.message : String(error)}`;
      this.#close();
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#take.fileEnd();
  }
}
