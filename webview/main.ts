import { HOST_EXTENSION } from 'vscode-messenger-common';
import { Messenger } from 'vscode-messenger-webview';
import { type After, Peer } from '../src/protocol/rpc.ts';
import { App } from './app.ts';

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

/** The editor's menu has Cut, Copy and Paste, which are for the filter alone. */
document.addEventListener('contextmenu', (event) => {
  if (!(event.composedPath()[0] instanceof HTMLInputElement)) event.preventDefault();
});

const api = acquireVsCodeApi();
const messenger = new Messenger(api);
const peer = new Peer(messenger, HOST_EXTENSION, { after, problem: (text) => console.warn(`timeline: ${text}`) });
new App(document.getElementById('timeline')!, peer, api).start();
messenger.start();
