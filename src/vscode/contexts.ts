import * as vscode from 'vscode';
import { OUTLINES, rootsOf } from '../view/outline/rows.ts';
import { hasRecipe, type Sessions } from './sessions.ts';
import { isTraceTab } from './text.ts';
import { shownIn } from './text-place.ts';

const known = new Map<string, unknown>();

/** Sets a context key for `when` clauses; tells the editor only when it changes. */
export function setContext(name: string, value: unknown): void {
  if (known.get(name) === value) return;
  known.set(name, value);
  void vscode.commands.executeCommand('setContext', `irqscope.${name}`, value);
}

/** Keeps the context keys in step with the store. */
export function watchContexts(sessions: Sessions): vscode.Disposable {
  const update = (): void => {
    const { active } = sessions;
    setContext('open', sessions.all.length > 0);
    setContext('active', active !== undefined);
    setContext('onlyChanged', active?.session.onlyChanged === true);
    setContext('simulated', active?.branch !== undefined);
    setContext('scenario', active?.branch?.recipe !== undefined);
    setContext('recipe', active !== undefined && hasRecipe(active));
    setContext('file', active !== undefined && !active.branch);
    setContext('joined', (active?.files.filter(({ skipped }) => !skipped).length ?? 0) > 1);
    setContext('followed', active?.follow !== undefined);
    setContext('selected', active?.session.selection !== undefined);
    setContext('traceEditor', isTraceEditor(sessions));
    for (const name of OUTLINES) {
      const { world } = active?.session.trace ?? {};
      const some = world !== undefined && rootsOf(world, name).some((root) => root.children.size > 0);
      setContext(`without.${name}`, !some);
    }
  };
  update();
  return vscode.Disposable.from(
    sessions.onDidChange(({ what }) => {
      if (what !== 'cursor') update();
    }),
    vscode.window.onDidChangeActiveTextEditor(update),
    vscode.window.tabGroups.onDidChangeTabs(update),
    vscode.window.tabGroups.onDidChangeTabGroups(update),
    { dispose: () => known.clear() },
  );
}

/** Whether the active editor shows the text of an open trace. Extensions get no text editor for a file over 50 MB, but its tab. */
function isTraceEditor(sessions: Sessions): boolean {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const uri =
    vscode.window.activeTextEditor?.document.uri ?? (input instanceof vscode.TabInputText ? input.uri : undefined);
  if (isTraceTab(input)) return true;
  return uri !== undefined && shownIn(sessions, uri) !== undefined;
}
