import * as vscode from 'vscode';
import { BRANCH_SCHEME, type OpenTrace, type Sessions } from './sessions.ts';
import { adoptLanguage } from './text.ts';
import { lineIn, shownIn, stepAtLine } from './text-place.ts';

const { Mouse, Keyboard } = vscode.TextEditorSelectionChangeKind;

/**
 * How long an editor must be on the screen before its caret is moved and its line is highlighted. The editor logs a warning when an
 * extension uses a text that is gone, and it tells of a text that closes only afterwards. So a text that closes just after it came up is never used.
 */
const YOUNG_MS = 500;
/** How long after a movement of the cursor its line is shown: a delay that nobody sees, in which the editor tells what it closes. */
const LATER_MS = 20;
/** An answer that takes this much longer than twice the quickest one tells that the editor is busy, such as with closing texts. */
const BUSY_MS = 20;
/** How often a busy editor is asked again at most. */
const MOST_TRIES = 8;

/** Keeps the caret in the text of a trace and the cursor of its session together, both ways. */
export class TextSync implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #icon: vscode.Uri;
  readonly #also: (editor: vscode.TextEditor, trace: OpenTrace) => void;
  /**
   * The highlight of each trace. When a trace is closed, its kind of highlight is disposed of: that takes it out of every editor without
   * naming one, so it cannot meet a text that closes.
   */
  readonly #highlights = new Map<OpenTrace, vscode.TextEditorDecorationType>();
  readonly #watches: vscode.Disposable[] = [];
  /** The editor whose caret moves the cursor right now: its caret need not follow the cursor. */
  #source: vscode.TextEditor | undefined;
  #visible: ReadonlySet<vscode.TextEditor> = new Set(vscode.window.visibleTextEditors);
  /** Editors that have come up a moment ago. When texts are opened one after the other, some of these are closed at once. */
  readonly #young = new Map<vscode.TextEditor, ReturnType<typeof setTimeout>>();
  /** What has to be done to editors: only to highlight the line of the cursor, or to move the caret there too. */
  readonly #due = new Map<vscode.TextEditor, 'highlight' | 'show'>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  /** The shortest time in which the editor has answered. */
  #quickest = Number.POSITIVE_INFINITY;
  /** What is highlighted in an editor, and the version of the text then; editors that never had a highlight are left alone. */
  readonly #lines = new WeakMap<
    vscode.TextEditor,
    { readonly trace: OpenTrace; readonly line: number; readonly version: number }
  >();

  /** `also`: marks more in an editor, in the moment in which it is safe. */
  constructor(
    sessions: Sessions,
    context: vscode.ExtensionContext,
    also: (editor: vscode.TextEditor, trace: OpenTrace) => void,
  ) {
    this.#sessions = sessions;
    this.#also = also;
    this.#icon = vscode.Uri.joinPath(context.extensionUri, 'media', 'cursor.svg');
    this.#watches.push(
      vscode.window.onDidChangeTextEditorSelection((e) => this.#caretMoved(e)),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.#editorChosen(editor)),
      vscode.window.onDidChangeVisibleTextEditors((editors) => this.#editorsShown(editors)),
      vscode.workspace.onDidOpenTextDocument((document) => {
        const trace = sessions.find(document.uri);
        if (trace) void adoptLanguage(trace);
      }),
      // The text of a run that grows comes after its events.
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const trace = document.uri.scheme === BRANCH_SCHEME ? sessions.find(document.uri) : undefined;
        if (trace) this.#cursorMoved(trace);
      }),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'opened') void adoptLanguage(trace);
        // A text that several traces have shows the active one.
        if (what === 'active' && trace) this.mark(trace);
        // While a trace is read, its cursor moves on; the caret follows when all is read.
        if (what === 'cursor' && !trace.following) this.#cursorMoved(trace);
        if (what === 'trace' && trace.load !== 'loading') this.#cursorMoved(trace);
        if (what === 'closed') {
          this.#highlights.get(trace)?.dispose();
          this.#highlights.delete(trace);
        }
      }),
    );
    // A trace may be open in the editor that is active already.
    this.#editorChosen(vscode.window.activeTextEditor);
  }

  dispose(): void {
    for (const timer of [...this.#young.values(), this.#timer]) clearTimeout(timer);
    vscode.Disposable.from(...this.#watches, ...this.#highlights.values()).dispose();
  }

  /** Whether every editor shows what it has to show: no text has just come up, and no movement of the cursor waits. */
  get idle(): boolean {
    return this.#young.size === 0 && this.#due.size === 0;
  }

  /** Marks the editors of a trace again. */
  mark(trace: OpenTrace): void {
    for (const editor of this.#editorsOf(trace)) this.#later(editor, 'highlight');
  }

  #editorsOf(trace: OpenTrace): vscode.TextEditor[] {
    return vscode.window.visibleTextEditors.filter(({ document }) => shownIn(this.#sessions, document.uri) === trace);
  }

  #editorChosen(editor: vscode.TextEditor | undefined): void {
    const trace = editor && shownIn(this.#sessions, editor.document.uri);
    if (trace) this.#sessions.activate(trace);
  }

  #editorsShown(editors: readonly vscode.TextEditor[]): void {
    const shown = new Set(editors);
    for (const [editor, timer] of this.#young) {
      if (shown.has(editor)) continue;
      clearTimeout(timer);
      this.#young.delete(editor);
    }
    for (const editor of editors) {
      if (this.#visible.has(editor)) continue;
      // A text that was opened somewhere else than at its beginning stays there.
      const atStart = editor.selection.active.isEqual(new vscode.Position(0, 0));
      this.#young.set(
        editor,
        setTimeout(() => this.#grewUp(editor, atStart), YOUNG_MS),
      );
    }
    this.#visible = shown;
  }

  #grewUp(editor: vscode.TextEditor, atStart: boolean): void {
    this.#young.delete(editor);
    const stays = !atStart || !editor.selection.active.isEqual(new vscode.Position(0, 0));
    const trace = shownIn(this.#sessions, editor.document.uri);
    this.#later(editor, trace && (!stays || this.#due.get(editor) === 'show') ? 'show' : 'highlight');
  }

  /**
   * Does something to an editor a moment later, if it is still there then. The editor closes texts before it tells the extension host; what
   * happens together with that (a step, the end of reading) must not reach for a text that is gone.
   */
  #later(editor: vscode.TextEditor, what: 'highlight' | 'show'): void {
    if (what === 'show' || !this.#due.has(editor)) this.#due.set(editor, what);
    if (!this.#asking) this.#timer ??= setTimeout(() => void this.#ask(), LATER_MS);
  }

  /** Does what is due after the editor has answered quickly. A busy editor may be closing texts, so it is asked again. */
  async #ask(): Promise<void> {
    this.#timer = undefined;
    this.#asking = true;
    for (let tries = 1; ; tries++) {
      const asked = performance.now();
      // The editor answers in order: after this answer it is known here what was closed before the question.
      await vscode.commands.executeCommand('setContext', 'irqscope.cursorShown', true);
      const took = performance.now() - asked;
      this.#quickest = Math.min(this.#quickest, took);
      if (took < 2 * this.#quickest + BUSY_MS || tries === MOST_TRIES) break;
      await new Promise((done) => setTimeout(done, LATER_MS));
    }
    this.#asking = false;
    this.#doDue();
  }

  #doDue(): void {
    const visible = new Set(vscode.window.visibleTextEditors.filter(({ document }) => hasTab(document.uri)));
    for (const [editor, wanted] of this.#due) {
      if (this.#young.has(editor) && visible.has(editor)) continue;
      this.#due.delete(editor);
      if (!visible.has(editor)) continue;
      const trace = shownIn(this.#sessions, editor.document.uri);
      if (wanted === 'show' && trace) this.#show(editor, trace);
      else this.#highlight(editor);
    }
  }

  #caretMoved({ textEditor, kind, selections }: vscode.TextEditorSelectionChangeEvent): void {
    if (kind !== Mouse && kind !== Keyboard) return;
    const { uri } = textEditor.document;
    const trace = shownIn(this.#sessions, uri);
    const caret = selections[0]?.active;
    if (!trace || !caret) return;
    // The user has put the caret where it is now.
    if (this.#due.has(textEditor)) this.#due.set(textEditor, 'highlight');
    this.#sessions.activate(trace);
    if (lineIn(trace, uri, trace.session.cursor) === caret.line) return;
    const step = stepAtLine(trace, uri, caret.line);
    // Lines before the first event have no state; the cursor stays.
    if (step < 0) return;
    this.#source = textEditor;
    try {
      trace.session.move({ to: 'step', step });
    } finally {
      this.#source = undefined;
    }
  }

  #cursorMoved(trace: OpenTrace): void {
    for (const editor of this.#editorsOf(trace)) this.#later(editor, editor === this.#source ? 'highlight' : 'show');
  }

  /** Puts the caret of an editor on the line of the event at the cursor, and scrolls there if necessary. */
  #show(editor: vscode.TextEditor, trace: OpenTrace): void {
    this.#highlight(editor);
    const line = lineIn(trace, editor.document.uri, trace.session.cursor);
    // The event stands in the text of another source.
    if (line === undefined || line >= editor.document.lineCount) return;
    // The editor highlights every occurrence of the word at the caret. The stamp of a QEMU log line is the better word: its thread occurs everywhere.
    const thread = /^\d{1,10}@/.exec(editor.document.lineAt(line).text);
    const at = new vscode.Position(line, thread?.[0].length ?? 0);
    if (!editor.selection.isEmpty || !editor.selection.active.isEqual(at))
      editor.selection = new vscode.Selection(at, at);
    const start = new vscode.Position(line, 0);
    editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  #highlight(editor: vscode.TextEditor): void {
    const { uri, lineCount, version } = editor.document;
    const trace = shownIn(this.#sessions, uri);
    if (trace === undefined) return;
    this.#also(editor, trace);
    const line = lineIn(trace, uri, trace.session.cursor);
    const shown = line !== undefined && line < lineCount;
    const known = this.#lines.get(editor);
    const before = known?.trace === trace ? known : undefined;
    // Another trace that has this text, too, was the active one.
    if (known && !before) {
      this.#lines.delete(editor);
      if (this.#highlights.has(known.trace)) editor.setDecorations(this.#highlightOf(known.trace), []);
    }
    // What is right already is not told to the editor again: each call could meet a text that closes.
    if (shown ? before?.line === line && before.version === version : before === undefined) return;
    if (shown) this.#lines.set(editor, { trace, line, version });
    else this.#lines.delete(editor);
    editor.setDecorations(this.#highlightOf(trace), shown ? [editor.document.lineAt(line).range] : []);
  }

  #highlightOf(trace: OpenTrace): vscode.TextEditorDecorationType {
    let highlight = this.#highlights.get(trace);
    if (!highlight) {
      highlight = vscode.window.createTextEditorDecorationType({
        isWholeLine: true,
        backgroundColor: new vscode.ThemeColor('irqscope.cursorLineBackground'),
        overviewRulerColor: new vscode.ThemeColor('irqscope.cursorOverviewRuler'),
        overviewRulerLane: vscode.OverviewRulerLane.Full,
        gutterIconPath: this.#icon,
        gutterIconSize: 'contain',
      });
      this.#highlights.set(trace, highlight);
    }
    return highlight;
  }
}

/** Whether a text is in front in one of the editor groups. Extensions learn of tabs that close before they learn of their editors. */
function hasTab(uri: vscode.Uri): boolean {
  const key = uri.toString();
  return vscode.window.tabGroups.all.some(({ activeTab }) => {
    const input = activeTab?.input;
    if (input instanceof vscode.TabInputText) return input.uri.toString() === key;
    return (
      input instanceof vscode.TabInputTextDiff && [input.original, input.modified].some((u) => u.toString() === key)
    );
  });
}
