import * as vscode from 'vscode';
import type { Branch } from '../session/branches.ts';
import type { SessionChange } from '../session/session.ts';
import type { OperationSpec } from '../sim/operation.ts';
import type { FileSource, Platform } from './platform.ts';
import {
  BRANCH_SCHEME,
  baseName,
  Entry,
  isAtEnd,
  type OpenFile,
  type OpenTrace,
  type SessionsChange,
} from './sources/entry.ts';
import { continuation, type Growing, type Growth, growing } from './sources/growing.ts';
import { joinFiles } from './sources/join-files.ts';
import { loadMachinery } from './sources/machinery.ts';
import { isOfSession, labelOf } from './sources/names.ts';
import {
  bytesAgain,
  goBack,
  kindOf,
  peek,
  type Reading,
  readFiles,
  textOf,
  type Wanted,
  wantedIn,
} from './sources/read-files.ts';

import { readInto, readToEnd, type Shelf } from './sources/read-into.ts';

export { BRANCH_SCHEME, hasRecipe, type LoadState, type OpenTrace, type SessionsChange } from './sources/entry.ts';
export { Cancelled } from './sources/read-files.ts';

/** The traces that are open in this window. At most one of them is active: the one that views and commands use. */
export class Sessions implements vscode.Disposable {
  readonly #platform: Platform;
  readonly #entries: Entry[] = [];
  /** Traces that are being read, but of which nothing is understood yet: they are not shown. */
  readonly #pending = new Set<Entry>();
  /** Traces of several files that are being read, by their addresses. */
  readonly #joining = new Map<string, Promise<OpenTrace>>();
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

  /** The operations that can be done to the objects of a trace; traces that were read show too little for many. */
  operationsFor(trace: OpenTrace): ReadonlyMap<string, OperationSpec> {
    const { operations, whatIfOperations } = this.#machinery!;
    return trace.branch?.recipe ? operations : whatIfOperations;
  }

  /** The open trace of a branch. */
  ofBranch(branch: Branch | undefined): OpenTrace | undefined {
    return branch && this.#entries.find(({ session }) => session === branch.session);
  }

  /** What stands in the place of a trace by now: the trace itself, or the one that it was put together again as. */
  now(trace: OpenTrace): OpenTrace {
    return this.#entries.find(({ lineage }) => lineage === trace.lineage) ?? trace;
  }

