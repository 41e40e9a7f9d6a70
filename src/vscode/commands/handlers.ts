import * as vscode from 'vscode';

/** The commands by their name without `irqscope.`. */
export type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

const MESSAGE_MS = 4000;

/** Shows a short message in the status bar, such as why a command did nothing. */
export function say(text: string): void {
  vscode.window.setStatusBarMessage(`$(info) ${text.charAt(0).toUpperCase()}${text.slice(1)}`, MESSAGE_MS);
}
