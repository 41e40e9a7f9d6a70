import { type FileHandle, open, stat } from 'node:fs/promises';
import { ImportError, ImportRun } from '../import/run.ts';
import type { Trace } from '../trace/trace.ts';
import { Failure } from './failure.ts';
import type { Progress } from './progress.ts';

/** The name of standard input. */
export const STDIN = '-';

const CHUNK = 1 << 20;
/** Signals that end the program. */
const ENDING = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'this is a directory; directories of snapshots are not read yet: give a trace file in it',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many files are open',
};

/** What a failed system call means for the user. */
function refusal(file: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(`${file}: ${(code === undefined ? undefined : ADVICE[code]) ?? message}`);
}

/** Reads a source chunk by chunk into a trace; throws Failure when that is not possible. */
export async function readTrace(file: string, progress: Progress): Promise<Trace> {
  if (file === '') throw new Failure('the name of FILE is empty');
  const run = new ImportRun(file);
  try {
    await (file === STDIN ? readStdin(run, progress) : readFile(file, run, progress));
    return run.end();
  } catch (error) {
    if (error instanceof ImportError) throw new Failure(`${nameOf(file)}: ${error.message}`);
    throw error;
  } finally {
    progress.erase();
  }
}

/** A source as messages call it. */
export const nameOf = (file: string): string => (file === STDIN ? 'standard input' : file);

async function readStdin(run: ImportRun, progress: Progress): Promise<void> {
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

async function readFile(file: string, run: ImportRun, progress: Progress): Promise<void> {
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

async function readChunks(file: string, handle: FileHandle, run: ImportRun, progress: Progress): Promise<void> {
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
