/** Files that commands write: the old file stays until the new one is whole. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, constants, type FileHandle, open, readlink, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { byName } from '../base/by-name.ts';
import { Failure } from './failure.ts';

/** What a failed system call means for someone who writes a file. */
const WRITING: Readonly<Record<string, string>> = byName({
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
  EISDIR: 'this is a directory; give the name of a file',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed',
  EPIPE: 'its reader has ended',
  ENXIO: 'nothing can be written there',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  ETXTBSY: 'the file is a program that runs',
  EIO: 'the device reports an error',
});

/** The Failure for what the system said when a file was written; other errors come back as they are. */
export function writeFailure(name: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  return new Failure(`${name}: ${WRITING[String(error.code)] ?? error.message}`);
}

/** Files that are not whole yet; a program that ends early takes them away. */
const halfFiles = new Set<string>();

/** Takes away all files that are not whole; for the end of the program, whatever ends it. */
export function removeHalfFiles(): void {
  for (const path of halfFiles) rmSync(path, { force: true });
  halfFiles.clear();
}

/** Where a name leads: links are followed, also one to a file that does not exist yet. */
async function targetOf(name: string): Promise<string> {
  let path = resolve(name);
  for (let links = 0; links < 40; links++) {
    const next = await readlink(path).catch(() => undefined);
    if (next === undefined) break;
    path = isAbsolute(next) ? next : join(dirname(path), next);
  }
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return join(folder, basename(path));
}

/** The file beside a target. */
interface Beside {
  readonly path: string;
  readonly target: string;
}

/**
 * A file that is being written. A regular file is written beside its target and takes its place when it is whole, so that the old one
 * stays whatever happens; anything else (a pipe, a device) is written directly.
 */
export class OutFile {
  readonly #name: string;
  readonly #handle: FileHandle;
  /** The file beside the target, and the target; undefined for what is written directly. */
  readonly #beside: Beside | undefined;
  #waiting: Uint8Array[] = [];

  private constructor(name: string, handle: FileHandle, beside: Beside | undefined) {
    this.#name = name;
    this.#handle = handle;
    this.#beside = beside;
  }

  /** Opens a file for writing; throws Failure when that is not possible. */
  static async open(name: string): Promise<OutFile> {
    if (name === '') throw new Failure('--out needs the name of a file');
    try {
      const about = await stat(name).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (about?.isDirectory() || /[/\\]$/.test(name))
        throw Object.assign(new Error(), { code: 'EISDIR', syscall: 'open' });
      // What /dev and /proc name is a stream of this program: the name leads to it, not to the file behind it.
      if (about && (!about.isFile() || /^\/(dev|proc)\//.test(resolve(name))))
        return new OutFile(name, await open(name, 'w'), undefined);
      const target = await targetOf(name);
      if (about) await access(target, constants.W_OK);
      const path = join(dirname(target), `.irqscope-${process.pid}-${randomBytes(4).toString('hex')}.part`);
      halfFiles.add(path);
      const handle = await open(path, 'wx', about ? about.mode & 0o777 : 0o666).catch((error: unknown) => {
        halfFiles.delete(path);
        throw error;
      });
      if (about) await handle.chmod(about.mode & 0o777).catch(() => {});
      return new OutFile(name, handle, { path, target });
    } catch (error) {
      throw writeFailure(name, error);
    }
  }

  /** Adds bytes, which are copied; `drain` hands them on. */
  add(bytes: Uint8Array): void {
    this.#waiting.push(bytes.slice());
  }

  /** Waits until the system took all bytes. */
  async drain(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      for (const bytes of waiting)
        for (let at = 0; at < bytes.length; )
          at += (await this.#handle.write(bytes, at, bytes.length - at)).bytesWritten;
    } catch (error) {
      throw writeFailure(this.#name, error);
    }
  }

  /** The file is whole: it takes the place of its target. */
  async finish(): Promise<void> {
    await this.drain();
    try {
      // Some errors of a disk come only now. Not every file system can do it.
      if (this.#beside) await this.#handle.sync().catch(ignoreUnsupported);
      await this.#handle.close();
      if (!this.#beside) return;
      await rename(this.#beside.path, this.#beside.target);
      halfFiles.delete(this.#beside.path);
    } catch (error) {
      throw writeFailure(this.#name, error);
    }
  }

  /** The file will not be whole: what was written beside the target goes away. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => {});
    if (!this.#beside || !halfFiles.delete(this.#beside.path)) return;
    rmSync(this.#beside.path, { force: true });
  }
}

function ignoreUnsupported(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP' && error.code !== 'ENOSYS') throw error;
}

/** Writes a file with a function that adds to it; the old file stays unless that function and the writing succeed. */
export async function writeFileWhole<T>(name: string, write: (file: OutFile) => Promise<T>): Promise<T> {
  const file = await OutFile.open(name);
  try {
    const result = await write(file);
    await file.finish();
    return result;
  } catch (error) {
    await file.abandon();
    throw error;
  }
}
