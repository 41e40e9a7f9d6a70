/**
 * Files of /proc, /sys and debugfs of which each irq has some of its own: thousands of them hold a line or two. All of one folder are one source,
 * as `head -v` prints them: a line with the path in front of each.
 */
import { LF } from '../../base/bytes.ts';
import type { Slices } from '../../base/slices.ts';
import { ImportError, ImportRun } from '../run.ts';
import { placeOfPath, type SnapshotFormat } from '../snapshot/place.ts';
import type { FileRead } from './file-read.ts';

/** Formats whose files each tell of one irq, domain or function. */
const EACH: ReadonlySet<SnapshotFormat> = new Set<SnapshotFormat>(['proc-irq', 'irq-sysfs', 'msi-irqs', 'irq-debugfs']);
/** The folder that all of them lie below; of msi_irqs, that of the functions. */
const FOLDER =
  /^(.*?(?:(?:^|\/)proc\/irq|(?:^|\/)kernel\/irq|(?:^|[/_])irq(?=\/(?:irqs|domains)\/)|(?:^|\/)devices(?=\/.*\/msi_irqs\/)))\//;

/**
 * The folder whose files are read as one source with the file at a path; undefined for files that are sources of their own. Paths have slashes.
 */
export function folderOf(path: string): string | undefined {
  const place = placeOfPath(path);
  // A heading ends at the first blank.
  if (place === undefined || !EACH.has(place.format) || /\s/.test(path)) return undefined;
  return FOLDER.exec(path)?.[1];
}

/** A folder that is being read. */
interface Folder {
  readonly run: ImportRun;
  modified: number | undefined;
  files: number;
  problem: string | undefined;
}

/** Gathers the files of such folders. */
export class Gathering {
  readonly #folders = new Map<string, Folder>();
  #open: Folder | undefined;
  #last = LF;

  /** A file begins that `folderOf` knows; `modified`: when it was changed, in milliseconds since 1970. */
  begin(path: string, folder: string, modified: number | undefined): void {
    let open = this.#folders.get(folder);
    if (open === undefined) {
      open = { run: new ImportRun(folder), modified, files: 0, problem: undefined };
      this.#folders.set(folder, open);
    }
    open.files++;
    if (modified !== undefined) open.modified = Math.max(open.modified ?? modified, modified);
    this.#open = open;
    this.#last = LF;
    this.push(new TextEncoder().encode(`==> ${path} <==\n`));
  }

  /** More bytes of that file. */
  push(chunk: Uint8Array): void {
    const open = this.#open;
    if (open === undefined || open.problem !== undefined || chunk.length === 0) return;
    this.#last = chunk.at(-1)!;
    try {
      open.run.push(chunk);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      open.problem = error.message;
    }
  }

  /** That file has ended. */
  end(): void {
    if (this.#last !== LF) this.push(new Uint8Array([LF]));
    this.#open = undefined;
  }

  /** All files have ended: what their folders tell, in slices. */
  *ending(): Slices<FileRead[]> {
    const found: FileRead[] = [];
    for (const [file, { run, modified, files, problem }] of this.#folders) {
      const about = { file, modified, files };
      try {
        if (problem === undefined) found.push({ ...about, trace: yield* run.ending(), problem });
        else found.push({ ...about, trace: undefined, problem });
      } catch (error) {
        if (!(error instanceof ImportError)) throw error;
        found.push({ ...about, trace: undefined, problem: error.message });
      }
    }
    return found;
  }
}
