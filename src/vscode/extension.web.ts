import type * as vscode from 'vscode';
import { activateWith } from './activate.ts';
import type { IrqScopeApi } from './api.ts';
import { openThroughWorkspace } from './workspace-source.ts';

export function activate(context: vscode.ExtensionContext): IrqScopeApi {
  return activateWith({ openSource: openThroughWorkspace }, context);
}
