import * as vscode from 'vscode';
import { Peer } from '../../protocol/rpc.ts';
import { HostMessenger } from '../host-messenger.ts';
import type { Opener } from '../opening.ts';
import { Cancelled, type OpenTrace } from '../sessions.ts';
import { baseName } from '../sources/entry.ts';
import { isTraceTab, TRACE_EDITOR, TRACE_EDITOR_BY_CHOICE } from '../text.ts';
import { eventsPage, refusalPage } from '../timeline/page.ts';
import { after, fillPage } from '../webview.ts';
import { EventsService } from './events-service.ts';
import { copy, type EventsParts } from './events-view.ts';

/** What the editor uses of the extension. */
export interface TraceEditorParts extends EventsParts {
  readonly opener: Opener;
}

/**
 * The editor of traces whose file is no text: trace.dat, archives, folders, session files. It shows the list of their events, and reads only. A file
 * that is no trace gets a page that says so and leads to the editor for text.
 */
export class TraceEditor implements vscode.CustomReadonlyEditorProvider {
  readonly #parts: TraceEditorParts;

  static register(parts: TraceEditorParts): vscode.Disposable {
    const editor = new TraceEditor(parts);
    const options = { supportsMultipleEditorsPerDocument: true };
    return vscode.Disposable.from(
      vscode.window.registerCustomEditorProvider(TRACE_EDITOR, editor, options),
      vscode.window.registerCustomEditorProvider(TRACE_EDITOR_BY_CHOICE, editor, options),
      vscode.commands.registerCommand('irqscope.reopenAsText', reopenAsText),
    );
  }

  private constructor(parts: TraceEditorParts) {
    this.#parts = parts;
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { context, sessions, searcher, opener, log } = this.#parts;
    const problem = (text: string): void => log.warn(`${uri.path}: ${text}`);
    const messenger = new HostMessenger(log);
    const peer = new Peer(messenger, messenger.registerWebviewPanel(panel), { after, problem });
    const service = new EventsService(peer, { after, searcher, problem, copy });
    let shown: OpenTrace | undefined;
    let reading = false;
    let over = false;
    let refused = false;
    const page = { script: 'events.js', styles: ['events.css', 'query.css'] };
    const fill = (): void => fillPage(panel.webview, context, page, eventsPage);
    const show = (): void => {
      const trace = sessions.find(uri);
      if (trace === shown && trace !== undefined) return;
      shown = trace;
      if (trace && refused) fill();
      refused &&= trace === undefined;
      service.show(trace, { name: baseName(uri), loading: reading });
    };
    const follow = sessions.onDidChange(({ what, trace }) => {
      if (what === 'opened' || what === 'closed' || what === 'replaced') show();
      if (trace === undefined || trace !== shown) return;
      if (what === 'trace') service.grown();
      if (what === 'cursor') service.moved();
      if (what === 'search') service.searched();
    });
    const fronted = panel.onDidChangeViewState(() => {
      if (panel.active && shown) sessions.activate(shown);
    });
    panel.onDidDispose(() => {
      over = true;
      follow.dispose();
      fronted.dispose();
      service.dispose();
    });
    reading = sessions.find(uri) === undefined;
    fill();
    show();
    // It lists another trace than the one that the views show.
    if (panel.active && shown) sessions.activate(shown);
    if (!reading) return;
    const read = opener.read(uri).finally(() => {
      reading = false;
      if (!over && !shown) show();
    });
    read.catch((error: unknown) => {
      if (over || shown) return;
      refused = true;
      const cancelled = error instanceof Cancelled;
      const why = cancelled ? 'reading was stopped' : error instanceof Error ? error.message : String(error);
      if (!cancelled) problem(why);
      panel.webview.options = { enableCommandUris: ['irqscope.reopenAsText', 'irqscope.openTrace'] };
      panel.webview.html = refusalPage(baseName(uri), why, [
        ['Open as Text', command('reopenAsText', uri)],
        ['Try Again', command('openTrace', uri)],
      ]);
    });
  }
}

/** A link that calls a command of this extension with a file. */
const command = (name: string, uri: vscode.Uri): string =>
  `command:irqscope.${name}?${encodeURIComponent(JSON.stringify([uri.toString()]))}`;

/** Shows a file in the editor for text, in the place of the editor of traces. */
async function reopenAsText(argument?: unknown): Promise<void> {
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  const here = isTraceTab(activeTab?.input) ? activeTab.input.uri : undefined;
  const uri =
    typeof argument === 'string' ? vscode.Uri.parse(argument) : argument instanceof vscode.Uri ? argument : here;
  if (!uri) return;
  await vscode.commands.executeCommand('vscode.openWith', uri, 'default');
}
