import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { isSessionFile, readSessionFile } from '../../session/session-file.ts';
import { filesIn, isFile, refusal } from '../read.ts';

/** What becomes one trace: a file, an archive, a session file, or a folder that is one capture. */
export interface Capture {
  /** Its path in the folder of captures, with slashes. */
  readonly name: string;
  readonly path: string;
}

/** The captures of a folder, and the folders in it that cannot be read. */
export interface Captures {
  readonly all: readonly Capture[];
  readonly unread: readonly { readonly trace: string; readonly problem: string }[];
  /** Names of the files in it that are part of a session file, and so no captures of their own. */
  readonly inSessions: ReadonlySet<string>;
}

/** The extension of session files, by which they are looked for. */
const SESSION = '.irqsession';

/** The file that makes a folder one capture. */
const KIT = 'kit.json';

/**
 * The captures in a folder, in the order of their paths. A folder is one capture when the capture kit wrote it, or when `folders` names
 * it; else each of its files is one, but for those that a session file lists. `leave`: paths that are no captures. Hidden files and
 * folders are left out; links to files are followed, those to folders are not.
 */
export async function capturesIn(
  root: string,
  folders: { has(name: string): boolean },
  leave: readonly string[],
): Promise<Captures> {
  const left = new Set(leave.map((path) => resolve(path)));
  const found: Capture[] = [];
  const unread: { trace: string; problem: string }[] = [];
  const listed = new Set<string>();
  const nameOf = (path: string): string => relative(root, path).split(sep).join('/') || basename(resolve(root));
  const look = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      const failure = refusal(folder, error);
      if (folder === root) throw failure;
      unread.push({ trace: nameOf(folder), problem: failure.message });
      return [];
    });
    if (entries.some((entry) => entry.name === KIT && entry.isFile()) || folders.has(nameOf(folder))) {
      found.push({ name: nameOf(folder), path: folder });
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || left.has(resolve(path))) continue;
      if (entry.isDirectory()) await look(path);
      else if (await isFile(entry, path)) {
        found.push({ name: nameOf(path), path });
        if (entry.name.endsWith(SESSION)) for (const source of await sourcesOf(path)) listed.add(source);
      }
    }
  };
  await look(root);
  const isPart = ({ path }: Capture): boolean => listed.has(resolve(path));
  const inSessions = new Set(found.filter(isPart).map(({ name }) => name));
  return { all: found.filter((capture) => !isPart(capture)), unread, inSessions };
}

/** The files that a session lists; none where it cannot be read: that is said when it is opened. */
async function sourcesOf(path: string): Promise<string[]> {
  try {
    const text = await readFile(path, 'utf8');
    if (!isSessionFile(text)) return [];
    return readSessionFile(text).sources.map(({ file }) => resolve(path, '..', file));
  } catch {
    return [];
  }
}

/** How large a capture is and when it changed last, in milliseconds since 1970; of a folder, over all that is in it. */
export async function stampOf(path: string): Promise<{ readonly bytes: number; readonly modified: number }> {
  const about = await stat(path);
  if (!about.isDirectory()) {
    const more = path.endsWith(SESSION) ? await sourcesOf(path) : [];
    const stats = await Promise.all(more.map((file) => stat(file).catch(() => undefined)));
    return sum([about, ...stats.filter((each) => each !== undefined)]);
  }
  return sum(await Promise.all((await filesIn(path)).map((file) => stat(file))));
}

const sum = (all: readonly { readonly size: number; readonly mtimeMs: number }[]) => ({
  bytes: all.reduce((bytes, { size }) => bytes + size, 0),
  modified: all.reduce((latest, { mtimeMs }) => Math.max(latest, mtimeMs), 0),
});
