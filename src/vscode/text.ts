import * as vscode from 'vscode';
import { byName } from '../base/by-name.ts';
import { showInfo } from './message.ts';
import { BRANCH_SCHEME, type OpenTrace } from './sessions.ts';
import { baseName } from './sources/entry.ts';

/** The editor does not give extensions the text of files larger than this. */
export const LARGEST_TEXT = 50 * 1024 * 1024;

/** The type of the webview with the timeline. */
export const TIMELINE = 'irqscope.timeline';

/** Languages that the editor gives a log by its name. */
const UNSPECIFIC = new Set(['plaintext', 'log', 'Log']);
const LANGUAGES: Readonly<Record<string, string>> = byName({
  'qemu-log': 'qemu-trace',
  'ftrace-text': 'ftrace',
  'trace-cmd-report': 'ftrace',
  dmesg: 'dmesg',
  irqtrace: 'irqtrace',
  lspci: 'lspci',
});

/** The address of a file of a trace. One that was not opened by itself is looked for beside the first. */
export function uriOf({ uri, session, files }: OpenTrace, file: string): vscode.Uri {
  const known = files.find((one) => one.file === file);
  if (known) return known.uri;
  return file === session.trace.first.file ? uri : vscode.Uri.joinPath(uri, '..', file);
}

/** Why the editor cannot show a file as text. */
export type NoText = 'binary' | 'packed' | 'archive' | 'several';

/** Why the editor cannot show a file of a trace (what it was opened by if none is given) as text; undefined where it can. */
export function whyNoText(trace: OpenTrace, uri = trace.uri): NoText | undefined {
  const key = uri.toString();
  const file = trace.files.find((one) => one.uri.toString() === key);
  if (file?.given.kind === 'archive') return 'archive';
  if (file?.files !== undefined) return 'several';
  const isBinary = trace.session.trace.sources.some((s) => s.binary && uriOf(trace, s.file).toString() === key);
  if (isBinary) return 'binary';
  if (/\.(gz|zst|zstd)$/i.test(uri.path)) return 'packed';
  // A folder, an archive or a session file.
  return file === undefined && trace.branch === undefined && key === trace.uri.toString() ? 'several' : undefined;
}

/** The type of the editor that shows the events of a trace whose file is no text; package.json names it too. */
export const TRACE_EDITOR = 'irqscope.trace';

/** A second entry of package.json for the same editor: files that it opens only when the user asks for it. */
export const TRACE_EDITOR_BY_CHOICE = 'irqscope.traceByChoice';

/** Whether a tab shows the events of a trace. */
export const isTraceTab = (input: unknown): input is vscode.TabInputCustom =>
  input instanceof vscode.TabInputCustom && [TRACE_EDITOR, TRACE_EDITOR_BY_CHOICE].includes(input.viewType);

/** Shows the text of a trace file, if it is text of a size that the editor can work with; the focus stays where it is. */
export async function showText(trace: OpenTrace): Promise<void> {
  const { uri } = trace;
  if (whyNoText(trace) !== undefined) return showEvents(trace);
  if (vscode.window.visibleTextEditors.some((e) => e.document.uri.toString() === uri.toString())) return;
  // A trace without a file has no size that could be checked first.
  if (uri.scheme !== BRANCH_SCHEME && (await vscode.workspace.fs.stat(uri)).size > LARGEST_TEXT) return;
  await vscode.window.showTextDocument(uri, { viewColumn: columnFor(uri), preserveFocus: true, preview: false });
}

/** Shows the events of a trace whose file is no text; the focus stays where it is. */
async function showEvents({ uri }: OpenTrace): Promise<void> {
  const key = uri.toString();
  const { all } = vscode.window.tabGroups;
  const isShown = all.some(({ tabs }) => tabs.some(({ input }) => isTraceTab(input) && input.uri.toString() === key));
  if (isShown) return;
  const options = { viewColumn: columnFor(uri), preserveFocus: true, preview: false };
  await vscode.commands.executeCommand('vscode.openWith', uri, TRACE_EDITOR, options);
}

/** Where the text of a trace is shown: where it is open already, else in any place that does not cover the timeline. */
function columnFor(uri: vscode.Uri): vscode.ViewColumn {
  const { all, activeTabGroup } = vscode.window.tabGroups;
  const holdsText = ({ tabs }: vscode.TabGroup): boolean =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
  const home = all.find(holdsText);
  if (home) return home.viewColumn;
  if (!showsTimeline(activeTabGroup)) return activeTabGroup.viewColumn;
  return all.find((group) => !showsTimeline(group))?.viewColumn ?? vscode.ViewColumn.Beside;
}

/** The editor puts a prefix of its own before the type of a webview. */
function showsTimeline({ activeTab }: vscode.TabGroup): boolean {
  return activeTab?.input instanceof vscode.TabInputWebview && activeTab.input.viewType.endsWith(TIMELINE);
}

/** Shows a line (1-based) of a file of a trace (the first one if none is given) and puts the caret there. */
export async function revealLine(trace: OpenTrace, line: number, uri = trace.uri): Promise<void> {
  const why = whyNoText(trace, uri);
  if (why !== undefined) {
    const name = baseName(uri);
    const texts: Readonly<Record<NoText, string>> = {
      packed: `Line ${line} is in a packed file. Unpack ${name} and open that to see its text.`,
      archive: `Line ${line} of ${name} is in an archive. Unpack it and open the folder to see its text.`,
      several: `${name} holds several files; line ${line} belongs to one of them.`,
      binary: `${name} is no text. The views show its record ${line}.`,
    };
    void showInfo(texts[why]);
    return;
  }
  const at = new vscode.Position(line - 1, 0);
  const selection = new vscode.Range(at, at);
  const shown = vscode.window.visibleTextEditors.find((e) => e.document.uri.toString() === uri.toString());
  // For very large files only this command works; the editor asks the user before it opens one.
  if (!shown) {
    const options = { selection, preview: false, viewColumn: columnFor(uri) };
    return void (await vscode.commands.executeCommand('vscode.open', uri, options));
  }
  const options = { selection, preserveFocus: false, ...(shown.viewColumn ? { viewColumn: shown.viewColumn } : {}) };
  // With the selection the editor also scrolls there. Nothing is done to the text afterwards, because it may be closed by then.
  await vscode.window.showTextDocument(shown.document, options);
}

/** Gives the text of a trace its language, where the editor took it for a log because of its name. */
export async function adoptLanguage(trace: OpenTrace): Promise<void> {
  const language = LANGUAGES[trace.session.trace.first.format];
  const key = trace.uri.toString();
  const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === key && !d.isClosed);
  if (language === undefined || !document || !UNSPECIFIC.has(document.languageId)) return;
  // The document may be closed while the editor changes it.
  await vscode.languages.setTextDocumentLanguage(document, language).then(undefined, () => undefined);
}
