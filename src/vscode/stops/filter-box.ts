import * as vscode from 'vscode';
import { completed } from '../../view/query-text.ts';
import type { OpenTrace } from '../sessions.ts';

interface Question {
  readonly title: string;
  /** What a whole filter is used for: `Run to`. */
  readonly action: string;
  readonly value?: string;
}

interface Item extends vscode.QuickPickItem {
  /** The whole filter, which accepting the row gives. */
  readonly whole?: string;
  /** What is typed after accepting the row. */
  readonly typed?: string;
}

/** Filters that were used in this window, the last one first. */
const recent: string[] = [];
/** So many of them are offered. */
const MOST_RECENT = 10;

/** The language is loaded when it is needed first. */
const loadLanguage = () => import('../../query/filter/typing.ts');

type Language = Awaited<ReturnType<typeof loadLanguage>>;

/** The rows below what is typed: the filter as it is or what is wrong with it, then the ways to go on. */
function rows({ problemOf, waysOn }: Language, text: string, action: string, trace: OpenTrace): Item[] {
  const trimmed = text.trim();
  const more = waysOn(text, text.length, trace.session.trace).map(
    (way): Item => ({
      ...{ label: way.text, description: way.what, typed: completed(text, way).text, alwaysShow: true },
    }),
  );
  if (trimmed === '') {
    const used = recent.map(
      (filter): Item => ({ label: filter, description: 'used before', whole: filter, alwaysShow: true }),
    );
    return [...used, ...more];
  }
  const problem = problemOf(trimmed);
  if (problem === null)
    return [{ label: `$(debug-continue) ${action} ${trimmed}`, whole: trimmed, alwaysShow: true }, ...more];
  // At the end of what is typed something is missing, nothing is wrong.
  const column = problem.missing ? '' : `column ${problem.at + 1}: `;
  const label = `$(${problem.missing ? 'edit' : 'error'}) ${column}${problem.message}`;
  const wrong: Item = { label, alwaysShow: true };
  return problem.missing ? [...more, wrong] : [wrong, ...more];
}

/** Asks for a filter. While the user types, the rows tell how it can go on, and what is wrong with it; accepting such a row writes it. */
export async function askFilter(trace: OpenTrace, { title, action, value }: Question): Promise<string | undefined> {
  const language = await loadLanguage();
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = title;
  pick.placeholder = 'kind == msix.write && device == 00:03.0 && entry.mask && dt > 50us';
  pick.value = value ?? '';
  const show = (): void => {
    pick.items = rows(language, pick.value, action, trace);
  };
  show();
  pick.onDidChangeValue(show);
  const chosen = new Promise<string | undefined>((done) => {
    pick.onDidAccept(() => {
      // Enter may come before the editor has told which row is the active one now: then it is the first one that offers something.
      const offers = (row: Item): boolean => row.whole !== undefined || row.typed !== undefined;
      const item = pick.activeItems.find((row) => pick.items.includes(row) && offers(row)) ?? pick.items.find(offers);
      if (item?.whole !== undefined) {
        done(item.whole);
        pick.hide();
      } else if (item?.typed !== undefined) {
        pick.value = item.typed;
        show();
      }
    });
    pick.onDidHide(() => done(undefined));
  });
  pick.show();
  try {
    const filter = await chosen;
    if (filter !== undefined) {
      const known = recent.indexOf(filter);
      if (known >= 0) recent.splice(known, 1);
      recent.unshift(filter);
      recent.length = Math.min(recent.length, MOST_RECENT);
    }
    return filter;
  } finally {
    pick.dispose();
  }
}
