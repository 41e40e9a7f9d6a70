import { HOST_EXTENSION } from 'vscode-messenger-common';
import { Messenger } from 'vscode-messenger-webview';
import { type After, Peer } from '../src/protocol/rpc.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const after: After = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

/** Connects a page to the extension. `name`: what its warnings begin with. Call `start` when everything listens. */
export function connect(name: string): { readonly api: VsCodeApi; readonly peer: Peer; readonly start: () => void } {
  // The editor's menu has Cut, Copy and Paste, which are for the box alone.
  document.addEventListener('contextmenu', (event) => {
    if (!(event.composedPath()[0] instanceof HTMLInputElement)) event.preventDefault();
  });
  const api = acquireVsCodeApi();
  const messenger = new Messenger(api);
  const peer = new Peer(messenger, HOST_EXTENSION, { after, problem: (text) => console.warn(`${name}: ${text}`) });
  return { api, peer, start: () => messenger.start() };
}
