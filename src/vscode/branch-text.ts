import * as vscode from 'vscode';
import { textOf } from '../base/bytes.ts';
import { counted } from '../base/counted.ts';
import { irqtraceBytes } from '../trace/irqtrace.ts';
import { BRANCH_SCHEME, type OpenTrace, type Sessions } from './sessions.ts';
import { gathered } from './views/slices.ts';
import { Throttle } from './views/throttle.ts';

/** How often the text of a growing run is made again, and how many events it shows at most. */
const REFRESH_MS = 250;
const MOST_EVENTS = 300_000;
/** Making a text takes a part of the time at most: a long one is made again less often. */
const SHARE = 4;
/** Milliseconds of making a text before other work of the editor has its turn. */
const SLICE_MS = 12;

const CLOSED = '# This run was closed.\n';

/** Address of the text of a trace in the trace file format, for every format of the file that it was read from. */
export function textUri(trace: OpenTrace): vscode.Uri {
  if (trace.branch) return trace.uri;
  return vscode.Uri.from({ scheme: BRANCH_SCHEME, path: `/${trace.id}/${trace.label}.irqtrace` });
}

/** The texts of simulated runs and branches, and of other traces in the same format: made from their events, read-only. */
export class BranchText implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #stale = new Set<OpenTrace>();
  readonly #throttle = new Throttle(
    () => this.#refresh(),
    () => Math.max(REFRESH_MS, this.#cost * SHARE),
  );
  readonly #watches: vscode.Disposable;
  /** Milliseconds that the last text took. */
  #cost = 0;

  readonly onDidChange: vscode.Event<vscode.Uri> = this.#changed.event;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#watches = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(BRANCH_SCHEME, this),
      sessions.onDidChange(({ what, trace }) => {
        if (!trace?.branch || (what !== 'trace' && what !== 'opened')) return;
        this.#stale.add(trace);
        this.#throttle.ask();
      }),
    );
  }

  /** The text of a run as it is now, made in slices; undefined when the editor does not want it any more. */
  async provideTextDocumentContent(uri: vscode.Uri, token?: vscode.CancellationToken): Promise<string | undefined> {
    const trace = this.#sessions.shownBy(uri);
    if (!trace) return CLOSED;
    const events = trace.session.trace;
    const started = performance.now();
    const wanted = (): boolean => token?.isCancellationRequested !== true && this.#sessions.all.includes(trace);
    const pieces = await gathered(irqtraceBytes(events, [], MOST_EVENTS), { ms: SLICE_MS, wanted });
    // A run that was closed meanwhile may have been started again: its new one has the same address.
    if (pieces === undefined)
      return token?.isCancellationRequested ? undefined : this.provideTextDocumentContent(uri, token);
    this.#cost = performance.now() - started;
    const text = pieces.map((piece) => textOf(piece)).join('');
    const more = events.length - MOST_EVENTS;
    return more > 0
      ? `${text}# ${counted(more, 'more event')} ${more === 1 ? 'is' : 'are'} not shown; Save Trace As… writes all of them.\n`
      : text;
  }

  dispose(): void {
    this.#throttle.dispose();
    vscode.Disposable.from(this.#watches, this.#changed).dispose();
  }

  #refresh(): void {
    const open = new Set(vscode.workspace.textDocuments.map((document) => document.uri.toString()));
    for (const { uri } of this.#stale) if (open.has(uri.toString())) this.#changed.fire(uri);
    this.#stale.clear();
  }
}
