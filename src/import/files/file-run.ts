import { type Slices, whole } from '../../base/slices.ts';
import type { Trace } from '../../trace/trace.ts';
import { Unpacker } from '../decompress.ts';
import type { Helpers } from '../helpers.ts';
import { ImportError, ImportRun } from '../run.ts';
import { type Kit, KitReader } from './kit.ts';
import { type ArchiveFile, isTar, Tar } from './tar.ts';
import { isZip, Zip } from './zip.ts';

/** A file that was read: alone, or in an archive. */
export interface FileRead {
  /** Its name; in an archive `ARCHIVE/PATH`. */
  readonly file: string;
  /** When it was changed, in milliseconds since 1970; undefined where that is not told. */
  readonly modified: number | undefined;
  /** What it holds; undefined when nobody recognises it. */
  readonly trace: Trace | undefined;
  /** Why it is no trace, or what is wrong with the archive behind it. */
  readonly problem: string | undefined;
  /** What it tells if it is the kit.json of a recording. */
  readonly kit?: Kit | undefined;
}

/** Bytes that tell an archive from other files. */
const HEAD = 512;
/** Files of one archive that are looked at. */
const MOST_FILES = 20_000;

/**
 * Reads one file chunk by chunk, an archive (tar or zip, packed or not) file by file. An archive never fails because of what is in
 * it; a file that is none fails with ImportError when it is no trace.
 */
export class FileRun {
  readonly #file: string;
  readonly #helpers: Helpers;
  readonly #modified: number | undefined;
  #waiting: Uint8Array[] = [];
  readonly #head: number[] = [];
  #bytes = 0;
  #sniffer: Unpacker | undefined = new Unpacker((chunk) => {
    for (const byte of chunk.subarray(0, HEAD - this.#head.length)) this.#head.push(byte);
  });
  readonly #kit = new KitReader();
  #run: ImportRun | undefined;
  #archive: ArchiveRun | undefined;

  /** `helpers`: what the place can do for readers. */
  constructor(file: string, modified?: number, helpers: Helpers = {}) {
    this.#file = file;
    this.#helpers = helpers;
    this.#modified = modified;
  }

  /** Bytes taken so far, packed as they are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is an archive; its first bytes show that. */
  get archive(): boolean {
    return this.#archive !== undefined;
  }

  push(chunk: Uint8Array): void {
    whole(this.pushing(chunk));
  }

