import * as vscode from 'vscode';

/** What commands do, by name without `irqscope.`. */
export type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

const MESSAGE_MS = 4000;

/** Says why something did not happen, where it does not stand in the way. */
export function say(text: string): void {
  vscode.window.setStatusBarMessage(`$(info) ${text.charAt(0).toUpperCase()}${text.slice(1)}`, MESSAGE_MS);
}
