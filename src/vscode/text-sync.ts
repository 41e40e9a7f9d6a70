import * as vscode from 'vscode';
import type { OpenTrace, Sessions } from './sessions.ts';
import { adoptLanguage } from './text.ts';

const { Mouse, Keyboard } = vscode.TextEditorSelectionChangeKind;

/** Keeps the caret in the text of a trace and the cursor of its session together, both ways. */
export class TextSync implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #decoration: vscode.TextEditorDecorationType;
  readonly #watches: vscode.Disposable[] = [];
  /** The editor whose caret moves the cursor right now: it need not follow itself. */
  #source: vscode.TextEditor | undefined;

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
      vscode.window.onDidChangeVisibleTextEditors((editors) => {
        for (const editor of editors) this.#highlight(editor);
      }),
      vscode.workspace.onDidOpenTextDocument((document) => {
        const trace = sessions.find(document.uri);
        if (trace) void adoptLanguage(trace);
      }),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'opened') void adoptLanguage(trace);
        // While a trace is read its cursor runs ahead; the text follows when it has arrived.
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
      this.#highlight(editor);
      const line = lineOf(trace);
      if (editor === this.#source || line === undefined || line >= editor.document.lineCount) continue;
      const at = new vscode.Position(line, 0);
      editor.selection = new vscode.Selection(at, at);
      editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
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