  /** The same in slices: files of an archive that end in these bytes are read to their end. */
  *pushing(chunk: Uint8Array): Slices<void> {
    this.#bytes += chunk.length;
    this.#kit.push(chunk);
    this.#pass(chunk);
    if (this.#archive !== undefined) yield* this.#archive.finishing();
  }

  #pass(chunk: Uint8Array): void {
    if (this.#run !== undefined) this.#run.push(chunk);
    else if (this.#archive !== undefined) this.#archive.push(chunk);
    else {
      this.#waiting.push(new Uint8Array(chunk));
      this.#sniffer?.push(chunk);
      // Behind damage nothing more is unpacked.
      if (this.#head.length >= HEAD || this.#sniffer?.problem !== undefined) this.#start();
    }
  }

  /** The file has ended. Throws ImportError when it is no archive, no trace and no kit.json. */
  end(): FileRead[] {
    return whole(this.ending());
  }

  /** The same in slices: a trace.dat is read only when it is whole. */
  *ending(): Slices<FileRead[]> {
    if (this.#run === undefined && this.#archive === undefined) this.#start();
    if (this.#archive !== undefined) return yield* this.#archive.ending();
    const about = { file: this.#file, modified: this.#modified };
    try {
      return [{ ...about, trace: yield* this.#run!.ending(), problem: undefined }];
    } catch (error) {
      const kit = error instanceof ImportError ? this.#kit.end() : undefined;
      if (kit === undefined) throw error;
      return [{ ...about, trace: undefined, problem: (error as ImportError).message, kit }];
    }
  }

  #start(): void {
    const head = new Uint8Array(this.#head);
    this.#sniffer = undefined;
    if (isTar(head) || isZip(head)) this.#archive = new ArchiveRun(this.#file, isZip(head), this.#helpers);
    else this.#run = new ImportRun(this.#file, undefined, undefined, this.#helpers);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) this.#pass(chunk);
  }
}

/** A file of an archive that is being read. */
interface Open {
  readonly file: ArchiveFile;
  readonly run: ImportRun | undefined;
  readonly kit: KitReader;
  problem: string | undefined;
}

/** Reads the files of an archive, each as one of its own; an archive in an archive is not opened. */
class ArchiveRun {
  readonly #file: string;
  readonly #helpers: Helpers;
  readonly #unpacker: Unpacker;
  readonly #archive: Tar | Zip;
  readonly #found: FileRead[] = [];
  #count = 0;
  #open: Open | undefined;
  /** Files whose bytes are all there, but which are not read to their end. */
  #whole: Open[] = [];

  constructor(file: string, zip: boolean, helpers: Helpers) {
    this.#file = file;
    this.#helpers = helpers;
    const taker = {
      file: (found: ArchiveFile) => this.#begin(found),
      data: (chunk: Uint8Array) => this.#data(chunk),
      fileEnd: () => this.#end(),
    };
    this.#archive = zip ? new Zip(taker) : new Tar(taker);
    this.#unpacker = new Unpacker((chunk) => this.#archive.push(chunk));
  }

  push(chunk: Uint8Array): void {
    this.#unpacker.push(chunk);
  }

  *ending(): Slices<FileRead[]> {
    this.#unpacker.end();
    this.#archive.end();
    yield* this.finishing();
    const problem = this.#unpacker.problem ?? this.#archive.problem;
    if (problem !== undefined) this.#found.push({ file: this.#file, modified: undefined, trace: undefined, problem });
    return this.#found;
  }

  /** Reads the files to their end whose bytes are all there. */
  *finishing(): Slices<void> {
    const ready = this.#whole;
    this.#whole = [];
    for (const open of ready) {
      let trace: Trace | undefined;
      try {
        if (open.problem === undefined) trace = yield* open.run!.ending();
      } catch (error) {
        if (!(error instanceof ImportError)) throw error;
        open.problem = error.message;
      }
      const { path, modified } = open.file;
      const kit = trace === undefined ? open.kit.end() : undefined;
      this.#found.push({ file: `${this.#file}/${path}`, modified, trace, problem: open.problem, kit });
    }
  }

  #begin(file: ArchiveFile): void {
    const run =
      ++this.#count > MOST_FILES
        ? undefined
        : new ImportRun(`${this.#file}/${file.path}`, undefined, undefined, this.#helpers);
    const problem = run === undefined ? `not looked at: the archive holds more than ${MOST_FILES} files` : undefined;
    this.#open = { file, run, kit: new KitReader(), problem };
  }

  #data(chunk: Uint8Array): void {
    const open = this.#open;
    open?.kit.push(chunk);
    if (open?.run === undefined || open.problem !== undefined) return;
    try {
      open.run.push(chunk);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      open.problem = error.message;
    }
  }

  #end(): void {
    if (this.#open !== undefined) this.#whole.push(this.#open);
    this.#open = undefined;
  }
}

/** Whether a file begins like an archive, packed or not; its first bytes show that. */
export function isArchive(first: Uint8Array): boolean {
  const head: number[] = [];
  new Unpacker((chunk) => {
    for (const byte of chunk.subarray(0, HEAD - head.length)) head.push(byte);
  }).push(first.subarray(0, SNIFFED));
  const bytes = new Uint8Array(head);
  return isTar(bytes) || isZip(bytes);
}

/** Bytes of a file that are unpacked to see what it is. */
const SNIFFED = 1 << 16;
