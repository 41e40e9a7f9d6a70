import { createReadStream, type Dirent, statSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile as readFileWhole, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { byName } from '../base/by-name.ts';
import type { FileRead } from '../import/files/file-read.ts';
import { FileRun } from '../import/files/file-run.ts';
import type { Gathering } from '../import/files/gathered.ts';
import { memberOf } from '../import/files/member.ts';
import { ImportError } from '../import/run.ts';
import type { Trace } from '../trace/trace.ts';
import { Failure, NoTrace } from './failure.ts';
import type { Progress } from './progress.ts';
import { helpers } from './threads.ts';

/** The name of standard input. */
export const STDIN = '-';

const CHUNK = 1 << 20;
/** Signals that end the program. */
const ENDING = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

const ADVICE: Readonly<Record<string, string>> = byName({
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'this is a directory; give a file in it',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many files are open',
});

/** What a failed system call means for the user. */
export function refusal(file: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(`${file}: ${(code === undefined ? undefined : ADVICE[code]) ?? message}`);
}

/** Reads one file chunk by chunk into a trace; throws Failure when that is not possible. */
export async function readTrace(file: string, progress: Progress): Promise<Trace> {
  const [read, ...more] = await readFileOrArchive(file, progress);
  if (read?.trace !== undefined && more.length === 0) return read.trace;
  if (read?.kit !== undefined && more.length === 0) throw new Failure(`${nameOf(file)}: ${read.problem}`);
  throw new Failure(`${nameOf(file)}: this is an archive of several files; unpack it and give one of them`);
}

/** Whether a name is that of a folder. */
export async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isDirectory() === true;
}

/** The first bytes of a regular file as text; undefined for anything else. */
export async function readHead(file: string): Promise<string | undefined> {
  const about = await stat(file).catch(() => undefined);
  if (about?.isFile() !== true) return undefined;
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const buffer = new Uint8Array(HEAD);
    const { bytesRead } = await handle.read(buffer, 0, HEAD, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Bytes in which a session file shows that it is one. */
const HEAD = 512;

/** Files of a folder that are looked at. */
const MOST_FILES = 20_000;

/** An entry of a folder is a file, or a link to one; a link that leads nowhere is none. */
export async function isFile(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** Those of the links in a folder that lead to files which nothing else of the folder is. */
async function linkedFiles(found: readonly Dirent[], files: readonly string[]): Promise<string[]> {
  const links = found.filter((entry) => entry.isSymbolicLink());
  if (links.length === 0) return [];
  const known = new Set(await Promise.all(files.map((path) => realpath(path).catch(() => path))));
  const linked: string[] = [];
  for (const path of links.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    const target = await realpath(path).catch(() => undefined);
    if (target === undefined || known.has(target) || !(await stat(target)).isFile()) continue;
    known.add(target);
    linked.push(path);
  }
  return linked;
}

/**
 * The files in a folder and below it, in the order of their paths. Links to files elsewhere are followed, each file once;
 * links to folders are not.
 */
export async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw refusal(folder, error);
  });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  files.push(...(await linkedFiles(found, files)));
  if (files.length > MOST_FILES) throw new Failure(`${folder}: more than ${MOST_FILES} files; give a smaller folder`);
  return files.sort();
}

/** Reads a file chunk by chunk, an archive with all its files; throws Failure when that is not possible. */
export async function readFileOrArchive(file: string, progress: Progress): Promise<FileRead[]> {
  if (file === '') throw new Failure('the name of FILE is empty');
  const run = new FileRun(file, undefined, helpers);
  try {
    await (file === STDIN ? readStdin(run, progress) : readFile(file, run, progress));
    return run.end();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new (error.damaged ? Failure : NoTrace)(`${nameOf(file)}: ${error.message}`);
  } finally {
    progress.erase();
  }
}

/** Reads a file that is one of many of its folder; throws Failure. */
export async function gather(gathering: Gathering, path: string, folder: string): Promise<void> {
  const bytes = await readFileWhole(path).catch((error: unknown) => {
    throw refusal(path, error);
  });
  gathering.begin(path, folder, undefined);
  gathering.push(bytes);
  gathering.end();
}

/** The bytes of a file that was read, once more; of one in an archive, by the path of the archive and its own. Undefined where they are gone: standard input. */
export function bytesAgain({ file }: { readonly file: string }): AsyncIterable<Uint8Array> | undefined {
  for (let path = file; path !== '' && path !== '.'; path = dirname(path)) {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
      const chunks = createReadStream(path, { highWaterMark: CHUNK });
      return path === file ? chunks : memberOf(chunks, file.slice(path.length + 1));
    }
    if (dirname(path) === path) break;
  }
  return undefined;
}

/** A source as messages call it. */
export const nameOf = (file: string): string => (file === STDIN ? 'standard input' : file);

async function readStdin(run: FileRun, progress: Progress): Promise<void> {
  progress.begin(nameOf(STDIN), undefined);
  const chunks = process.stdin[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((error: unknown) => {
      throw refusal(nameOf(STDIN), error);
    });
    if (next.done) return;
    run.push(next.value as Uint8Array);
    progress.at(run.bytes);
  }
}

async function readFile(file: string, run: FileRun, progress: Progress): Promise<void> {
  const refuse = (error: unknown): never => {
    throw refusal(file, error);
  };
  const about = await stat(file).catch(refuse);
  if (about.isDirectory()) refuse({ code: 'EISDIR' });
  // A normal exit would wait for a pipe that has no writer; ending by the signal does not.
  const listeners = about.isFile() ? [] : ENDING.map((signal) => [signal, process.listeners(signal)] as const);
  for (const [signal] of listeners) process.removeAllListeners(signal);
  const handle = await open(file, 'r').catch(refuse);
  try {
    progress.begin(file, about.isFile() ? about.size : undefined);
    await readChunks(file, handle, run, progress);
  } finally {
    await handle.close();
    for (const [signal, list] of listeners) for (const listener of list) process.on(signal, listener);
  }
}

async function readChunks(file: string, handle: FileHandle, run: FileRun, progress: Progress): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, null).catch((error: unknown) => {
      throw refusal(file, error);
    });
    if (bytesRead === 0) return;
    run.push(buffer.subarray(0, bytesRead));
    progress.at(run.bytes);
  }
}
