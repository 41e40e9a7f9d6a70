import * as vscode from 'vscode';
import { withoutLinks } from '../view/notification.ts';

/**
 * Notifications of the editor. All go through these functions, because their texts hold words of traces, of file names and of files
 * of the workspace, which must not become links. Each resolves with the button that the user chose; undefined when none was.
 */
export const showInfo = (text: string, ...buttons: readonly string[]): Thenable<string | undefined> =>
  vscode.window.showInformationMessage(withoutLinks(text), ...buttons);

/** A warning, see `showInfo`. */
export const showWarning = (text: string, ...buttons: readonly string[]): Thenable<string | undefined> =>
  vscode.window.showWarningMessage(withoutLinks(text), ...buttons);

/** An error, see `showInfo`. */
export const showError = (text: string, ...buttons: readonly string[]): Thenable<string | undefined> =>
  vscode.window.showErrorMessage(withoutLinks(text), ...buttons);