  /** Adds a branch and makes it active. A branch that was started again takes the place of its old run. */
  async add(branch: Branch): Promise<OpenTrace> {
    this.#machinery = await loadMachinery();
    const before = this.#entries.findIndex((entry) => entry.branch === branch);
    const old = this.#entries[before];
    const id = this.#next++;
    const path = `/${id}/${branch.name.replaceAll(/[^\w.-]+/g, '-')}.irqtrace`;
    const uri = old?.uri ?? vscode.Uri.from({ scheme: BRANCH_SCHEME, path });
    const entry = new Entry(id, uri, branch.name, { branch }, branch.session);
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
   * its first bytes are understood; one of several files (a folder, an archive, a session file) when all of them were read. A trace
   * that is open already only becomes active, unless its file has changed. A cancelled trace keeps what was read. Throws ImportError
   * when the file is no trace, other errors when it cannot be read, and Cancelled when nothing was read yet.
   */
  async open(uri: vscode.Uri, reading: Partial<Reading> = {}): Promise<OpenTrace> {
    const key = uri.toString();
    const known = this.find(uri);
    if (known?.branch || known?.follow) {
      this.activate(known);
      return known;
    }
    const [source, machinery] = await Promise.all([this.#platform.openSource(uri), loadMachinery()]);
    this.#machinery = machinery;
    const there = [...this.#entries, ...this.#pending].find((entry) => entry.uri.toString() === key);
    if (there) {
      const same = source.folder || (there.modified === source.modified && there.size === source.size);
      if (there.follow || there.load === 'loading' || (there.load === 'ready' && same)) {
        if (!this.#pending.has(there)) this.activate(there);
        await there.reading;
        return there;
      }
      this.close(there);
    }
    if (source.folder) return this.openTogether([{ uri }], reading);
    const { first, chunks, close } = await peek(source);
    const kind = await kindOf(first);
    if (kind === 'archive') return close().then(() => this.openTogether([{ uri }], reading));
    if (kind === 'session') return this.#openSession(uri, await textOf(chunks), reading);
    // Another caller may have begun to read it meanwhile.
    const begun = [...this.#entries, ...this.#pending].find((entry) => entry.uri.toString() === key);
    if (begun) {
      await Promise.all([close(), begun.reading]);
      return begun;
    }
    const label = baseName(uri);
    const run = new machinery.ImportRun(label);
    const entry = this.#fresh(uri, label, { run }, new machinery.Session(run.trace), source);
    if (source.size === undefined) entry.progress = undefined;
    this.#pending.add(entry);
    entry.reading = readInto(entry, this.#shelf(entry), chunks, reading.token);
    entry.loaded = entry.reading.catch(() => undefined);
    await entry.reading;
    return entry;
  }

  /**
   * Opens files, folders and archives as one trace; its clock is that of the first one, of a folder or archive that of its fullest file.
   * `uri` and `label`: what the trace is known by; left out, those of the first source.
   */
  async openTogether(
    wanted: readonly Wanted[],
    reading: Partial<Reading> = {},
    as: { readonly uri?: vscode.Uri; readonly label?: string } = {},
  ): Promise<OpenTrace> {
    const key = JSON.stringify([as.uri?.toString(), wanted.map(({ uri, ...said }) => [uri.toString(), said])]);
    const begun = this.#joining.get(key);
    if (begun) return begun;
    const opening = this.#openTogether(wanted, { token: undefined, at: () => undefined, ...reading }, as);
    this.#joining.set(key, opening);
    try {
      return await opening;
    } finally {
      this.#joining.delete(key);
    }
  }

  async #openTogether(
    wanted: readonly Wanted[],
    reading: Reading,
    as: { readonly uri?: vscode.Uri; readonly label?: string },
  ): Promise<OpenTrace> {
    const uri = as.uri ?? wanted[0]!.uri;
    const source = await this.#platform.openSource(uri);
    const files = await readFiles(this.#platform, wanted, [], reading);
    const isWanted = (): boolean => reading.token?.isCancellationRequested !== true;
    const joined = await joinFiles(files, undefined, bytesAgain(this.#platform), isWanted);
    this.#machinery = await loadMachinery();
    const session = new this.#machinery.Session(joined.trace);
    const label = as.label ?? labelOf(wanted);
    const entry = this.#fresh(uri, label, joined, session, source);
    const before = this.find(uri);
    if (before) this.#replace(before as Entry, entry);
    else {
      this.#entries.push(entry);
      this.#changed.fire({ what: 'opened', trace: entry });
      this.activate(entry);
    }
    // Who had a trace in this place goes on where they were.
    if (session.cursor < 0) session.move({ to: 'last' });
    session.grown(true);
    return entry;
  }

  /** Opens what a session file lists, and goes where its user was. */
  async #openSession(uri: vscode.Uri, text: string, reading: Partial<Reading>): Promise<OpenTrace> {
    const { readSessionFile } = await import('../session/session-file.ts');
    const file = readSessionFile(text);
    const trace = await this.openTogether(wantedIn(file, uri), reading, { uri, label: baseName(uri) });
    goBack(trace, file);
    if (file.filter !== undefined) this.#changed.fire({ what: 'filter', trace, filter: file.filter });
    return trace;
  }

  /** Puts an open trace together again, from other files, or with other words of the user about them. What the user had in it goes over to the new one. */
  async rejoin(
    trace: OpenTrace,
    files: readonly OpenFile[],
    token?: vscode.CancellationToken,
    growth?: Growth,
  ): Promise<OpenTrace> {
    const before = trace as Entry;
    const joined = await joinFiles(
      files,
      files[0]?.file,
      // Who follows files says which pieces they are.
      growth ? () => undefined : bytesAgain(this.#platform),
      () => token?.isCancellationRequested !== true && !before.closed,
    );
    const session = new this.#machinery!.Session(joined.trace, growth?.continuation);
    // A trace is known by what was opened first; when that left it, by what comes first now.
    const stays = joined.files.some(({ given, skipped }) => !skipped && given.uri.toString() === before.uri.toString());
    const isOwn = stays || !before.files.some(({ given }) => given.uri.toString() === before.uri.toString());
    const shown = joined.files.filter(({ skipped }) => !skipped);
    const label = isOfSession(before) ? before.label : labelOf(shown.map(({ given }) => given));
    const uri = isOwn ? before.uri : shown[0]!.given.uri;
    const entry = this.#fresh(uri, label, joined, session, before);
    if (growth) {
      entry.follow = before.follow ?? 'following';
      entry.following = growth.toEnd || isAtEnd(before);
    }
    this.#replace(before, entry);
    this.#follow(entry);
    session.grown(true);
    return entry;
  }

  /** Files of a trace are followed while the user looks at its end (`following`), are not now (`paused`), or not any more. */
  setFollow(trace: OpenTrace, follow: OpenTrace['follow']): void {
    const entry = this.#entries.find((one) => one === trace);
    // The store moved the cursor, not the user.
    if (!entry || entry.moving || entry.follow === follow) return;
    entry.follow = follow;
    entry.following = follow === 'following';
    this.#changed.fire({ what: 'options', trace });
  }

  /** Reads further files, for a trace that is open. */
  readFor(trace: OpenTrace, wanted: readonly Wanted[], reading: Reading): Promise<OpenFile[]> {
    return readFiles(this.#platform, wanted, trace.files, reading);
  }

  /**
   * A trace of a file that grows, in the place of one of that file that is open. It is shown when its first record is understood, and takes the
   * place of the other one when it has what was there. `same`: it is still the same file, so the user goes on where they were.
   */
  async grow(uri: vscode.Uri, source: FileSource, same: boolean): Promise<Growing> {
    this.#machinery = await loadMachinery();
    const { ImportRun, Session } = this.#machinery;
    // Its first reading may be under way, with nothing to show so far: the trace takes the place of what comes of that.
    const key = uri.toString();
    await Promise.all([...this.#pending].filter((one) => one.uri.toString() === key).map(({ loaded }) => loaded));
    const run = new ImportRun(baseName(uri));
    const state = continuation();
    const entry = this.#fresh(uri, baseName(uri), { run }, new Session(run.trace, state), source);
    const before = this.find(uri) as Entry | undefined;
    this.#pending.add(entry);
    const show = (whole: boolean): void => {
      if (!before || !this.#entries.includes(before)) this.#show(entry);
      else if (whole && run.format !== undefined && !entry.closed) {
        this.#pending.delete(entry);
        this.#replace(before, entry, same);
      }
    };
    return growing(entry, run, state, {
      show,
      follow: () => this.#follow(entry),
      tell: () => this.#entries.includes(entry) && this.#changed.fire({ what: 'options', trace: entry }),
      forget: () => this.#pending.delete(entry),
      shown: () => this.#entries.includes(entry),
      finish: () => readToEnd(entry, this.#shelf(entry), undefined),
    });
  }

  #fresh(
    uri: vscode.Uri,
    label: string,
    from: ConstructorParameters<typeof Entry>[3],
    session: Entry['session'],
    { modified, size }: { readonly modified: number; readonly size: number | undefined },
  ): Entry {
    const entry = new Entry(this.#next++, uri, label, from, session);
    entry.modified = modified;
    entry.size = size;
    entry.session.onChange((what) => this.#sessionChanged(entry, what));
    return entry;
  }

  /** Puts a trace in the place of another one, which is closed; the user goes on where they were. */
  #replace(before: Entry, entry: Entry, same = true): void {
    const wasActive = this.#active === before;
    const at = this.#entries.indexOf(before);
    if (at < 0) this.#entries.push(entry);
    else this.#entries[at] = entry;
    before.closed = true;
    entry.lineage = before.lineage;
    this.#changed.fire({ what: 'opened', trace: entry });
    entry.moving = true;
    if (same) this.#machinery!.carryOver(before.session, entry.session);
    entry.moving = false;
    if (wasActive || this.#active === undefined) this.activate(entry);
    this.#changed.fire({ what: 'closed', trace: before });
    this.#changed.fire({ what: 'replaced', trace: entry, before });
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
    for (const entry of [...this.#entries, ...this.#pending]) entry.closed = true;
    this.#changed.dispose();
  }

  /** What the reading of a trace does with it here. */
  #shelf(entry: Entry): Shelf {
    return {
      show: () => this.#show(entry),
      follow: () => this.#follow(entry),
      close: () => this.close(entry),
      forget: () => this.#pending.delete(entry),
    };
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
