import * as vscode from 'vscode';
import type { ImportRun } from '../import/run.ts';
import type { Branch } from '../session/branches.ts';
import type { Session, SessionChange } from '../session/session.ts';
import type { OperationSpec } from '../sim/operation.ts';
import { breathe, type Platform } from './platform.ts';

/** How far the reading of a trace has come. `stopped`: the user cancelled it; the trace keeps what was read. */
export type LoadState = 'loading' | 'ready' | 'stopped' | 'failed';

/** One open trace. */
export interface OpenTrace {
  /** Number of this trace in this window; never used twice. */
  readonly id: number;
  readonly uri: vscode.Uri;
  /** Name to show: the file name. */
  readonly label: string;
  readonly session: Session;
  readonly load: LoadState;
  /** Share of the file that was read, 0 to 1; undefined when its size is not known. */
  readonly progress: number | undefined;
  /** Why reading failed. */
  readonly error: string | undefined;
  /** The cursor follows the end of what was read, because the user has not moved it yet. */
  readonly following: boolean;
  /** Resolves when reading has ended, for whatever reason. */
  readonly loaded: Promise<void>;
  /** The simulated run, or what-if, that makes its events; undefined for a trace that was read from a file. */
  readonly branch: Branch | undefined;
}

/** Whether the header of a trace that was read holds the scenario that it was made from. */
export const hasRecipe = ({ session }: OpenTrace): boolean =>
  session.trace.first.header?.some((line) => line.startsWith('scenario ')) === true;

/** Scheme of traces that have no file: simulated runs and branches. Their text is made from their events. */
export const BRANCH_SCHEME = 'irqscope-run';

/** What happened in the store: a trace was opened or closed, another one is active, or something changed inside a trace. */
export type SessionsChange =
  | { readonly what: 'opened' | 'closed'; readonly trace: OpenTrace }
  | { readonly what: 'active'; readonly trace: OpenTrace | undefined }
  /** `trace`: more of it was read (or reading ended); the others as a session tells them. */
  | { readonly what: SessionChange; readonly trace: OpenTrace };

/** Thrown when reading was cancelled before any of the trace was read. */
export class Cancelled extends Error {}

class Entry implements OpenTrace {
  readonly id: number;
  readonly uri: vscode.Uri;
  readonly session: Session;
  readonly run: ImportRun | undefined;
  readonly branch: Branch | undefined;
  readonly #name: string;
  load: LoadState = 'loading';
  progress: number | undefined = 0;
  error: string | undefined;
  loaded: Promise<void> = Promise.resolve();
  /** The same, but rejects when reading failed. */
  reading: Promise<void> = Promise.resolve();
  modified = 0;
  size: number | undefined;
  closed = false;
  following = true;
  /** The store itself moves the cursor right now. */
  moving = false;

  constructor(id: number, uri: vscode.Uri, name: string, from: ImportRun | Branch, session: Session) {
    this.id = id;
    this.uri = uri;
    this.#name = name;
    this.session = session;
    if ('operations' in from) {
      this.branch = from;
      this.load = 'ready';
      this.progress = 1;
      this.following = false;
    } else this.run = from;
  }

  get label(): string {
    return this.branch?.name ?? this.#name;
  }
}

/**
 * The importers and what they build take a moment to load. They are loaded when they are needed first, so that the window starts at once.
 * The operations of the simulator are loaded with them: rows of every trace offer those that fit.
 */
async function loadMachinery() {
  const [{ ImportRun }, { Session }, { operations }, { whatIfOperations }] = await Promise.all([
    import('../import/run.ts'),
    import('../session/session.ts'),
    import('../sim/catalogue.ts'),
    import('../sim/whatif.ts'),
  ]);
  return { ImportRun, Session, operations, whatIfOperations };
}

/** The traces that are open in this window. At most one of them is active: the one that views and commands use. */
export class Sessions implements vscode.Disposable {
  readonly #platform: Platform;
  readonly #entries: Entry[] = [];
  /** Traces that are being read, but of which nothing is understood yet: they are not shown. */
  readonly #pending = new Set<Entry>();
  readonly #changed = new vscode.EventEmitter<SessionsChange>();
  #active: Entry | undefined;
  #next = 1;
  #machinery: Awaited<ReturnType<typeof loadMachinery>> | undefined;

