import * as vscode from 'vscode';
import { counted } from '../base/counted.ts';
import { withoutLinks } from '../view/notification.ts';
import type { Place } from './api.ts';
import { setContext } from './contexts.ts';
import { showError, showInfo, showWarning } from './message.ts';
import { Cancelled, hasRecipe, type OpenTrace, type Sessions } from './sessions.ts';
import { baseName, type OpenFile } from './sources/entry.ts';
import type { Reading, Wanted } from './sources/read-files.ts';
import { showText } from './text.ts';

/** Reading that takes longer than this gets a notification with a button that stops it. */
const QUIET_MS = 1000;
/** How often it says which file is being read. */
const TELL_MS = 250;

/** Opens traces for the user, with progress, a button that stops, and one message when opening fails. */
export class Opener implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #log: vscode.LogOutputChannel;
  readonly #reading = new Map<string, vscode.CancellationTokenSource>();

  /** What is done last to the sources of a trace: the next one waits for it. */
  readonly #turns = new WeakMap<object, Promise<unknown>>();

  #textsShown: Promise<unknown> = Promise.resolve();

  constructor(sessions: Sessions, log: vscode.LogOutputChannel) {
    this.#sessions = sessions;
    this.#log = log;
  }

  /** Resolves when the editor shows the text of every trace that was opened so far, or will not show it. */
  get textsShown(): Promise<unknown> {
    return this.#textsShown;
  }

  /** Opens a trace, shows its text and the views, and goes to a place in it. Undefined when that failed; the user was told. */
  async open(uri: vscode.Uri, place: Place = {}): Promise<OpenTrace | undefined> {
    void vscode.commands.executeCommand('workbench.view.extension.irqscope');
    const caret = caretIn(uri);
    const reading = this.read(uri);
    this.#textsShown = Promise.all([this.#textsShown, this.#showWhenUnderstood(uri, reading)]);
    try {
      const trace = await reading;
      // The user sees the text and wants the state at the line of the caret.
      const aim = place.step ?? place.time ?? place.line;
      await this.goTo(trace, aim === undefined && caret > 0 ? { ...place, line: caret + 1 } : place);
      if (hasRecipe(trace)) void offerToResume(trace);
      return trace;
    } catch (error) {
      if (!(error instanceof Cancelled)) await this.#report(uri, error);
      return undefined;
    }
  }

  /** Shows the text of a file as soon as it turns out to be a trace: its first event is there. A file that is none is not opened as text. */
  async #showWhenUnderstood(uri: vscode.Uri, reading: Promise<OpenTrace>): Promise<void> {
    const key = uri.toString();
    const trace = await new Promise<OpenTrace | undefined>((done) => {
      const watch = this.#sessions.onDidChange(({ trace }) => {
        if (trace?.uri.toString() === key && trace.session.trace.length > 0) done(trace);
      });
      reading.then(done, () => done(undefined)).finally(() => watch.dispose());
    });
    if (!trace) return;
    await showText(trace).catch((error: unknown) => this.#log.warn(`${uri.path}: its text is not shown: ${error}`));
  }

  /** Opens a trace, with progress and a way to stop, and throws when it cannot be read. */
  async read(uri: vscode.Uri): Promise<OpenTrace> {
    return this.#told(await this.#busy(uri, baseName(uri), (reading) => this.#sessions.open(uri, reading)));
  }

  /** Opens files, folders and archives as one trace, shows its text or events, and goes to a place in it. Undefined when that failed; the user was told. */
  async openTogether(wanted: readonly Wanted[], place: Place = {}): Promise<OpenTrace | undefined> {
    const [first] = wanted;
    if (first === undefined) return undefined;
    if (wanted.length === 1 && !saysMore(first)) return this.open(first.uri, place);
    void vscode.commands.executeCommand('workbench.view.extension.irqscope');
    const name = counted(wanted.length, 'file');
    const trace = await this.#tried(first.uri, wanted.length === 1 ? baseName(first.uri) : name, (reading) =>
      this.#sessions.openTogether(wanted, reading),
    );
    if (trace) await this.show(trace, place);
    return trace;
  }

  /** Reads further sources for a trace and joins them to it. Undefined when that failed; the user was told. */
  async addTo(trace: OpenTrace, wanted: readonly Wanted[]): Promise<OpenTrace | undefined> {
    const [first] = wanted;
    if (first === undefined) return undefined;
    const name = wanted.length === 1 ? baseName(first.uri) : counted(wanted.length, 'file');
    return this.#inTurn(trace, (now) =>
      this.#tried(first.uri, name, async (reading) => {
        await now.loaded;
        const files = await this.#sessions.readFor(now, wanted, reading);
        return this.#sessions.rejoin(now, [...now.files, ...files], reading.token);
      }),
    );
  }

  /** Puts a trace together again from its files, as `change` makes them. Undefined when that failed; the user was told. */
  rejoin(
    trace: OpenTrace,
    change: (files: readonly OpenFile[]) => readonly OpenFile[],
  ): Promise<OpenTrace | undefined> {
    return this.#inTurn(trace, (now) =>
      this.#tried(now.uri, now.label, ({ token }) => this.#sessions.rejoin(now, change(now.files), token)),
    );
  }

  /** Does something to the sources of a trace when what is being done to them is done; `work` gets the trace that has its place then. */
  #inTurn<T>(trace: OpenTrace, work: (now: OpenTrace) => Promise<T>): Promise<T> {
    const before = this.#turns.get(trace.lineage) ?? Promise.resolve();
    const turn = before.then(() => work(this.#sessions.now(trace)));
    this.#turns.set(
      trace.lineage,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** Shows a trace that was opened without this: its text, or its events, and a place in it. */
  async show(trace: OpenTrace, place: Place = {}): Promise<void> {
    const showing = showText(trace).catch((error: unknown) =>
      this.#log.warn(`${trace.uri.path}: its text is not shown: ${error}`),
    );
    this.#textsShown = Promise.all([this.#textsShown, showing]);
    await this.goTo(trace, place);
  }

  /** Does some reading; tells the user when it fails. */
  async #tried(
    uri: vscode.Uri,
    name: string,
    work: (reading: Reading) => Promise<OpenTrace>,
  ): Promise<OpenTrace | undefined> {
    try {
      return this.#told(await this.#busy(uri, name, work));
    } catch (error) {
      if (!(error instanceof Cancelled)) await this.#report(uri, error);
      return undefined;
    }
  }

  #told(trace: OpenTrace): OpenTrace {
    this.#log.info(`${trace.uri.path}: ${counted(trace.session.trace.length, 'event')} (${trace.load})`);
    return trace;
  }

  /** Does some reading, with progress and a way to stop it. */
  async #busy(uri: vscode.Uri, name: string, work: (reading: Reading) => Promise<OpenTrace>): Promise<OpenTrace> {
    const key = uri.toString();
    const stop = new vscode.CancellationTokenSource();
    this.#reading.set(key, stop);
    setContext('loading', true);
    this.#log.info(`${uri.path}: reading`);
    const started = Date.now();
    try {
      let at = '';
      const reading = work({ token: stop.token, at: (file) => (at = file) });
      const view = { location: { viewId: 'irqscope.interrupts' } };
      void vscode.window.withProgress(view, () => reading.then(nothing, nothing));
      const timer = setTimeout(() => this.#notify(uri, name, reading, stop, () => at), QUIET_MS);
      const trace = await reading.finally(() => clearTimeout(timer));
      this.#log.info(`${uri.path}: read in ${Date.now() - started} ms`);
      return trace;
    } finally {
      if (this.#reading.get(key) === stop) this.#reading.delete(key);
      stop.dispose();
      setContext('loading', this.#reading.size > 0);
    }
  }

  /** Stops the reading of a trace; the trace keeps what was read. */
  stop(uri: vscode.Uri): void {
    this.#reading.get(uri.toString())?.cancel();
  }

  /** Goes to a place in an open trace and makes it active. */
  async goTo(trace: OpenTrace, place: Place): Promise<void> {
    const { session } = trace;
    this.#sessions.activate(trace);
    const { step, time, line, object } = place;
    const target =
      step !== undefined
        ? session.move({ to: 'step', step })
        : time !== undefined
          ? session.move({ to: 'time', time })
          : line !== undefined
            ? session.move({ to: 'line', line })
            : undefined;
    if (typeof target === 'object') void showWarning(`${trace.label}: ${target.refused}.`);
    if (object !== undefined) await vscode.commands.executeCommand('irqscope.showObject', object);
  }

  dispose(): void {
    for (const stop of this.#reading.values()) stop.cancel();
  }

  /** `at`: the file that is being read, of several. */
  #notify(
    uri: vscode.Uri,
    name: string,
    reading: Promise<OpenTrace>,
    stop: vscode.CancellationTokenSource,
    at: () => string,
  ): void {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: withoutLinks(`Reading ${name}`),
      cancellable: true,
    };
    void vscode.window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => stop.cancel());
      let shown = 0;
      const watch = this.#sessions.onDidChange(({ what, trace }) => {
        if (what !== 'trace' || trace?.progress === undefined || trace.uri.toString() !== uri.toString()) return;
        const percent = Math.floor(trace.progress * 100);
        if (percent > shown)
          progress.report({
            increment: percent - shown,
            message: counted(trace.session.trace.length, 'event'),
          });
        shown = percent;
      });
      const timer = setInterval(() => at() !== '' && progress.report({ message: withoutLinks(at()) }), TELL_MS);
      await reading.then(nothing, nothing);
      clearInterval(timer);
      watch.dispose();
    });
  }

  async #report(uri: vscode.Uri, error: unknown): Promise<void> {
    const { ImportError } = await import('../import/run.ts');
    const name = baseName(uri);
    const text = error instanceof Error ? error.message : String(error);
    this.#log.error(
      `${uri.path}: ${error instanceof ImportError ? text : error instanceof Error ? error.stack : text}`,
    );
    const message =
      error instanceof ImportError ? `${name} is not a trace: ${text}` : `${name} cannot be read: ${text}`;
    void showError(`${message.replace(/\.?$/, '.')}`, 'Show Log').then((choice) => {
      if (choice !== undefined) this.#log.show();
    });
  }
}

/** Tells the user that the run of a trace file can go on: its header holds scenario, seed and operations. */
async function offerToResume(trace: OpenTrace): Promise<void> {
  const resume = 'Resume Simulation';
  const text = `${trace.label} was simulated. You can make its run again and let it go on.`;
  if ((await showInfo(text, resume)) === resume)
    await vscode.commands.executeCommand('irqscope.resumeSimulation', trace.uri);
}

/** The line (0-based) of the caret in the text of a file, if that is shown. */
function caretIn(uri: vscode.Uri): number {
  const key = uri.toString();
  return vscode.window.visibleTextEditors.find((e) => e.document.uri.toString() === key)?.selection.active.line ?? 0;
}

const nothing = (): void => {};

/** Whether more is said of a source than its address. */
const saysMore = ({ uri: _, ...said }: Wanted): boolean => Object.values(said).some((value) => value !== undefined);
