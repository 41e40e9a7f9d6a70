import * as vscode from 'vscode';
import { counted } from '../base/counted.ts';
import type { Step } from '../base/ids.ts';
import type { FieldValue } from '../model/register.ts';
import { fieldsFor } from '../model/register.ts';
import { lineText } from '../query/events.ts';
import type { HistoryEntry, KeysOf } from '../query/history.ts';
import { cellBits, valueText } from '../query/view.ts';
import { type WritesAround, writesAroundSlices } from '../query/writes.ts';
import { fieldText, UNKNOWN } from '../view/values.ts';
import { breathe } from './platform.ts';
import type { Subject } from './selected.ts';

/** Most writes that are listed before the cursor, and most that are listed after it. */
const MOST = 2500;
/** Milliseconds that a search works before other work of the editor has its turn. */
const SLICE_MS = 20;

interface Item extends vscode.QuickPickItem {
  /** The step of a write; undefined for the item that shows more keys. */
  readonly step?: Step;
}

/** At the end of the history of an object: the keys that are left out, because one event changes many of them. */
const MORE: Item = {
  label: '$(list-tree) Show Counters and Computed Keys Too',
  description: 'they follow from the writes above',
  alwaysShow: true,
};

/**
 * Lists the writes of a target. When the user chooses one, the cursor moves there. The history of a whole object leaves counters and
 * computed keys out until the user asks for them.
 */
export async function showHistory(subject: Subject): Promise<void> {
  const { trace, path } = subject;
  const { session } = trace;
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = `History of ${path}`;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  let hidden = false;
  const list = async (which: KeysOf): Promise<void> => {
    pick.placeholder = 'Looking for writes…';
    pick.busy = true;
    pick.show();
    // The list is on the screen before the search starts, because the search takes a moment in long traces.
    await new Promise((done) => setTimeout(done, 10));
    const writes = await lookFor(subject, which, () => hidden);
    if (writes === undefined) return;
    const { items, placeholder } = itemsOf(subject, which, writes);
    pick.items = items;
    pick.busy = false;
    pick.placeholder = placeholder;
    const current = items.findLast(({ step }) => step !== undefined && step <= session.cursor);
    if (current) pick.activeItems = [current];
  };
  const shown = new Promise<void>((done) =>
    pick.onDidHide(() => {
      hidden = true;
      done();
    }),
  );
  pick.onDidAccept(() => {
    const [item] = pick.activeItems;
    if (item === MORE) return void list('all');
    pick.hide();
    if (item?.step !== undefined) session.move({ to: 'step', step: item.step });
  });
  try {
    await list(subject.target.key === undefined ? 'told' : 'all');
    await shown;
  } finally {
    pick.dispose();
  }
}

/** The writes around the cursor; undefined when the user closed the list while they were looked for. */
async function lookFor(subject: Subject, which: KeysOf, closed: () => boolean): Promise<WritesAround | undefined> {
  const { session } = subject.trace;
  const slices = writesAroundSlices(session.trace, subject.target, session.cursor, MOST, which);
  while (!closed()) {
    for (const until = Date.now() + SLICE_MS; Date.now() < until; ) {
      const { done, value } = slices.next();
      if (done === true) return value;
    }
    await breathe();
  }
  return undefined;
}

/** The items of a history, and what to say above them. */
function itemsOf(subject: Subject, which: KeysOf, writes: WritesAround): { items: Item[]; placeholder: string } {
  const { entries, all } = writes;
  const items = entries.map((entry) => itemOf(subject, entry));
  const count = `${counted(items.length, 'write')}${all ? '' : ' around the cursor'}`;
  const none =
    which === 'told' ? 'Only counters and computed keys can have changed.' : 'The trace shows no write of this.';
  const placeholder = items.length === 0 ? none : `${count}; choose one to go there`;
  return { items: which === 'told' ? [...items, MORE] : items, placeholder };
}

function itemOf(subject: Subject, entry: HistoryEntry): Item {
  const { trace, path } = subject;
  const here = entry.step === trace.session.cursor ? '$(target) ' : '';
  const where = entry.path === undefined ? '' : `${entry.path.slice(path.length + 1)}: `;
  const [old, now] = [textOf(subject, entry.old), textOf(subject, entry.new)];
  // The write of a part of a value, whose other parts are not known, leaves the whole unknown.
  const change = old === now && now === UNKNOWN ? `${UNKNOWN}, a part became known` : `${old} → ${now}`;
  return {
    label: `${here}${where}${change}`,
    description: [entry.time, `step ${entry.step}`, lineText(trace.session.trace, entry.step)]
      .filter(Boolean)
      .join(' · '),
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
