import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import { eventText, timeOf } from '../../query/events.ts';
import { nearestSteps } from '../../query/filter/nearest-steps.ts';
import { tell } from '../commands/handlers.ts';
import { breathe } from '../platform.ts';
import type { OpenTrace } from '../sessions.ts';

/** Most events that are listed: those nearest to the cursor. */
const MOST_LISTED = 2000;
/** Milliseconds that a search works before other work of the editor has its turn. */
const SLICE_MS = 20;

/** Looks for the events that fit a filter. They are marked in the timeline until others are looked for. Undefined when the filter cannot be read, or the user stops it. */
export async function findEvents(trace: OpenTrace, text: string): Promise<number | undefined> {
  const [{ parseFilter }, { finding }, { stopProblem }] = await Promise.all([
    import('../../query/filter/parse.ts'),
    import('../../query/filter/find.ts'),
    import('../../session/until.ts'),
  ]);
  const problem = stopProblem({ to: 'filter', filter: text });
  if (problem !== undefined) return void tell(`the filter cannot be read, ${problem}`);
  const { session } = trace;
  const work = finding(session.trace, parseFilter(text));
  const options = { location: vscode.ProgressLocation.Window, title: 'IRQScope: looking for events' };
  const steps = await vscode.window.withProgress(options, async () => {
    for (;;) {
      for (const until = Date.now() + SLICE_MS; Date.now() < until; ) {
        const { done, value } = work.next();
        if (done === true) return value;
      }
      await breathe();
    }
  });
  session.showFound({ filter: text, steps });
  return steps.length;
}

/** Lists the events that were found. When the user chooses one, the cursor moves there. */
export async function listFound({ session }: OpenTrace): Promise<void> {
  const { found, trace, cursor } = session;
  if (found === undefined) return;
  interface Item extends vscode.QuickPickItem {
    readonly step: number;
  }
  const steps = nearestSteps(found.steps, cursor, MOST_LISTED);
  const items = steps.map((step): Item => {
    const place = [timeOf(trace, step), `step ${step}`, `line ${trace.table.line(step)}`];
    return { label: eventText(trace, step), description: place.filter(Boolean).join(' · '), step };
  });
  const pick = vscode.window.createQuickPick<Item>();
  const all = counted(found.steps.length, 'event');
  pick.title =
    steps.length < found.steps.length ? `${all}, those around the cursor: ${found.filter}` : `${all}: ${found.filter}`;
  pick.placeholder = items.length === 0 ? 'No event fits' : 'Choose one to go there; the timeline marks them';
  pick.matchOnDescription = true;
  pick.items = items;
  const next = items.find(({ step }) => step >= cursor);
  if (next) pick.activeItems = [next];
  await new Promise<void>((done) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      pick.hide();
      if (item) session.move({ to: 'step', step: item.step });
    });
    pick.onDidHide(() => done());
    pick.show();
  });
  pick.dispose();
}
