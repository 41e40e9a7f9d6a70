import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lakeFiles } from '../../import/export/tables/tables.ts';
import type { CaptureFacts } from '../../import/export/tables/traces.ts';
import type { Trace } from '../../trace/trace.ts';
import { Failure } from '../failure.ts';
import { OutFile, writeFailure, writeFileWhole } from '../out-file.ts';
import { fileNameOf } from './names.ts';

/** The folder of the notes on what was written. Engines skip names that begin with `_`. */
const NOTES = '_irqscope';

/** How Hive writes that a partition column is null. */
const NO_DATE = '__HIVE_DEFAULT_PARTITION__';

/** What a capture was when it was written, and the files that hold it. It is written last: with it, all of them are whole. */
export interface Note {
  readonly irqscope: string;
  readonly trace: string;
  readonly input: { readonly bytes: number; readonly modified: number };
  /** What was given for it by hand or by a manifest. */
  readonly given: CaptureFacts;
  /** Paths in the lake. */
  readonly files: readonly string[];
}

const notePath = (lake: string, trace: string): string => join(lake, NOTES, `${fileNameOf(trace)}.json`);

/** The note on a trace; undefined where there is none that can be read. */
async function readNote(lake: string, trace: string): Promise<Note | undefined> {
  try {
    const note = JSON.parse(await readFile(notePath(lake, trace), 'utf8')) as Note;
    return note.trace === trace && Array.isArray(note.files) ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a lake holds a capture as it is now, written by this version with the same facts. */
export async function isWritten(lake: string, now: Omit<Note, 'files'>): Promise<boolean> {
  const note = await readNote(lake, now.trace);
  if (note === undefined) return false;
  const { files, ...then } = note;
  if (JSON.stringify(then) !== JSON.stringify(now)) return false;
  for (const file of files) if ((await stat(join(lake, file)).catch(() => undefined))?.isFile() !== true) return false;
  return true;
}

/** Rests now and then, so that signals are noticed. */
export type Rest = () => Promise<void> | undefined;

/**
 * Writes the tables of a trace into a lake: `TABLE/date=DAY/NAME.parquet`. All files are whole before the first gets its name; those
 * that an earlier run wrote for the same trace are replaced or taken away. Throws Failure.
 */
export async function writeTrace(
  lake: string,
  trace: Trace,
  facts: CaptureFacts,
  note: Omit<Note, 'files'>,
  rest: Rest = () => undefined,
): Promise<void> {
  const before = await readNote(lake, note.trace);
  const file = `${fileNameOf(note.trace)}.parquet`;
  const day = `date=${facts.date ?? NO_DATE}`;
  const written: OutFile[] = [];
  const files: string[] = [];
  try {
    for (const { table, bytes } of lakeFiles(trace, note.trace, facts, note.irqscope)) {
      await makeFolder(join(lake, table, day));
      const out = await OutFile.open(join(lake, table, day, file));
      written.push(out);
      files.push(`${table}/${day}/${file}`);
      for (const piece of bytes) {
        if (piece.length > 0) {
          out.add(piece);
          await out.drain();
        }
        const resting = rest();
        if (resting !== undefined) await resting;
      }
    }
    for (const out of written) await out.finish();
  } catch (error) {
    for (const out of written) await out.abandon();
    throw error;
  }
  for (const old of before?.files ?? [])
    if (!files.includes(old) && isOwn(old)) await rm(join(lake, old), { force: true });
  await makeFolder(join(lake, NOTES));
  const text = `${JSON.stringify({ ...note, files }, undefined, 2)}\n`;
  await writeFileWhole(notePath(lake, note.trace), async (out) => out.add(new TextEncoder().encode(text)));
}

/** A path as `writeTrace` makes them: nothing else is taken away, whatever a note says. */
const isOwn = (path: string): boolean => /^[a-z]+\/date=[\w-]+\/[\w.-]+\.parquet$/.test(path);

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new Failure(`${path}: --out of a folder of captures is a folder, and there is a file in its place`);
    throw writeFailure(path, error);
  }
}
