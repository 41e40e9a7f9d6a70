import * as vscode from 'vscode';
import type { FieldValue } from '../model/register.ts';
import { fieldsFor } from '../model/register.ts';
import type { HistoryEntry } from '../query/history.ts';
import { cellBits, valueText } from '../query/view.ts';
import { writesAround } from '../query/writes.ts';
import { fieldText } from '../view/values.ts';
import type { Subject } from './selected.ts';

/** Most writes that are listed before the cursor, and most that are listed after it. */
const MOST = 2500;

interface Item extends vscode.QuickPickItem {
  readonly step: number;
}

/** Lists the writes of a target. When the user chooses one, the cursor moves there. */
export async function showHistory(subject: Subject): Promise<void> {
  const { trace, path } = subject;
  const { session } = trace;
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = `History of ${path}`;
  pick.placeholder = 'Looking for writes…';
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.busy = true;
  pick.show();
  const shown = new Promise<void>((done) => pick.onDidHide(() => done()));
  pick.onDidAccept(() => {
    const [item] = pick.activeItems;
    pick.hide();
    if (item) session.move({ to: 'step', step: item.step });
  });
  // The list is on the screen before the search starts, because the search takes a moment in long traces.
  await new Promise((done) => setTimeout(done, 10));
  const { entries, all } = writesAround(session.trace, subject.target, session.cursor, MOST);
  const items = entries.map((entry) => itemOf(subject, entry));
  pick.items = items;
  pick.busy = false;
  const count = `${items.length} ${items.length === 1 ? 'write' : 'writes'}${all ? '' : ' around the cursor'}`;
  pick.placeholder = items.length === 0 ? 'The trace shows no write of this.' : `${count}; choose one to go there`;
  const current = items.findLast((item) => item.step <= session.cursor);
  if (current) pick.activeItems = [current];
  await shown;
  pick.dispose();
}

function itemOf(subject: Subject, entry: HistoryEntry): Item {
  const { trace, path } = subject;
  const here = entry.step === trace.session.cursor ? '$(target) ' : '';
  const where = entry.path === undefined ? '' : `${entry.path.slice(path.length + 1)}: `;
  return {
    label: `${here}${where}${textOf(subject, entry.old)} → ${textOf(subject, entry.new)}`,
    description: [entry.time, `step ${entry.step}`, `line ${entry.source.line}`].filter(Boolean).join(' · '),
    step: entry.step,
  };
}

function textOf({ trace, target }: Subject, value: HistoryEntry['old']): string {
  const { cell, field, type, object } = target;
  if (field === undefined || !cell?.register || !type) return valueText(value as Parameters<typeof valueText>[0]);
  const { state } = trace.session;
  const specs = [...fieldsFor(cell.register, cellBits(state, object, cell, type)), ...cell.register.fields];
  return fieldText(
    specs.find((f) => f.name === field),
    value as FieldValue,
  );
}
