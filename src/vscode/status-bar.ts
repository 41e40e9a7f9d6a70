import * as vscode from 'vscode';
import { count, counted, noun } from '../base/counted.ts';
import { timeText } from '../base/time.ts';
import { deltaText } from '../query/delta.ts';
import { eventText, lineText } from '../query/events.ts';
import { code, plain } from '../view/outline/explain.ts';
import type { OpenTrace, Sessions } from './sessions.ts';

/** The item at the left of the status bar: where the cursor of the active trace is. */
export function showStatus(sessions: Sessions): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('irqscope.cursor', vscode.StatusBarAlignment.Left, 50);
  item.name = 'IRQScope: Cursor';
  item.command = { command: 'irqscope.goToStep', title: 'Go to Step…' };
  const update = (): void => {
    const { active } = sessions;
    if (!active) {
      item.hide();
      return;
    }
    const { text, spoken } = cursorText(active);
    item.text = text;
    item.accessibilityInformation = { label: spoken };
    item.tooltip = tooltip(active);
    item.show();
  };
  update();
  return vscode.Disposable.from(
    item,
    sessions.onDidChange(({ what, trace }) => {
      if (what !== 'selection' && (what === 'active' || trace === sessions.active)) update();
      if (what === 'closed') update();
    }),
  );
}

function cursorText({ session, follow }: OpenTrace): { text: string; spoken: string } {
  const { cursor, trace } = session;
  const of = `${count(trace.length)}${session.loading || session.growing ? '+' : ''}`;
  if (cursor < 0)
    return {
      text: `$(pulse) before the first of ${of}`,
      spoken: `IRQScope: before the first of ${of} ${noun(trace.length, 'event')}`,
    };
  const time = timeText(trace.table.time(cursor), trace.time);
  const parts = [`step ${count(cursor)} of ${of}`, time, cursor > 0 ? deltaText(trace, cursor) : undefined];
  if (follow !== undefined) parts.push(follow === 'paused' ? 'following paused' : 'following');
  const shown = parts.filter((part) => part !== null && part !== undefined && part !== '');
  return { text: `$(pulse) ${shown.join(' · ')}`, spoken: `IRQScope: ${shown.join(', ')}` };
}

function tooltip({ session, label, following, follow }: OpenTrace): vscode.MarkdownString {
  const { cursor, trace } = session;
  const text = new vscode.MarkdownString(`**${plain(label)}**`);
  if (cursor >= 0) {
    text.appendMarkdown(`\n\n${code(eventText(trace, cursor))}\n\n${plain(lineText(trace, cursor))}`);
    // While a file is read, the cursor only runs along with it.
    const changed = following && session.loading ? undefined : session.changes.length;
    if (changed !== undefined)
      text.appendMarkdown(`, ${changed === 0 ? 'nothing' : counted(changed, 'object')} changed`);
  }
  if (follow === 'following') text.appendMarkdown('\n\nThe file is followed: what is appended to it shows here.');
  if (follow === 'paused')
    text.appendMarkdown('\n\nThe file is followed, but not now, while you look back. Go to the last event to go on.');
  text.appendMarkdown('\n\nClick to go to a step.');
  return text;
}
