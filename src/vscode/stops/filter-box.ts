import * as vscode from 'vscode';
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
async function loadLanguage() {
  const [{ completions }, { parseFilter }, { FilterError }] = await Promise.all([
    import('../../query/filter/complete.ts'),
    import('../../query/filter/parse.ts'),
    import('../../query/filter/ast.ts'),
  ]);
  return { completions, parseFilter, FilterError };
}

type Language = Awaited<ReturnType<typeof loadLanguage>>;

/** The rows below what is typed: the filter as it is or what is wrong with it, then the ways to go on. */
function rows(
  { completions, parseFilter, FilterError }: Language,
  text: string,
  action: string,
  trace: OpenTrace,
): Item[] {
  const trimmed = text.trim();
  const more = completions(text, text.length, trace.session.trace)
    .filter((c) => c.from < c.to || c.text !== '')
    .filter((c) => text.slice(c.from, c.to) !== c.text)
    .map((c): Item => {
      const open = /[/.(]$/.test(c.text);
      return {
        label: c.text,
        description: c.what,
        typed: `${text.slice(0, c.from)}${c.text}${open ? '' : ' '}`,
        alwaysShow: true,
      };
    });
  if (trimmed === '') {
    const used = recent.map(
      (filter): Item => ({ label: filter, description: 'used before', whole: filter, alwaysShow: true }),
    );
    return [...used, ...more];
  }
  try {
    parseFilter(trimmed);
    return [{ label: `$(debug-continue) ${action} ${trimmed}`, whole: trimmed, alwaysShow: true }, ...more];
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    // At the end of what is typed something is missing, nothing is wrong.
    const missing = error.at >= trimmed.length;
    const column = missing ? '' : `column ${error.at + 1}: `;
    const problem: Item = { label: `$(${missing ? 'edit' : 'error'}) ${column}${error.message}`, alwaysShow: true };
    return missing ? [...more, problem] : [problem, ...more];
  }
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
