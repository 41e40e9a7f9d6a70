import * as vscode from 'vscode';
import { say } from '../commands/handlers.ts';
import { showError, showInfo } from '../message.ts';
import type { FileSource, Platform } from '../platform.ts';
import type { Sessions } from '../sessions.ts';
import { baseName, type OpenTrace } from './entry.ts';
import type { Growing } from './growing.ts';

/** How often the size of a followed file is looked at: the editor tells of changes, but not in every file system. */
const LOOK_MS = 500;
/** Bytes at the end of what was read that are compared, to see that the file is still the same one. */
const TAIL = 256;

/** Growth shows in the size of a file. */
const NO_SIZE =
  'the system does not tell its size. Write what it gives into a file, as with cat FILE > NAME, and follow that';

/** A file that is followed while it grows. */
class Followed {
  readonly uri: vscode.Uri;
  growing: Growing;
  /** The trace that is shown until a file that begins again has its first record. */
  before: Growing | undefined;
  /** Bytes that were read, the last of them, and the file that they are of. */
  read = 0;
  tail = new Uint8Array(0);
  identity: string | undefined;
  modified = 0;
  timer: ReturnType<typeof setTimeout> | undefined;
  watcher: vscode.Disposable | undefined;
  busy = false;
  /** Something happened while it was looked at. */
  again = false;
  over = false;
  /** The file is gone, and the user was told. */
  gone = false;

  constructor(uri: vscode.Uri, growing: Growing) {
    this.uri = uri;
    this.growing = growing;
  }

  get trace(): OpenTrace {
    return this.growing.trace;
  }

  /** Whether the user looks at the end of the trace, and so wants to see what comes. */
  get atEnd(): boolean {
    const { cursor, trace } = this.trace.session;
    return cursor === trace.length - 1;
  }

  /** The trace that the user sees; the one of a file without a record if none is shown. */
  get seen(): Growing {
    return !this.growing.shown && this.before?.shown ? this.before : this.growing;
  }
}

/**
 * Follows files while they grow: reads what was appended, and nothing twice. While the cursor is not at the last event nothing is read. There are
 * timers and watchers only for files that are followed.
 */
export class Follower implements vscode.Disposable {
  readonly #platform: Platform;
  readonly #sessions: Sessions;
  readonly #log: vscode.LogOutputChannel;
  readonly #followed = new Map<string, Followed>();
  /** Files whose first reading has been asked for, but has not begun. */
  readonly #starting = new Map<string, Promise<OpenTrace>>();
  readonly #watch: vscode.Disposable;

