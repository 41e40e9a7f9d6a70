import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { whole } from '../base/slices.ts';
import { chooseFiles, type GivenFile, isCalled, type TraceFile } from '../import/files/choose.ts';
import { type FileRead, whyNone } from '../import/files/file-read.ts';
import { folderOf, Gathering } from '../import/files/gathered.ts';
import type { Kit } from '../import/files/kit.ts';
import { withPieces } from '../import/files/pieces.ts';
import { nanoseconds } from '../import/files/seconds.ts';
import { type JoinPart, joinTraces } from '../import/join/join.ts';
import {
  isSessionFile,
  readSessionFile,
  type SessionFile,
  SessionFileError,
  settingsFor,
} from '../session/session-file.ts';
import type { Trace } from '../trace/trace.ts';
import { misused } from './command.ts';
import { Failure, NoTrace } from './failure.ts';
import type { Progress } from './progress.ts';
import { bytesAgain, filesIn, gather, isFolder, readFileOrArchive, readHead, STDIN } from './read.ts';

/** The options of every command that takes one FILE: what joins other sources to it. */
export const INPUT_OPTIONS = {
  with: { type: 'string', multiple: true },
  offset: { type: 'string', multiple: true },
} as const;

/** What the user gave for these options. */
export interface InputValues {
  readonly with?: readonly string[] | undefined;
  readonly offset?: readonly string[] | undefined;
}

/** Their part of a command's `--help`. */
export const INPUT_HELP = `  --with [SYSTEM=]FILE
               joins another source: one trace, one clock, one state; may be given several times
               (SYSTEM=FILE also names the system of the first)
  --offset SOURCE=SECONDS
               what is added to the times of a source (by its base name) to get those of the first one`;

/** A source as the user wrote it. */
interface Named {
  readonly file: string;
  readonly system: string | undefined;
}

/** What a command is asked about: one trace, and the files that are no part of it. */
export interface Input {
  readonly trace: Trace;
  /** Files whose records another one holds, too. */
  readonly duplicates: readonly { readonly trace: Trace; readonly of: string }[];
  /** What the capture kit wrote beside its recordings. */
  readonly kits: readonly Kit[];
  /** Files of a folder or archive that are no trace, with the reason. */
  readonly unread: readonly FileRead[];
}

/** Reads what a command is asked about: a file, a folder or an archive, joined with those of `--with`; throws Failure. */
export async function readInput(
  command: string,
  text: string,
  values: InputValues,
  progress: Progress,
): Promise<Trace> {
  return (await readInputs(command, text, values, progress)).trace;
}

/** The same, with the files that are no part of it. */
export async function readInputs(
  command: string,
  text: string,
  values: InputValues,
  progress: Progress,
): Promise<Input> {
  const named = [text, ...(values.with ?? [])].map(namedFile);
  const offsets = new Map((values.offset ?? []).map((offset) => offsetOf(command, offset)));
  const read: GivenFile[] = [];
  for (const source of named) {
    const before = read.length;
    for (const file of await readNamed(source, progress)) read.push({ ...file, from: before + file.from });
  }
  const chosen = whole(chooseFiles(await withPieces(read, bytesAgain)));
  if (chosen === undefined) throw noTrace(text, read);
  const byHand = new Map<TraceFile, bigint>();
  for (const [name, offset] of offsets) byHand.set(calledBy(command, name, chosen.parts), offset);
  const parts: JoinPart[] = chosen.parts.map((part) => {
    const { trace, system, vantage, taken } = part;
    return { trace, system, vantage, offset: byHand.get(part) ?? part.offset, taken };
  });
  if (parts[0]!.offset !== undefined)
    throw misused(
      command,
      `--offset: the clock of ${chosen.parts[0]!.file} is that of the trace; give an offset to another source`,
    );
  return {
    trace: joinTraces(parts),
    duplicates: chosen.duplicates.map(({ file, of }) => ({ trace: file.trace, of })),
    kits: chosen.kits,
    unread: chosen.unread,
  };
}

