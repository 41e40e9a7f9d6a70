import type * as vscode from 'vscode';
import type { GivenFile } from '../../import/files/choose.ts';
import type { ImportRun } from '../../import/run.ts';
import type { Branch } from '../../session/branches.ts';
import type { Session, SessionChange } from '../../session/session.ts';
import type { SourceSettings } from '../../session/session-file.ts';

/** How far the reading of a trace has come. `stopped`: the user cancelled it; the trace keeps what was read. */
export type LoadState = 'loading' | 'ready' | 'stopped' | 'failed';

/** Whether a file that grows is read as it grows. `paused`: not now, because the user looks back. */
export type FollowState = 'following' | 'paused';

/** A file, a folder or an archive that the user opened, alone or together with others. */
export interface GivenSource {
  readonly uri: vscode.Uri;
  /** Its name among the others; that of a file in it begins with it. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'archive';
}

/** A file of a trace: given by itself, or found in a folder or an archive. */
export interface OpenFile extends GivenFile {
  readonly given: GivenSource;
  /** Its address; of a file in an archive, where it would lie if the archive was a folder. */
  readonly uri: vscode.Uri;
  /** What the user says of it. */
  readonly said: SourceSettings;
  /** The user took it out of the trace. */
  readonly skipped: boolean;
}

/** One open trace. */
export interface OpenTrace {
  /** Number of this trace in this window; never used twice. */
  readonly id: number;
  /** The same of a trace and of those that took its place one after the other. */
  readonly lineage: object;
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
  /** The files that it was read from, also those that turned out to be no trace; none of a simulated run. */
  readonly files: readonly OpenFile[];
  /** Files whose records another one holds, too, by their name: they are no part of it. */
  readonly duplicates: ReadonlyMap<string, string>;
  /** Whether its file is followed while it grows. */
  readonly follow: FollowState | undefined;
  /** Sources in a followed file that are shown only when it is not followed any more: excerpts beside the first one. */
  readonly further: number;
}

/** What happened in the store: a trace was opened or closed, another one is active, or something changed inside a trace. */
export type SessionsChange =
  | { readonly what: 'opened' | 'closed'; readonly trace: OpenTrace }
  | { readonly what: 'active'; readonly trace: OpenTrace | undefined }
  /** A trace took the place of one that was closed: it was put together again, from other files or as its file grows. */
  | { readonly what: 'replaced'; readonly trace: OpenTrace; readonly before: OpenTrace }
  /** A session file says which events to look for. */
  | { readonly what: 'filter'; readonly trace: OpenTrace; readonly filter: string }
  /** `trace`: more of it was read (or reading ended); the others as a session tells them. */
  | { readonly what: SessionChange; readonly trace: OpenTrace };

/** Whether the header of a trace that was read holds the scenario that it was made from. */
export const hasRecipe = ({ session }: OpenTrace): boolean =>
  session.trace.first.header?.some((line) => line.startsWith('scenario ')) === true;

/** Whether the user looks at the end of a trace, and so wants to see what comes. */
export const isAtEnd = ({ session }: OpenTrace): boolean => session.cursor === session.trace.length - 1;

/** Scheme of traces that have no file: simulated runs and branches. Their text is made from their events. */
export const BRANCH_SCHEME = 'irqscope-run';

/** The last part of the path of an address. */
export const baseName = (uri: vscode.Uri): string => {
  const path = uri.path.replace(/\/+$/, '');
  return path.slice(path.lastIndexOf('/') + 1) || uri.toString();
};

/** Where the events of a trace come from. */
export type Origin =
  | { readonly branch: Branch }
  | { readonly run: ImportRun }
  | { readonly files: readonly OpenFile[]; readonly duplicates: ReadonlyMap<string, string> };

const NONE: ReadonlyMap<string, string> = new Map();

/** One open trace, as the store changes it. */
export class Entry implements OpenTrace {
  readonly id: number;
  readonly uri: vscode.Uri;
  readonly session: Session;
  readonly run: ImportRun | undefined;
  readonly branch: Branch | undefined;
  readonly duplicates: ReadonlyMap<string, string> = NONE;
  readonly #name: string;
  readonly #files: readonly OpenFile[] | undefined;
  lineage: object = {};
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
  follow: FollowState | undefined;
  /** The store itself moves the cursor right now. */
  moving = false;

  constructor(id: number, uri: vscode.Uri, name: string, from: Origin, session: Session) {
    this.id = id;
    this.uri = uri;
    this.#name = name;
    this.session = session;
    if ('run' in from) {
      this.run = from.run;
      return;
    }
    this.load = 'ready';
    this.progress = 1;
    this.following = false;
    if ('branch' in from) this.branch = from.branch;
    else {
      this.#files = from.files;
      this.duplicates = from.duplicates;
    }
  }

  get further(): number {
    return this.follow === undefined ? 0 : (this.run?.further ?? 0);
  }

  get label(): string {
    return this.branch?.name ?? this.#name;
  }

  get files(): readonly OpenFile[] {
    if (this.branch) return [];
    if (this.#files) return this.#files;
    const { uri, session, label } = this;
    const given = { uri, name: label, kind: 'file' } as const;
    const unsaid = { system: undefined, vantage: undefined, offset: undefined };
    const read = {
      file: label,
      modified: this.modified,
      trace: session.trace,
      problem: undefined,
      from: 0,
      asked: true,
    };
    return [{ ...read, ...unsaid, given, uri, said: {}, skipped: false }];
  }
}