  /** Everything that happens to open traces, in order. */
  readonly onDidChange: vscode.Event<SessionsChange> = this.#changed.event;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** All open traces, in the order in which they were opened. */
  get all(): readonly OpenTrace[] {
    return this.#entries;
  }

  /** The trace that views and commands use. */
  get active(): OpenTrace | undefined {
    return this.#active;
  }

  /** The operations that can be done to the objects of a trace, by name; traces that were read show too little for many. */
  operationsFor(trace: OpenTrace): ReadonlyMap<string, OperationSpec> {
    const { operations, whatIfOperations } = this.#machinery!;
    return trace.branch?.recipe ? operations : whatIfOperations;
  }

  /** The open trace of a branch. */
  ofBranch(branch: Branch | undefined): OpenTrace | undefined {
    return branch && this.#entries.find(({ session }) => session === branch.session);
  }

  /** Adds a branch and makes it active. A branch that was started again takes the place of its old run. */
  async add(branch: Branch): Promise<OpenTrace> {
    this.#machinery = await loadMachinery();
    const before = this.#entries.findIndex((entry) => entry.branch === branch);
    const old = this.#entries[before];
    const id = this.#next++;
    const path = `/${id}/${branch.name.replaceAll(/[^\w.-]+/g, '-')}.irqtrace`;
    const uri = old?.uri ?? vscode.Uri.from({ scheme: BRANCH_SCHEME, path });
    const entry = new Entry(id, uri, branch.name, branch, branch.session);
    entry.session.onChange((what) => this.#sessionChanged(entry, what));
    if (old) {
      old.closed = true;
      this.#entries[before] = entry;
      this.#changed.fire({ what: 'closed', trace: old });
    } else this.#entries.push(entry);
    this.#changed.fire({ what: 'opened', trace: entry });
    this.activate(entry);
    return entry;
  }

  /** The name of a trace has changed. */
  renamed(trace: OpenTrace): void {
    this.#changed.fire({ what: 'options', trace });
    if (trace === this.#active) this.#changed.fire({ what: 'active', trace });
  }

  /** The open trace of a file. */
  find(uri: vscode.Uri): OpenTrace | undefined {
    const key = uri.toString();
    return this.#entries.find((entry) => entry.uri.toString() === key);
  }

  /** The open trace whose events a text of this extension shows; undefined for files and for texts of closed traces. */
  shownBy(uri: vscode.Uri): OpenTrace | undefined {
    if (uri.scheme !== BRANCH_SCHEME) return undefined;
    return this.find(uri) ?? this.#entries.find(({ id }) => id === Number(uri.path.split('/')[1]));
  }

  /**
   * Opens a trace and makes it active; resolves when all of it was read. It is in `all` and can be looked at as soon as
   * its first bytes are understood. A trace that is open already only becomes active, unless its file has changed. A
   * cancelled trace keeps what was read. Throws ImportError when the file is no trace, other errors when it cannot be
   * read, and Cancelled when nothing was read yet.
   */
  async open(uri: vscode.Uri, token?: vscode.CancellationToken): Promise<OpenTrace> {
    const key = uri.toString();
    const branch = this.find(uri);
    if (branch?.branch) {
      this.activate(branch);
      return branch;
    }
    const [source, machinery] = await Promise.all([this.#platform.openSource(uri), loadMachinery()]);
    this.#machinery = machinery;
    const there = [...this.#entries, ...this.#pending].find((entry) => entry.uri.toString() === key);
    if (there) {
      const same = there.modified === source.modified && there.size === source.size;
      if (there.load === 'loading' || (there.load === 'ready' && same)) {
        if (!this.#pending.has(there)) this.activate(there);
        await there.reading;
        return there;
      }
      this.close(there);
    }
    const label = uri.path.slice(uri.path.lastIndexOf('/') + 1) || uri.toString();
    const run = new machinery.ImportRun(label);
    const entry = new Entry(this.#next++, uri, label, run, new machinery.Session(run.trace));
    entry.modified = source.modified;
    entry.size = source.size;
    if (source.size === undefined) entry.progress = undefined;
    entry.session.onChange((what) => this.#sessionChanged(entry, what));
    this.#pending.add(entry);
    entry.reading = this.#read(entry, source.chunks(), token);
    entry.loaded = entry.reading.catch(() => undefined);
    await entry.reading;
    return entry;
  }

  /** Makes a trace the active one. One that was closed meanwhile, while a command waited, stays closed. */
  activate(trace: OpenTrace | undefined): void {
    if (trace === this.#active) return;
    const entry = this.#entries.find((one) => one === trace);
    if (trace && !entry) return;
    this.#active = entry;
    this.#changed.fire({ what: 'active', trace });
  }

  /** Closes a trace; its reading ends. */
  close(trace: OpenTrace): void {
    const index = this.#entries.indexOf(trace as Entry);
    if (index < 0) return;
    const [entry] = this.#entries.splice(index, 1);
    entry!.closed = true;
    if (this.#active === entry) this.activate(this.#entries[Math.min(index, this.#entries.length - 1)]);
    this.#changed.fire({ what: 'closed', trace });
  }

  dispose(): void {
    for (const entry of this.#entries) entry.closed = true;
    this.#changed.dispose();
  }

  async #read(entry: Entry, chunks: AsyncIterable<Uint8Array>, token: vscode.CancellationToken | undefined) {
    const { session } = entry;
    const run = entry.run!;
    try {
      for await (const chunk of chunks) {
        if (entry.closed) return;
        if (token?.isCancellationRequested) break;
        run.push(chunk);
        if (entry.size !== undefined) entry.progress = entry.size === 0 ? 1 : Math.min(1, run.bytes / entry.size);
        this.#show(entry);
        session.grown(false);
        this.#follow(entry);
      }
      if (entry.closed) return;
      const stopped = token?.isCancellationRequested === true;
      if (stopped && run.format === undefined) throw new Cancelled('opening was cancelled');
      entry.load = (await this.#finish(entry, stopped ? undefined : token)) && !stopped ? 'ready' : 'stopped';
      if (entry.closed) return;
      this.#show(entry);
    } catch (error) {
      if (entry.closed) return;
      entry.load = 'failed';
      entry.error = error instanceof Error ? error.message : String(error);
      // The trace keeps what was read before an error. A file of which nothing was understood is not shown at all.
      if (session.trace.length === 0) this.close(entry);
      throw error;
    } finally {
      this.#pending.delete(entry);
      if (!entry.closed) {
        this.#follow(entry);
        entry.following = false;
        session.grown(true);
      }
    }
  }

  /** Reads what can be read only when the file is whole, and lets other work run in between; false when the user stopped it. */
  async #finish(entry: Entry, token: vscode.CancellationToken | undefined): Promise<boolean> {
    const work = entry.run!.ending();
    while (work.next().done !== true) {
      this.#show(entry);
      entry.session.grown(false);
      this.#follow(entry);
      await breathe();
      if (entry.closed || token?.isCancellationRequested) return false;
    }
    return true;
  }

  /** Puts a trace into the list as soon as its format is known. */
  #show(entry: Entry): void {
    if (entry.run?.format === undefined || this.#entries.includes(entry)) return;
    this.#pending.delete(entry);
    this.#entries.push(entry);
    this.#changed.fire({ what: 'opened', trace: entry });
    this.activate(entry);
  }

  #follow(entry: Entry): void {
    const { session } = entry;
    if (!entry.following || session.trace.length === 0) return;
    entry.moving = true;
    session.move({ to: 'last' });
    entry.moving = false;
  }

  #sessionChanged(entry: Entry, what: SessionChange): void {
    if (what === 'cursor' && !entry.moving) entry.following = false;
    if (!entry.closed) this.#changed.fire({ what, trace: entry });
  }
}