/** Reads what the user names: a session file stands for the sources that it lists. */
async function readNamed({ file, system }: Named, progress: Progress): Promise<GivenFile[]> {
  const session = await readSession(file);
  if (session === undefined)
    return (await readFiles(file, progress)).map((found) => ({
      ...found,
      system,
      vantage: undefined,
      offset: undefined,
      from: 0,
      asked: found.file === file,
    }));
  const all: GivenFile[] = [];
  for (const [from, source] of session.sources.entries()) {
    const target = resolve(dirname(file), source.file);
    for (const found of await readFiles(target, progress)) {
      const { system: own = system, vantage, offset, skip } = settingsFor(source, found.file);
      if (skip) continue;
      const ns = offset === undefined ? undefined : nanoseconds(offset);
      all.push({ ...found, system: own, vantage, offset: ns, from, asked: found.file === target });
    }
  }
  return all;
}

/** The session in a file; undefined where it is none. Throws Failure when it is a session that cannot be read. */
async function readSession(file: string): Promise<SessionFile | undefined> {
  const head = file === STDIN ? undefined : await readHead(file);
  if (head === undefined || !isSessionFile(head)) return undefined;
  try {
    return readSessionFile(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SessionFileError) throw new Failure(`${file}: ${error.message}`);
    throw error;
  }
}

/** Reads a file, or all files of a folder or archive. */
async function readFiles(file: string, progress: Progress): Promise<FileRead[]> {
  // An archive is read like the folder that was packed: in the order of the paths.
  if (file === STDIN || !(await isFolder(file))) return (await readFileOrArchive(file, progress)).sort(byPath);
  const all: FileRead[] = [];
  const gathering = new Gathering();
  for (const path of await filesIn(file)) {
    const folder = folderOf(path.replaceAll('\\', '/'));
    try {
      if (folder !== undefined) await gather(gathering, path, folder);
      else all.push(...(await readFileOrArchive(path, progress)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      all.push({ file: path, modified: undefined, trace: undefined, problem: reasonOf(error, path) });
    }
  }
  return [...all, ...whole(gathering.ending())].sort(byPath);
}

/** Why a file could not be read, without its name, which stands beside it. */
const reasonOf = ({ message }: Failure, file: string): string =>
  message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;

const byPath = (a: FileRead, b: FileRead): number => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);

/** The one source that is called by a name: by its whole path, or by as much of the end of it as tells it from the others. */
function calledBy(command: string, name: string, parts: readonly TraceFile[]): TraceFile {
  const whole = parts.filter(({ file }) => file === name);
  const called = whole.length > 0 ? whole : parts.filter(({ file }) => isCalled(file, name));
  const [only, other] = called;
  if (only === undefined) throw misused(command, `--offset ${name}: no source is called that`);
  if (other !== undefined)
    throw misused(command, `--offset ${name}: ${only.file} and ${other.file} are called that; give more of the path`);
  return only;
}

function noTrace(file: string, read: readonly FileRead[]): Failure {
  if (read.length === 0) return new NoTrace(`${file}: no file is in it`);
  // The archive itself is among them where it is damaged.
  const damaged = read.some(({ file: name }) => name === file);
  const why = `${file}: ${whyNone(read)}`;
  return new (damaged ? Failure : NoTrace)(why);
}

/** `SYSTEM=FILE`, or FILE alone; a file whose own name has that form is taken as it is. */
function namedFile(text: string): Named {
  const match = /^([A-Za-z][\w.-]*)=(.+)$/s.exec(text);
  if (match === null || existsSync(text)) return { file: text, system: undefined };
  return { file: match[2]!, system: match[1]! };
}

/** `SOURCE=SECONDS` of an option. */
function offsetOf(command: string, text: string): [string, bigint] {
  const match = /^(.+)=([+-]?\d+(?:\.\d{1,9})?)$/s.exec(text);
  if (match === null) throw misused(command, `--offset ${text}: expected SOURCE=SECONDS, such as guest.log=-12.5`);
  return [match[1]!, nanoseconds(match[2]!)!];
}

/** Refuses a second FILE with a hint at the option that joins. */
export const onlyOne = (command: string, files: readonly string[]): Failure =>
  files.length === 0
    ? misused(command, `${command} needs one FILE`)
    : misused(command, `${command} needs one FILE; --with FILE joins another one`);
