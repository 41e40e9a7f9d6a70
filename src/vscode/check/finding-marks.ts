import * as vscode from 'vscode';
import type { Finding } from '../../check/check-trace.ts';
import { rank, witnesses } from '../../check/report/view.ts';
import type { OpenTrace } from '../sessions.ts';
import { lineIn } from '../text-place.ts';
import { ROW_SCHEME } from '../views/marks.ts';
import type { OutlineView } from '../views/outline-view.ts';
import type { Checks } from './checks.ts';

/** Marks the rows of objects that findings are about, and the rows above them. */
export class FindingMarks implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #checks: Checks;
  readonly #views: readonly OutlineView[];
  readonly #active: () => OpenTrace | undefined;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #watch: vscode.Disposable;
  /** The worst finding of each object, and what they were taken from. */
  #worst = new Map<number, Finding>();
  #from: readonly Finding[] | undefined;

  readonly onDidChangeFileDecorations: vscode.Event<undefined> = this.#changed.event;

  constructor(checks: Checks, views: readonly OutlineView[], active: () => OpenTrace | undefined) {
    this.#checks = checks;
    this.#views = views;
    this.#active = active;
    this.#watch = vscode.Disposable.from(
      this.#changed,
      vscode.window.registerFileDecorationProvider(this),
      checks.onDidChange((trace) => {
        if (trace !== active()) return;
        const before = this.#worst;
        const now = this.#objects();
        const same = before.size === now.size && [...now].every(([object, one]) => before.get(object) === one);
        if (!same) this.#changed.fire(undefined);
      }),
    );
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== ROW_SCHEME) return undefined;
    const trace = this.#active();
    if (trace === undefined || Number(uri.authority) !== trace.id) return undefined;
    const [, name = '', ...id] = uri.path.split('/');
    const row = this.#views.find((view) => view.name === name)?.outline?.known(id.join('/'));
    const finding = row?.kind === 'node' ? this.#objects().get(row.node.object) : undefined;
    if (finding === undefined) return undefined;
    const color = finding.severity === 'info' || finding.severity === 'warning' ? 'Warning' : 'Error';
    const title = `${finding.rule.id}: ${finding.title}`;
    const decoration = new vscode.FileDecoration(
      '!',
      title,
      new vscode.ThemeColor(`list.${color.toLowerCase()}Foreground`),
    );
    decoration.propagate = true;
    return decoration;
  }

  dispose(): void {
    this.#watch.dispose();
  }

  #objects(): ReadonlyMap<number, Finding> {
    const findings = this.#checks.of(this.#active())?.findings;
    if (findings === this.#from) return this.#worst;
    this.#from = findings;
    this.#worst = new Map();
    for (const finding of findings ?? []) {
      const known = this.#worst.get(finding.object);
      if (known === undefined || rank(finding.severity) < rank(known.severity))
        this.#worst.set(finding.object, finding);
    }
    return this.#worst;
  }
}

/** Most lines of one text that are marked. */
const MOST_LINES = 5000;

const NONE: readonly Finding[] = [];

/** What is marked in an editor: of which trace, in which version of the text, and which lines. */
interface Marked {
  readonly trace: OpenTrace;
  readonly version: number;
  readonly lines: ReadonlySet<number>;
}

const isSame = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a === b || (a.size === b.size && [...a].every((line) => b.has(line)));

/** Marks the lines that findings stand on, in the gutter and in the overview ruler of the texts of traces. */
export class WitnessMarks implements vscode.Disposable {
  readonly #checks: Checks;
  readonly #icon: vscode.Uri;
  /** A kind of mark for each trace: disposing of it takes the marks out of every editor, without naming one. */
  readonly #types = new Map<OpenTrace, vscode.TextEditorDecorationType>();
  /** What is marked in an editor, and for which trace. */
  readonly #marked = new WeakMap<vscode.TextEditor, Marked>();
  /** The lines of each text, as they follow from some findings: they are asked for whenever the cursor moves. */
  readonly #lines = new WeakMap<readonly Finding[], Map<string, ReadonlySet<number>>>();

  constructor(checks: Checks, extension: vscode.Uri) {
    this.#checks = checks;
    this.#icon = vscode.Uri.joinPath(extension, 'media', 'witness.svg');
  }

  /** The lines (from 0) of a text that findings of a trace stand on; the same set while the findings are the same. */
  linesIn(trace: OpenTrace, uri: vscode.Uri): ReadonlySet<number> {
    const findings = this.#checks.of(trace)?.findings ?? NONE;
    let known = this.#lines.get(findings);
    if (known === undefined) this.#lines.set(findings, (known = new Map()));
    // Which texts there are follows from the sources.
    const key = `${trace.session.trace.sources.length} ${uri.toString()}`;
    let lines = known.get(key);
    if (lines === undefined) known.set(key, (lines = this.#find(trace, uri, findings)));
    return lines;
  }

  #find(trace: OpenTrace, uri: vscode.Uri, findings: readonly Finding[]): ReadonlySet<number> {
    const lines = new Set<number>();
    for (const finding of findings) {
      for (const step of witnesses(finding)) {
        const line = lineIn(trace, uri, step);
        if (line !== undefined) lines.add(line);
      }
      if (lines.size > MOST_LINES) break;
    }
    return lines;
  }

  /** Marks the lines of a text of a trace. The caller knows that the editor is there. */
  mark(editor: vscode.TextEditor, trace: OpenTrace): void {
    const { uri, lineCount, version } = editor.document;
    const lines = this.linesIn(trace, uri);
    const before = this.#marked.get(editor);
    const same = before?.trace === trace && before.version === version && isSame(before.lines, lines);
    if (same || (lines.size === 0 && before === undefined)) return;
    // Another trace that has this text, too, was the active one.
    const other = before && before.trace !== trace ? this.#types.get(before.trace) : undefined;
    if (other) editor.setDecorations(other, []);
    this.#marked.set(editor, { trace, version, lines });
    const ranges = [...lines]
      .filter((line) => line >= 0 && line < lineCount)
      .map((line) => new vscode.Range(line, 0, line, 0));
    editor.setDecorations(this.#typeOf(trace), ranges);
  }

  /** The trace was closed. */
  forget(trace: OpenTrace): void {
    this.#types.get(trace)?.dispose();
    this.#types.delete(trace);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#types.values()).dispose();
  }

  #typeOf(trace: OpenTrace): vscode.TextEditorDecorationType {
    let type = this.#types.get(trace);
    if (!type) {
      type = vscode.window.createTextEditorDecorationType({
        overviewRulerColor: new vscode.ThemeColor('irqscope.witnessOverviewRuler'),
        overviewRulerLane: vscode.OverviewRulerLane.Left,
        gutterIconPath: this.#icon,
        gutterIconSize: 'contain',
      });
      this.#types.set(trace, type);
    }
    return type;
  }
}
