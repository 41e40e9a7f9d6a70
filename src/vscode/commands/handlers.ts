import * as vscode from 'vscode';
import { showInfo } from '../message.ts';

/** The commands by their name without `irqscope.`. */
export type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

const MESSAGE_MS = 4000;

/** The message that was shown last. */
let shown: vscode.Disposable | undefined;

/** Shows a short message in the status bar, such as why a command did nothing. It begins with a word, not with a name, because its first letter becomes a capital. */
export function say(text: string, ms = MESSAGE_MS): void {
  // The editor would show an earlier one again that was to stay longer.
  shown?.dispose();
  shown = vscode.window.setStatusBarMessage(`$(info) ${capital(text)}`, ms);
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Shows a message of a sentence or more, for which the status bar is too short. */
export function tell(text: string): void {
  void showInfo(`${capital(text)}.`);
}
