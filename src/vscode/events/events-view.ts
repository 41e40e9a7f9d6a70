import * as vscode from 'vscode';
import { count, counted } from '../../base/counted.ts';
import { Peer } from '../../protocol/rpc.ts';
import { say } from '../commands/handlers.ts';
import { HostMessenger } from '../host-messenger.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { eventsPage } from '../timeline/page.ts';
import { after, fillPage } from '../webview.ts';
import { EventsService } from './events-service.ts';
import type { Searcher } from './searcher.ts';

/** The view with the list of events; package.json names it too. */
export const EVENTS = 'irqscope.events';

/** What the list of events uses of the extension. */
export interface EventsParts {
  readonly context: vscode.ExtensionContext;
  readonly sessions: Sessions;
  readonly searcher: Searcher;
  readonly log: vscode.LogOutputChannel;
}

/** The view *Events* in the panel below the editors: the events of the active trace, or those that a search found. */
export function registerEvents({ context, sessions, searcher, log }: EventsParts): vscode.Disposable {
  return vscode.window.registerWebviewViewProvider(EVENTS, {
    resolveWebviewView: (view) => {
      const problem = (text: string): void => log.warn(`events: ${text}`);
      const messenger = new HostMessenger(log);
      const peer = new Peer(messenger, messenger.registerWebviewView(view), { after, problem });
      const service = new EventsService(peer, { after, searcher, problem, copy });
      const show = (trace: OpenTrace | undefined): void => {
        service.show(trace);
        view.description = trace?.label ?? '';
      };
      const follow = sessions.onDidChange(({ what, trace }) => {
        if (what === 'active') show(trace);
        if (trace === undefined || trace !== sessions.active) return;
        if (what === 'trace') service.grown();
        if (what === 'cursor') service.moved();
        if (what === 'search') service.searched();
      });
      view.onDidDispose(() => {
        follow.dispose();
        service.dispose();
      });
      show(sessions.active);
      fillPage(view.webview, context, { script: 'events.js', styles: ['events.css', 'query.css'] }, eventsPage);
    },
  });
}

/** Puts rows on the clipboard and says so. */
export async function copy(text: string, copied: number, all: number): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  const what = copied < all ? `the first ${count(copied)} of ${counted(all, 'event')}` : counted(copied, 'event');
  say(`on the clipboard: ${what}`);
}
