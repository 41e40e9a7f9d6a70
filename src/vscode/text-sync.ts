import * as vscode from 'vscode';
import { BRANCH_SCHEME, type OpenTrace, type Sessions } from './sessions.ts';
import { adoptLanguage } from './text.ts';

const { Mouse, Keyboard } = vscode.TextEditorSelectionChangeKind;

/** Keeps the caret in the text of a trace and the cursor of its session together, both ways. */
export class TextSync implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #decoration: vscode.TextEditorDecorationType;
  readonly #watches: vscode.Disposable[] = [];
  /** The editor whose caret moves the cursor right now: its caret need not follow the cursor. */
  #source: vscode.TextEditor | undefined;
  #visible: ReadonlySet<vscode.TextEditor> = new Set(vscode.window.visibleTextEditors);

  constructor(sessions: Sessions, context: vscode.ExtensionContext) {
    this.#sessions = sessions;
    this.#decoration = vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor('irqscope.cursorLineBackground'),
      overviewRulerColor: new vscode.ThemeColor('irqscope.cursorOverviewRuler'),
      overviewRulerLane: vscode.OverviewRulerLane.Full,
      gutterIconPath: vscode.Uri.joinPath(context.extensionUri, 'media', 'cursor.svg'),
      gutterIconSize: 'contain',
    });
    this.#watches.push(
      this.#decoration,
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
        // While a trace is read, its cursor moves on; the caret follows when all is read.
        if (what === 'cursor' && !trace.following) this.#cursorMoved(trace);
        if (what === 'trace' && trace.load !== 'loading') this.#cursorMoved(trace);
        if (what === 'closed') for (const editor of this.#editorsOf(trace)) this.#highlight(editor);
      }),
    );
    // A trace may be open in the editor that is active already.
    this.#editorChosen(vscode.window.activeTextEditor);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#watches).dispose();
  }

  #editorsOf(trace: OpenTrace): vscode.TextEditor[] {
    const key = trace.uri.toString();
    return vscode.window.visibleTextEditors.filter((editor) => editor.document.uri.toString() === key);
  }

  #editorChosen(editor: vscode.TextEditor | undefined): void {
    const trace = editor && this.#sessions.find(editor.document.uri);
    if (trace) this.#sessions.activate(trace);
  }

  #editorsShown(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) {
      const isNew = !this.#visible.has(editor);
      const trace = this.#sessions.find(editor.document.uri);
      // A text that was opened somewhere else than at its beginning stays there.
      if (isNew && trace && editor.selection.active.isEqual(new vscode.Position(0, 0))) this.#show(editor, trace);
      else this.#highlight(editor);
    }
    this.#visible = new Set(editors);
  }

  #caretMoved({ textEditor, kind, selections }: vscode.TextEditorSelectionChangeEvent): void {
    if (kind !== Mouse && kind !== Keyboard) return;
    const trace = this.#sessions.find(textEditor.document.uri);
    const caret = selections[0]?.active;
    if (!trace || !caret) return;
    this.#sessions.activate(trace);
    if (lineOf(trace) === caret.line) return;
    this.#source = textEditor;
    try {
      // Lines before the first event have no state; the cursor stays.
      trace.session.move({ to: 'line', line: caret.line + 1 });
    } finally {
      this.#source = undefined;
    }
  }

  #cursorMoved(trace: OpenTrace): void {
    for (const editor of this.#editorsOf(trace)) {
      if (editor === this.#source) this.#highlight(editor);
      else this.#show(editor, trace);
    }
  }

  /** Puts the caret of an editor on the line of the event at the cursor, and scrolls there if necessary. */
  #show(editor: vscode.TextEditor, trace: OpenTrace): void {
    this.#highlight(editor);
    const line = lineOf(trace);
    if (line === undefined || line >= editor.document.lineCount) return;
    // The editor highlights every occurrence of the word at the caret. The stamp of a QEMU log line is the better word: its thread occurs everywhere.
    const thread = /^\d{1,10}@/.exec(editor.document.lineAt(line).text);
    const at = new vscode.Position(line, thread?.[0].length ?? 0);
    editor.selection = new vscode.Selection(at, at);
    const start = new vscode.Position(line, 0);
    editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  #highlight(editor: vscode.TextEditor): void {
    const trace = this.#sessions.find(editor.document.uri);
    const line = trace && lineOf(trace);
    const shown = line !== undefined && line < editor.document.lineCount;
    editor.setDecorations(this.#decoration, shown ? [editor.document.lineAt(line).range] : []);
  }
}

/** The line (0-based) of the event at the cursor; undefined before the first event. */
function lineOf(trace: OpenTrace): number | undefined {
  const { cursor, trace: events } = trace.session;
  return cursor < 0 || cursor >= events.length ? undefined : events.table.line(cursor) - 1;
}
