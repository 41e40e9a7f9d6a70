import * as vscode from 'vscode';
import { baseName } from './entry.ts';

/** How often the size of a followed file is looked at: the editor tells of changes, but not in every file system. */
export const LOOK_MS = 500;

/** Calls `changed` when a file is written or comes back. */
export function watchFile(uri: vscode.Uri, changed: () => void): vscode.Disposable {
  // The name is a pattern: what has a meaning there stands for any character.
  const name = baseName(uri).replaceAll(/[*?{}[\],!]/g, '?');
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), name),
  );
  watcher.onDidChange(changed);
  watcher.onDidCreate(changed);
  return watcher;
}
