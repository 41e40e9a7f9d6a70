import * as vscode from 'vscode';
import { bestMatch } from '../view/best-match.ts';

/** A question with a list of answers. */
interface Question<T> {
  readonly title: string;
  readonly placeholder: string;
  /** The row that is selected while nothing is typed; without it the first one. */
  readonly active?: T | undefined;
  /** The names that users type for an item. */
  readonly namesOf: (item: T) => readonly string[];
}

/**
 * Rows keep their order and their separators while the user types. The editor sorts them by their labels otherwise; its types do not
 * declare the property, and an editor that does not know it goes on to sort.
 */
function keepOrder(pick: object): void {
  Object.assign(pick, { sortByLabel: false });
}

/**
 * Asks for one item of a list. While the user types, the row whose name fits best is the selected one, not the first row in whose
 * description or detail the letters happen to occur.
 */
export async function pickOne<T extends vscode.QuickPickItem>(
  items: readonly T[],
  { title, placeholder, active, namesOf }: Question<T>,
): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<T>();
  pick.title = title;
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  keepOrder(pick);
  pick.items = items;
  if (active) pick.activeItems = [active];
  const rows = items.filter(({ kind }) => kind !== vscode.QuickPickItemKind.Separator);
  const named = (text: string): T | undefined => bestMatch(rows, text, namesOf);
  pick.onDidChangeValue((text) => {
    const best = named(text);
    if (best) pick.activeItems = [best];
  });
  const chosen = new Promise<T | undefined>((done) => {
    pick.onDidAccept(() => {
      // Who types a whole name and Enter at once means that row, also where the selection has not followed yet.
      const text = pick.value.trim().toLowerCase();
      const whole = named(text);
      done(whole && namesOf(whole).some((name) => name.toLowerCase() === text) ? whole : pick.activeItems[0]);
      pick.hide();
    });
    pick.onDidHide(() => done(undefined));
  });
  pick.show();
  try {
    return await chosen;
  } finally {
    pick.dispose();
  }
}
