import * as vscode from 'vscode';
import { nanoseconds } from '../../import/files/seconds.ts';
import { isSessionFile, type SessionFile, type SessionSource, settingsFor } from '../../session/session-file.ts';
import { breathe, type FileSource, type Platform } from '../platform.ts';
import { finish } from '../views/slices.ts';
import type { GivenSource, OpenFile, OpenTrace } from './entry.ts';
import { namesFor } from './names.ts';

/** Files of a folder that are looked at, as in archives. */
const MOST_FILES = 20_000;
/** Milliseconds of work before other work of the editor has its turn. */
const SLICE_MS = 12;
/** Characters in which a session file shows that it is one. */
const SESSION_HEAD = 512;

/** What the user opens: a file, folder or archive, and what is known of it. */
export type Wanted = { readonly uri: vscode.Uri } & Omit<SessionSource, 'file'>;

/** Thrown when reading was cancelled before any of the trace was read. */
export class Cancelled extends Error {}

/** Hears how far the reading of several files has come. */
export interface Reading {
  readonly token: vscode.CancellationToken | undefined;
  /** The name of the file that is being read, and how many bytes were read so far. */
  readonly at: (file: string, bytes: number) => void;
}

/** What the first bytes of a file say that it is. */
export async function kindOf(first: Uint8Array): Promise<'archive' | 'session' | 'trace'> {
  if (isSessionFile(new TextDecoder().decode(first.subarray(0, SESSION_HEAD)))) return 'session';
  const { isArchive } = await import('../../import/files/file-run.ts');
  return isArchive(first) ? 'archive' : 'trace';
}

/** The bytes of a source, and its first piece beforehand; `close` when the rest is not wanted. */
export async function peek(source: FileSource): Promise<{
  readonly first: Uint8Array;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}> {
  const chunks = source.chunks()[Symbol.asyncIterator]();
  const next = await chunks.next();
  const first = next.done ? new Uint8Array(0) : next.value;
  async function* all(): AsyncIterable<Uint8Array> {
    try {
      if (next.done) return;
      yield first;
      for (let more = await chunks.next(); !more.done; more = await chunks.next()) yield more.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { first, chunks: all(), close: async () => void (await chunks.return?.()) };
}

/** All bytes of a file as text; for session files, which are small. */
export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** The sources of a session file, which lie beside it. */
export const wantedIn = (session: SessionFile, file: vscode.Uri): Wanted[] =>
  session.sources.map(({ file: path, ...said }) => ({
    ...said,
    uri: /^[a-z][\w+.-]+:\/\//i.test(path)
      ? vscode.Uri.parse(path)
      : path.startsWith('/')
        ? file.with({ path })
        : /^[a-z]:[\\/]/i.test(path)
          ? vscode.Uri.file(path)
          : vscode.Uri.joinPath(file, '..', path),
  }));

/** Goes where the user of a session was: to the cursor, with the bookmarks and the lanes. */
export function goBack({ session }: OpenTrace, { bookmarks, lanes, cursor }: SessionFile): void {
  if (bookmarks !== undefined) {
    const checkpoints = bookmarks.map(({ step, name }) => ({ step, name: name ?? `step ${step}` }));
    session.stops.restore({ breakpoints: session.stops.breakpoints, checkpoints });
  }
  if (lanes !== undefined) session.arrangeLanes(lanes);
  if (cursor !== undefined) session.move({ to: 'step', step: cursor });
}

/** Reads files, folders and archives, besides those that are there already. One that cannot be read fails all; a file in a folder or an archive only says why. */
export async function readFiles(
  platform: Platform,
  wanted: readonly Wanted[],
  there: readonly OpenFile[],
  reading: Reading,
): Promise<OpenFile[]> {
  const names = namesFor(
    wanted.map(({ uri }) => uri.path),
    new Set(there.map(({ given }) => given.name)),
  );
  const before = Math.max(-1, ...there.map(({ from }) => from)) + 1;
  const found: OpenFile[] = [];
  for (const [i, { uri, ...said }] of wanted.entries()) {
    const source = await platform.openSource(uri);
    const read = source.folder
      ? await readFolder(platform, uri, names[i]!, reading)
      : await readOne(uri, names[i]!, source, reading);
    for (const file of read) found.push(withSettings({ ...file, from: before + i }, { file: '', ...said }));
  }
  return found;
}

/** A file that was read, before what the user says of it. */
type Read = Omit<OpenFile, 'system' | 'vantage' | 'offset' | 'said' | 'skipped' | 'from'>;

/** Adds what the user says of a source to a file that was read from it. */
function withSettings(file: Read & { readonly from: number }, source: SessionSource): OpenFile {
  const { skip, ...said } = settingsFor(source, file.file);
  const system = said.system === '' ? undefined : said.system;
  return { ...file, ...saidOf({ ...said, system }), skipped: skip === true };
}

/** What a user says of a file, as the file holds it. */
export function saidOf({
  system,
  vantage,
  offset,
}: OpenFile['said']): Pick<OpenFile, 'said' | 'system' | 'vantage' | 'offset'> {
  const said = {
    ...(system === undefined ? {} : { system }),
    ...(vantage === undefined ? {} : { vantage }),
    ...(offset === undefined ? {} : { offset }),
  };
  return { said, system, vantage, offset: offset === undefined ? undefined : nanoseconds(offset) };
}

/** Reads a file; an archive with all its files. Throws ImportError when it is no trace. */
async function readOne(uri: vscode.Uri, name: string, source: FileSource, reading: Reading): Promise<Read[]> {
  const { FileRun } = await import('../../import/files/file-run.ts');
  // When a file of this machine was changed says nothing of when it was recorded.
  const run = new FileRun(name);
  const wanted = (): boolean => reading.token?.isCancellationRequested !== true;
  const slicing = { ms: SLICE_MS, wanted };
  for await (const chunk of source.chunks()) {
    await finish(run.pushing(chunk), slicing);
    if (!wanted()) throw new Cancelled('opening was cancelled');
    reading.at(name, run.bytes);
  }
  const read = await finish(run.ending(), slicing);
  if (read === undefined) throw new Cancelled('opening was cancelled');
  const archive = run.archive;
  const given: GivenSource = { uri, name, kind: archive ? 'archive' : 'file' };
  // In an archive the order of the paths, like in a folder.
  const files = archive ? read.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0)) : read;
  return files.map((file) => ({
    ...file,
    given,
    uri: file.file === name ? uri : vscode.Uri.joinPath(uri, file.file.slice(name.length + 1)),
    asked: file.file === name,
  }));
}

