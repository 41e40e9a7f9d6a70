// Runs inside the page: the line between the page and the host's end, which is in the same page.
import type { WebviewPanel } from 'vscode';
import { Messenger } from 'vscode-messenger';
import { type After, Peer } from '../../src/protocol/rpc.ts';

type Listener = (message: unknown) => void;

export const after: After = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

/** The place of the extension host in a page under test: what the page sends goes to a service, and its answers come back. */
export class Port {
  /** What the page has sent, in order. */
  readonly sent: { method?: string; params?: unknown }[] = [];
  /** What the page has stored. */
  state: unknown;
  readonly problems: string[] = [];
  /** Milliseconds that answers take. */
  delay = 0;
  /** Questions of the page that are not answered yet, by their id. */
  readonly open = new Set<string>();
  readonly peer: Peer;
  readonly #listeners: Listener[] = [];

  constructor(viewType: string) {
    const panel = {
      viewType,
      visible: true,
      onDidDispose: () => ({ dispose: () => {} }),
      webview: {
        onDidReceiveMessage: (listener: Listener) => {
          this.#listeners.push(listener);
          return { dispose: () => {} };
        },
        postMessage: (message: unknown) => {
          const copy = structuredClone(message);
          const deliver = (): void => {
            window.dispatchEvent(new MessageEvent('message', { data: copy }));
            const { id, method } = copy as { id?: string; method?: string };
            if (id !== undefined && method === undefined) this.open.delete(id);
          };
          if (this.delay > 0) setTimeout(deliver, this.delay);
          else queueMicrotask(deliver);
          return Promise.resolve(true);
        },
      },
    };
    const messenger = new Messenger();
    const receiver = messenger.registerWebviewPanel(panel as unknown as WebviewPanel);
    this.peer = new Peer(messenger, receiver, { after, problem: (text) => this.problems.push(text) });
  }

  /** What acquireVsCodeApi() gives to the page. */
  readonly api = {
    postMessage: (message: unknown): void => {
      const copy = structuredClone(message) as { id?: string; method?: string; params?: unknown };
      this.sent.push(copy);
      if (copy.id !== undefined && copy.method !== undefined) this.open.add(copy.id);
      queueMicrotask(() => {
        for (const listener of this.#listeners) listener(copy);
      });
    },
    getState: (): unknown => this.state,
    setState: (state: unknown): void => {
      this.state = structuredClone(state);
    },
  };
}
