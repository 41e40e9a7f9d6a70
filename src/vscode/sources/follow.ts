import type * as vscode from 'vscode';
import { say } from '../commands/handlers.ts';
import { showError, showInfo } from '../message.ts';
import type { FileSource, Platform } from '../platform.ts';
import type { Sessions } from '../sessions.ts';
import { baseName, isAtEnd, type OpenTrace } from './entry.ts';
import { FollowerOfSeveral } from './follow-several.ts';
import type { Growing } from './growing.ts';
import { Tail } from './tail.ts';
import { LOOK_MS, watchFile } from './watch-file.ts';

/** Growth shows in the size of a file. */
const NO_SIZE =
  'the system does not tell its size. Write what it gives into a file, as with cat FILE > NAME, and follow that';

/** A file that is followed while it grows. */
class Followed {
  readonly uri: vscode.Uri;
  growing: Growing;
  /** The trace that is shown until a file that begins again has its first record. */
  before: Growing | undefined;
  /** How far it was read. */
  readonly tail = new Tail();
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
    return isAtEnd(this.trace);
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
  readonly #several: FollowerOfSeveral;
  readonly #watch: vscode.Disposable;

  /** `judged`: resolves when the findings of a trace are known. */
  constructor(
    platform: Platform,
    sessions: Sessions,
    log: vscode.LogOutputChannel,
    judged?: (trace: OpenTrace) => Promise<void>,
  ) {
    this.#several = new FollowerOfSeveral(platform, sessions, log, judged);
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
    return this.#followed.has(uri.toString()) || this.#several.follows(uri);
  }

  /** Follows the files of a trace of several sources. Throws when none of them can be followed. */
  startSeveral(trace: OpenTrace): Promise<OpenTrace> {
    return this.#several.start(trace);
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
    one.watcher = watchFile(uri, () => void this.#look(one));
    one.busy = true;
    try {
      await this.#begin(one, source);
      // Files of /proc and /sys have bytes and the size 0.
      if (one.tail.read > 0 && (await this.#platform.openSource(uri)).size === 0) throw new Error(NO_SIZE);
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
    if (!one) return this.#several.stop(uri);
    this.#drop(one);
    this.#log.info(`${uri.path}: not followed any more`);
    const { seen } = one;
    const now = await this.#platform.openSource(uri).catch(() => undefined);
    const whole = seen === one.growing && now !== undefined && one.tail.isWhole(now);
    await Promise.all([seen.end(whole ? now : undefined), ...(seen === one.growing ? [] : [one.growing.end()])]);
  }

  /** Looks at a followed file now; resolves when what was there is read. */
  async look(uri: vscode.Uri): Promise<void> {
    const one = this.#followed.get(uri.toString());
    await (one ? this.#look(one) : this.#several.look(uri));
  }

  dispose(): void {
    for (const one of [...this.#followed.values()]) this.#drop(one);
    this.#several.dispose();
    this.#watch.dispose();
  }

  #drop(one: Followed): void {
    one.over = true;
    clearTimeout(one.timer);
    one.timer = undefined;
    one.watcher?.dispose();
    if (this.#followed.get(one.uri.toString()) === one) this.#followed.delete(one.uri.toString());
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
    const goesOn = await one.tail.appended(source, (fresh) => {
      if (one.over) return false;
      one.growing.feed(fresh);
      one.growing.settle();
      return true;
    });
    if (!goesOn && !one.over) await this.#restart(one, source);
  }

  /** Reads a file from its beginning. */
  async #begin(one: Followed, source: FileSource): Promise<void> {
    one.tail.begin(source);
    for await (const chunk of source.chunks()) {
      if (one.over) return;
      one.growing.feed(chunk);
      one.tail.take(chunk);
    }
    if (!one.over) one.growing.settle();
  }

  /** The file was cut, or another one took its name: its trace begins again. */
  async #restart(one: Followed, source: FileSource): Promise<void> {
    const name = baseName(one.uri);
    const why = one.tail.isReplaced(source) ? 'replaced by another file' : 'truncated';
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