  constructor(platform: Platform, sessions: Sessions, log: vscode.LogOutputChannel) {
    this.#platform = platform;
    this.#sessions = sessions;
    this.#log = log;
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      const one = trace && this.#followed.get(trace.uri.toString());
      if (!one) return;
      // A trace that another one of the same file takes the place of is closed, too.
      if (what === 'closed' && (one.trace === trace || !sessions.find(one.uri))) {
        this.#drop(one);
        void one.growing.end();
      }
      if (what === 'cursor' && one.trace === trace) this.#moved(one);
    });
  }

  /** Whether a file is followed, also one of which no record is there yet. */
  follows(uri: vscode.Uri): boolean {
    return this.#followed.has(uri.toString());
  }

  /** Follows a file from now on: it is read from its beginning, and its trace goes on where it ends. Throws when it cannot be read. */
  start(uri: vscode.Uri): Promise<OpenTrace> {
    const key = uri.toString();
    const known = this.#followed.get(key);
    if (known) return Promise.resolve(known.trace);
    const starting = this.#starting.get(key) ?? this.#start(uri).finally(() => this.#starting.delete(key));
    this.#starting.set(key, starting);
    return starting;
  }

  async #start(uri: vscode.Uri): Promise<OpenTrace> {
    const source = await this.#platform.openSource(uri);
    if (source.folder) throw new Error('it is a folder');
    if (source.size === undefined) throw new Error(NO_SIZE);
    const one = new Followed(uri, await this.#sessions.grow(uri, source, true));
    this.#followed.set(uri.toString(), one);
    this.#log.info(`${uri.path}: followed`);
    one.watcher = this.#watcherOf(one);
    one.busy = true;
    try {
      await this.#begin(one, source);
      // Files of /proc and /sys have bytes and the size 0.
      if (one.read > 0 && (await this.#platform.openSource(uri)).size === 0) throw new Error(NO_SIZE);
    } catch (error) {
      this.#drop(one);
      await one.growing.fail(error);
      throw error;
    } finally {
      one.busy = false;
    }
    this.#later(one);
    return one.trace;
  }

  /** Follows a file no more: what was read of it is brought to its end. */
  async stop(uri: vscode.Uri): Promise<void> {
    const one = this.#followed.get(uri.toString());
    if (!one) return;
    this.#drop(one);
    this.#log.info(`${uri.path}: not followed any more`);
    const { seen } = one;
    const now = await this.#platform.openSource(uri).catch(() => undefined);
    const whole = seen === one.growing && now?.identity === one.identity && now?.size === one.read;
    await Promise.all([seen.end(whole ? now : undefined), ...(seen === one.growing ? [] : [one.growing.end()])]);
  }

  /** Looks at a followed file now; resolves when what was there is read. */
  async look(uri: vscode.Uri): Promise<void> {
    const one = this.#followed.get(uri.toString());
    if (one) await this.#look(one);
  }

  dispose(): void {
    for (const one of [...this.#followed.values()]) this.#drop(one);
    this.#watch.dispose();
  }

  #drop(one: Followed): void {
    one.over = true;
    clearTimeout(one.timer);
    one.timer = undefined;
    one.watcher?.dispose();
    if (this.#followed.get(one.uri.toString()) === one) this.#followed.delete(one.uri.toString());
  }

  #watcherOf(one: Followed): vscode.Disposable {
    // The name is a pattern: what has a meaning there stands for any character.
    const name = baseName(one.uri).replaceAll(/[*?{}[\],!]/g, '?');
    const pattern = new vscode.RelativePattern(vscode.Uri.joinPath(one.uri, '..'), name);
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    const changed = (): void => void this.#look(one);
    watcher.onDidChange(changed);
    watcher.onDidCreate(changed);
    return watcher;
  }

  /** The user moved the cursor: away from the end to look at something, or to the end to see what comes. */
  #moved(one: Followed): void {
    one.growing.pause(!one.atEnd);
    if (one.atEnd && !one.busy && one.timer === undefined) void this.#look(one);
  }

  #later(one: Followed): void {
    clearTimeout(one.timer);
    one.timer = undefined;
    if (one.over || !one.atEnd) return;
    one.timer = setTimeout(() => void this.#look(one), LOOK_MS);
  }

  /** Reads what was appended. */
  async #look(one: Followed): Promise<void> {
    if (one.over) return;
    if (one.busy) {
      one.again = true;
      return;
    }
    clearTimeout(one.timer);
    one.timer = undefined;
    if (!one.atEnd) return;
    one.busy = true;
    try {
      do {
        one.again = false;
        await this.#readMore(one);
      } while (one.again && !one.over && one.atEnd);
    } catch (error) {
      this.#fail(one, error);
    } finally {
      one.busy = false;
      this.#later(one);
    }
  }

  async #readMore(one: Followed): Promise<void> {
    const source = await this.#platform.openSource(one.uri).catch(() => undefined);
    if (one.over) return;
    if (source === undefined || source.folder) {
      if (!one.gone) say(`${baseName(one.uri)} is gone; it is read again when it comes back`);
      one.gone = true;
      return;
    }
    one.gone = false;
    const { size = 0, modified, identity } = source;
    const other = identity !== one.identity || size < one.read;
    if (!other && size === one.read && modified === one.modified) return;
    one.modified = modified;
    if (!other && (await this.#append(one, source))) return;
    if (!one.over) await this.#restart(one, source);
  }

  /** Reads what is new; false when the file does not go on from what was read. */
  async #append(one: Followed, source: FileSource): Promise<boolean> {
    const { length } = one.tail;
    let skip = length;
    for await (const chunk of source.chunks(one.read - length)) {
      if (one.over) return true;
      // A piece is never shorter than the bytes that are compared, unless the file is.
      if (skip > 0 && (chunk.length < skip || one.tail.some((byte, i) => chunk[i] !== byte))) return false;
      const fresh = chunk.subarray(skip);
      skip = 0;
      if (fresh.length === 0) continue;
      this.#take(one, fresh);
      one.growing.settle();
    }
    return skip === 0;
  }

  /** Reads a file from its beginning. */
  async #begin(one: Followed, source: FileSource): Promise<void> {
    one.read = 0;
    one.tail = new Uint8Array(0);
    one.identity = source.identity;
    one.modified = source.modified;
    for await (const chunk of source.chunks()) {
      if (one.over) return;
      this.#take(one, chunk);
    }
    if (!one.over) one.growing.settle();
  }

  #take(one: Followed, chunk: Uint8Array): void {
    one.growing.feed(chunk);
    one.read += chunk.length;
    const both = new Uint8Array(one.tail.length + Math.min(chunk.length, TAIL));
    both.set(one.tail);
    both.set(chunk.subarray(Math.max(0, chunk.length - TAIL)), one.tail.length);
    one.tail = chunk.length >= TAIL ? chunk.slice(chunk.length - TAIL) : both.slice(Math.max(0, both.length - TAIL));
  }

  /** The file was cut, or another one took its name: its trace begins again. */
  async #restart(one: Followed, source: FileSource): Promise<void> {
    const name = baseName(one.uri);
    const why = source.identity !== one.identity ? 'replaced by another file' : 'truncated';
    this.#log.info(`${one.uri.path}: ${why}, read from its beginning`);
    void showInfo(`${name} was ${why}. It is read from its beginning and followed.`);
    const { seen } = one;
    one.growing = await this.#sessions.grow(one.uri, source, false);
    one.before = seen;
    if (!one.over) await this.#begin(one, source);
    else await one.growing.end();
  }

  #fail(one: Followed, error: unknown): void {
    this.#drop(one);
    const text = error instanceof Error ? error.message : String(error);
    this.#log.error(`${one.uri.path}: ${text}`);
    void showError(`${baseName(one.uri)} is not followed any more: ${text.replace(/\.?$/, '.')}`);
    const { seen, growing } = one;
    void seen.fail(error);
    if (seen !== growing) void growing.fail(error);
  }
}
