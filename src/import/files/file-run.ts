import { type Slices, whole } from '../../base/slices.ts';
import type { Trace } from '../../trace/trace.ts';
import { Unpacker } from '../decompress.ts';
import type { Helpers } from '../helpers.ts';
import { ImportError, ImportRun } from '../run.ts';
import type { FileRead } from './file-read.ts';
import { folderOf, Gathering } from './gathered.ts';
import { KitReader } from './kit.ts';
import { type ArchiveFile, isTar, Tar } from './tar.ts';
import { isZip, Zip } from './zip.ts';

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
    const kit = this.#kit.end();
    if (kit !== undefined) return [{ ...about, trace: undefined, problem: NO_TRACE, kit }];
    return [{ ...about, trace: yield* this.#run!.ending(), problem: undefined }];
  }

  #start(): void {
    const head = new Uint8Array(this.#head);
    this.#sniffer = undefined;
    if (isTar(head) || isZip(head)) this.#archive = new ArchiveRun(this.#file, isZip(head), this.#helpers);
    else this.#run = new ImportRun(this.#file, undefined, pathOf(this.#file), this.#helpers);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) this.#pass(chunk);
  }
}

/** What is wrong with a kit.json as a trace. The names of events in it look like records of one. */
const NO_TRACE = 'it is the kit.json of a recording, which tells of the files beside it';

/** The path of a file that only its path tells. */
const pathOf = (file: string): string | undefined => (folderOf(file) === undefined ? undefined : file);

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
  readonly #gathering = new Gathering();
  #gathers = false;
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
    this.#found.push(...(yield* this.#gathering.ending()));
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
      const kit = open.kit.end();
      if (kit !== undefined) open.problem = NO_TRACE;
      try {
        if (open.problem === undefined) trace = yield* open.run!.ending();
      } catch (error) {
        if (!(error instanceof ImportError)) throw error;
        open.problem = error.message;
      }
      const { path, modified } = open.file;
      this.#found.push({ file: `${this.#file}/${path}`, modified, trace, problem: open.problem, kit });
    }
  }

  #begin(file: ArchiveFile): void {
    const path = `${this.#file}/${file.path}`;
    const many = ++this.#count > MOST_FILES;
    const folder = many ? undefined : folderOf(file.path);
    this.#gathers = folder !== undefined;
    if (folder !== undefined) {
      this.#gathering.begin(path, `${this.#file}/${folder}`, file.modified);
      return;
    }
    const run = many ? undefined : new ImportRun(path, undefined, undefined, this.#helpers);
    const problem = run === undefined ? `not looked at: the archive holds more than ${MOST_FILES} files` : undefined;
    this.#open = { file, run, kit: new KitReader(), problem };
  }

  #data(chunk: Uint8Array): void {
    if (this.#gathers) {
      this.#gathering.push(chunk);
      return;
    }
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
    if (this.#gathers) this.#gathering.end();
    this.#gathers = false;
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