/** The bytes of a file that was read, once more, also of one in an archive. */
export const bytesAgain =
  (platform: Platform) =>
  ({ given, uri, file }: OpenFile): AsyncIterable<Uint8Array> =>
    given.kind === 'archive'
      ? memberChunks(platform, given.uri, file.slice(given.name.length + 1))
      : chunksOf(platform, uri);

async function* chunksOf(platform: Platform, uri: vscode.Uri): AsyncIterable<Uint8Array> {
  yield* (await platform.openSource(uri)).chunks();
}

async function* memberChunks(platform: Platform, archive: vscode.Uri, path: string): AsyncIterable<Uint8Array> {
  const { memberOf } = await import('../../import/files/member.ts');
  yield* memberOf(chunksOf(platform, archive), path);
}

/** Reads the files of a folder and below it. */
async function readFolder(platform: Platform, uri: vscode.Uri, name: string, reading: Reading): Promise<Read[]> {
  const { ImportError } = await import('../../import/run.ts');
  const { folderOf, Gathering } = await import('../../import/files/gathered.ts');
  const gathering = new Gathering();
  const given: GivenSource = { uri, name, kind: 'folder' };
  const found: Read[] = [];
  const paths = await filesIn(uri, reading.token);
  if (paths.length === 0) throw new ImportError('the folder holds no file');
  const wanted = (): boolean => reading.token?.isCancellationRequested !== true;
  for (const path of paths) {
    if (!wanted()) throw new Cancelled('opening was cancelled');
    const file = vscode.Uri.joinPath(uri, path);
    const full = `${name}/${path}`;
    const together = folderOf(path);
    try {
      const source = await platform.openSource(file);
      if (together !== undefined) {
        gathering.begin(full, `${name}/${together}`, undefined);
        for await (const chunk of source.chunks()) gathering.push(chunk);
        gathering.end();
        reading.at(full, 0);
        continue;
      }
      for (const read of await readOne(file, full, source, reading)) found.push({ ...read, given, asked: false });
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      found.push({ file: full, modified: undefined, trace: undefined, problem, asked: false, given, uri: file });
    }
    await breathe();
  }
  const folders = await finish(gathering.ending(), { ms: SLICE_MS, wanted });
  if (folders === undefined) throw new Cancelled('opening was cancelled');
  for (const read of folders)
    found.push({ ...read, given, asked: false, uri: vscode.Uri.joinPath(uri, read.file.slice(name.length + 1)) });
  return found.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
}

/** The paths of the files in a folder and below it, in their order. Links are not followed. */
async function filesIn(folder: vscode.Uri, token: vscode.CancellationToken | undefined): Promise<string[]> {
  const files: string[] = [];
  const folders = [''];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    if (token?.isCancellationRequested) throw new Cancelled('opening was cancelled');
    const reading = Promise.resolve(vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(folder, below)));
    // A folder below that cannot be listed does not fail the others.
    const entries = await (below === '' ? reading : reading.catch(() => []));
    for (const [name, type] of entries) {
      const path = below === '' ? name : `${below}/${name}`;
      if (type === vscode.FileType.Directory) folders.push(path);
      else if (type === vscode.FileType.File) files.push(path);
    }
    if (files.length > MOST_FILES) throw new Error(`it holds more than ${MOST_FILES} files; open a smaller folder`);
  }
  return files.sort();
}
