import type * as vscode from 'vscode';
import type { GrowingFile } from '../../import/files/growing-file.ts';
import type { GrowingPieces } from '../../import/files/growing-pieces.ts';
import { say } from '../commands/handlers.ts';
import { showError, showInfo } from '../message.ts';
import { breathe, type FileSource, type Platform } from '../platform.ts';
import type { Sessions } from '../sessions.ts';
import { baseName, isAtEnd, type OpenFile, type OpenTrace } from './entry.ts';
import { continuation } from './growing.ts';
import { bytesAgain, Cancelled } from './read-files.ts';
import { Tail } from './tail.ts';
import { LOOK_MS, watchFile } from './watch-file.ts';

/** Of the time, joining and judging takes one part, and this many parts are left to other work. */
const REST = 2;

/** A file of a trace that is followed. */
interface Fed {
  readonly file: OpenFile;
  readonly growing: GrowingFile;
  readonly tail: Tail;
  /** The file is gone, and the user was told. */
  gone: boolean;
}

/** A trace of several files that is followed. */
class Followed {
  trace: OpenTrace;
  fed: readonly Fed[] = [];
  readonly pieces: GrowingPieces<OpenFile>;
  readonly state = continuation();
  watchers: vscode.Disposable[] = [];
  timer: ReturnType<typeof setTimeout> | undefined;
  /** What was joined is being judged, or the time that both took has not passed often enough. */
  resting = false;
  /** What is being done. */
  work: Promise<void> | undefined;
  over = false;

  constructor(trace: OpenTrace, pieces: GrowingPieces<OpenFile>) {
    this.trace = trace;
    this.pieces = pieces;
  }

  /** The files of the trace, as far as they were read. */
  async files(): Promise<OpenFile[]> {
    const grown = new Map(this.fed.map(({ file, growing }) => [file.file, growing.trace]));
    const all = this.trace.files.map((file) =>
      grown.has(file.file) ? { ...file, trace: grown.get(file.file) } : file,
    );
    const pieces = await this.pieces.of(all.filter(({ skipped }) => !skipped));
    return all.map((file) => pieces.find((one) => one.file === file.file) ?? file);
  }
}

/** Whether a file can grow line by line: no archive, nothing packed or binary, no folder that is one source. */
function mayGrow({ given, trace, files, skipped }: OpenFile): boolean {
  if (skipped || given.kind === 'archive' || trace === undefined || files !== undefined) return false;
  return !trace.first.binary && !/, (gzip|zstd)$/.test(trace.first.variant);
}

/** The first bytes of a file. */
async function* upTo(chunks: AsyncIterable<Uint8Array>, bytes = Number.POSITIVE_INFINITY): AsyncIterable<Uint8Array> {
  let left = bytes;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/**
 * Follows the files of traces of several sources while they grow. What was appended to a file is read once; then the trace is joined again from
 * what was read of all files, as if they were opened now: events come to their places by their times, also in front of others, and clocks are compared again.
 * That costs as much as joining and judging the whole, so that it is done the more rarely the longer it takes.
 */
export class FollowerOfSeveral implements vscode.Disposable {
  readonly #platform: Platform;
  readonly #sessions: Sessions;
  readonly #log: vscode.LogOutputChannel;
  readonly #judged: (trace: OpenTrace) => Promise<void>;
  readonly #followed = new Set<Followed>();
  readonly #watch: vscode.Disposable;

  /** `judged`: resolves when the findings of a trace are known. */
  constructor(
    platform: Platform,
    sessions: Sessions,
    log: vscode.LogOutputChannel,
    judged: (trace: OpenTrace) => Promise<void> = async () => undefined,
  ) {
    this.#platform = platform;
    this.#sessions = sessions;
    this.#log = log;
    this.#judged = judged;
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      const one = [...this.#followed].find((each) => each.trace === trace);
      if (!one) return;
      if (what === 'cursor') this.#moved(one);
      if (what !== 'closed') return;
      // What took its place is followed when this put it there.
      const now = sessions.now(one.trace);
      if (now !== one.trace && now.follow !== undefined) one.trace = now;
      else this.#drop(one);
    });
  }

  follows(uri: vscode.Uri): boolean {
    return this.#of(uri) !== undefined;
  }

  /** Follows the files of a trace from now on. Throws when none of them can be followed. */
  async start(trace: OpenTrace): Promise<OpenTrace> {
    const [{ GrowingFile }, { GrowingPieces }] = await Promise.all([
      import('../../import/files/growing-file.ts'),
      import('../../import/files/growing-pieces.ts'),
    ]);
    const known = this.#of(trace.uri);
    if (known) return known.work?.then(() => known.trace) ?? known.trace;
    const again = bytesAgain(this.#platform);
    const one = new Followed(
      trace,
      new GrowingPieces((file) => upTo(again(file), one.fed.find((fed) => fed.file.file === file.file)?.tail.read)),
    );
    one.fed = trace.files.filter(mayGrow).map((file) => ({
      ...{ file, growing: new GrowingFile(file.file, file.trace), tail: new Tail(), gone: false },
    }));
    if (one.fed.length === 0) throw new Error('none of its files is a text that can grow');
    this.#followed.add(one);
    one.work = this.#begin(one);
    try {
      await one.work;
    } catch (error) {
      this.#drop(one);
      this.#sessions.setFollow(one.trace, undefined);
      throw error;
    } finally {
      one.work = undefined;
    }
    this.#later(one);
    return one.trace;
  }

  async #begin(one: Followed): Promise<void> {
    for (const fed of one.fed) {
      const source = await this.#platform.openSource(fed.file.uri);
      if (source.size !== undefined) await this.#readAll(one, fed, source);
    }
    await this.#join(one, true);
    if (one.over) return;
    this.#log.info(`${one.trace.label}: followed, ${one.fed.map(({ file }) => file.file).join(', ')}`);
    one.watchers = one.fed.map(({ file }) => watchFile(file.uri, () => this.#later(one, 0)));
  }

  /** Follows the files of a trace no more: what was read of them is brought to its end. */
  async stop(uri: vscode.Uri): Promise<void> {
    const one = this.#of(uri);
    if (!one) return;
    this.#drop(one);
    await one.work?.catch(() => undefined);
    one.state.finished = true;
    this.#log.info(`${one.trace.label}: not followed any more`);
    for (const { growing } of one.fed) growing.end();
    try {
      if (this.#sessions.all.includes(one.trace)) await this.#sessions.rejoin(one.trace, await one.files());
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
    }
  }

  /** Looks at the files of a trace now; resolves when what was there is read and joined. */
  async look(uri: vscode.Uri): Promise<void> {
    const one = this.#of(uri);
    if (!one) return;
    await one.work;
    await this.#look(one);
  }

  dispose(): void {
    for (const one of [...this.#followed]) this.#drop(one);
    this.#watch.dispose();
  }

  #of(uri: vscode.Uri): Followed | undefined {
    const key = uri.toString();
    return [...this.#followed].find(({ trace }) => trace.uri.toString() === key);
  }

  #drop(one: Followed): void {
    one.over = true;
    clearTimeout(one.timer);
    for (const watcher of one.watchers) watcher.dispose();
    this.#followed.delete(one);
  }

  /** The user moved the cursor: away from the end to look at something, or to the end to see what comes. */
  #moved(one: Followed): void {
    const atEnd = isAtEnd(one.trace);
    this.#sessions.setFollow(one.trace, atEnd ? 'following' : 'paused');
    if (atEnd) this.#later(one, 0);
  }

  /** Looks at the files a while later. */
  #later(one: Followed, ms = LOOK_MS): void {
    clearTimeout(one.timer);
    one.timer = undefined;
    if (one.over || one.work || one.resting || !isAtEnd(one.trace)) return;
    one.timer = setTimeout(() => void this.#look(one), ms);
  }

  async #look(one: Followed): Promise<void> {
    if (one.over || one.work || !isAtEnd(one.trace)) return;
    clearTimeout(one.timer);
    one.work = this.#readMore(one)
      .catch((error: unknown) => this.#fail(one, error))
      .finally(() => {
        one.work = undefined;
        this.#later(one);
      });
    await one.work;
  }

  /** Reads what was appended to each file, and joins the trace again when there is something. */
  async #readMore(one: Followed): Promise<void> {
    let more = false;
    for (const fed of one.fed) {
      const source = await this.#platform.openSource(fed.file.uri).catch(() => undefined);
      if (one.over) return;
      if (source === undefined || source.folder) {
        if (!fed.gone) say(`${fed.file.file} is gone; it is read again when it comes back`);
        fed.gone = true;
        continue;
      }
      fed.gone = false;
      const before = fed.tail.read;
      const goesOn = await fed.tail.appended(source, (fresh) => {
        fed.growing.feed(fresh);
        one.pieces.feed(fed.file.file, fresh);
        return !one.over;
      });
      if (one.over) return;
      if (!goesOn) await this.#restart(one, fed, source);
      fed.growing.settle();
      more ||= !goesOn || fed.tail.read !== before;
    }
    if (more) await this.#join(one, false);
  }

  /** Reads a file from its beginning. */
  async #readAll(one: Followed, { growing, tail }: Fed, source: FileSource): Promise<void> {
    tail.begin(source);
    for await (const chunk of source.chunks()) {
      growing.feed(chunk);
      tail.take(chunk);
      await breathe();
      if (one.over) return;
    }
    growing.settle();
  }

  /** A file was cut, or another one took its name: what was read of it stays until the new one has its first record. */
  async #restart(one: Followed, fed: Fed, source: FileSource): Promise<void> {
    const why = fed.tail.isReplaced(source) ? 'replaced by another file' : 'truncated';
    this.#log.info(`${fed.file.file}: ${why}, read from its beginning`);
    void showInfo(`${fed.file.file} was ${why}. It is read from its beginning and followed.`);
    fed.growing.restart();
    one.pieces.restart(fed.file.file);
    await this.#readAll(one, fed, source);
  }

  async #join(one: Followed, toEnd: boolean): Promise<void> {
    const began = Date.now();
    try {
      one.trace = await this.#sessions.rejoin(one.trace, await one.files(), undefined, {
        continuation: one.state,
        toEnd,
      });
    } catch (error) {
      // It was closed meanwhile.
      if (!(error instanceof Cancelled)) throw error;
      return;
    }
    one.resting = true;
    void this.#rest(one, began);
  }

  /** Each new trace is judged from its beginning: that has to end, and other work to have its time, before the files are joined again. */
  async #rest(one: Followed, began: number): Promise<void> {
    await this.#judged(one.trace).catch(() => undefined);
    await new Promise((done) => setTimeout(done, REST * (Date.now() - began)));
    one.resting = false;
    this.#later(one, 0);
  }

  #fail(one: Followed, error: unknown): void {
    this.#drop(one);
    one.state.finished = true;
    const text = error instanceof Error ? error.message : String(error);
    this.#log.error(`${one.trace.label}: ${text}`);
    void showError(`${baseName(one.trace.uri)} is not followed any more: ${text.replace(/\.?$/, '.')}`);
    this.#sessions.setFollow(one.trace, undefined);
  }
}
