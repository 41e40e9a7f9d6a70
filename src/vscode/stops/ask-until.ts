import * as vscode from 'vscode';
import { count, counted } from '../../base/counted.ts';
import type { EventKind } from '../../model/event.ts';
import type { Until } from '../../session/run-to.ts';
import { pickOne } from '../pick.ts';
import type { OpenTrace } from '../sessions.ts';
import { askFilter } from './filter-box.ts';

/** Where a run goes. */
export type Direction = 'to' | 'back';

interface Item extends vscode.QuickPickItem {
  /** Where to run to; `filter`: that is asked for next. */
  readonly until?: Until | 'filter';
}

const separator = (label: string): Item => ({ label, kind: vscode.QuickPickItemKind.Separator });

const kindItem = ({ name, meaning }: EventKind, description?: string): Item => ({
  label: name,
  ...(description === undefined ? {} : { description }),
  // The documentation marks names by backticks; a list shows plain text.
  detail: meaning.replaceAll('`', ''),
  until: { to: 'kind', kind: name },
});

/** Asks where to run to: an event that fits a filter, a problem, a change of the selected object, or a kind of event. */
export async function askUntil(trace: OpenTrace, direction: Direction): Promise<Until | undefined> {
  const [{ vocabulary }, { kindCounts }] = await Promise.all([
    import('../../model/vocabulary.ts'),
    import('../../query/kinds.ts'),
  ]);
  const { selection, cursor, growing, stops } = trace.session;
  const back = direction === 'back';
  const counts = kindCounts(trace.session.trace, cursor);
  const occurring = new Set(counts.map(({ kind }) => kind));
  // A simulated run can still make events of the other kinds.
  const others = growing && !back ? vocabulary.filter((kind) => !occurring.has(kind)) : [];
  const end = growing ? 'until no further event is due' : 'the last event';
  const on = stops.breakpoints.filter((b) => b.enabled).length;
  const items: Item[] = [
    { label: 'An event that fits…', description: 'a filter on events and on the state', until: 'filter' },
    {
      label: 'Something gone wrong',
      description: 'a drop, a fault, an interrupt that does not arrive',
      until: { to: 'finding' },
    },
    ...(selection === undefined
      ? []
      : [
          {
            label: `Change of ${selection}`,
            description: 'or of anything in it',
            until: { to: 'change', path: selection },
          } as Item,
        ]),
    ...(on === 0
      ? []
      : [{ label: 'A breakpoint', description: counted(on, 'breakpoint'), until: { to: 'breakpoint' } } as Item]),
    { label: back ? 'The first event' : 'The end', description: back ? '' : end, until: { to: 'end' } },
    ...(counts.length > 0 ? [separator('Kinds of events that occur')] : []),
    ...counts.map(({ kind, total, ahead }) => kindItem(kind, countText(total, back ? total - ahead : ahead, back))),
    ...(others.length > 0 ? [separator('Kinds of events that have not occurred yet')] : []),
    ...others.map((kind) => kindItem(kind)),
  ];
  const names = { namesOf: ({ label }: Item) => [label] };
  const title = back ? 'Run Back to…' : 'Run to…';
  const until = (await pickOne(items, { title, placeholder: 'Where to stop', ...names }))?.until;
  if (until !== 'filter') return until;
  const filter = await askFilter(trace, { title, action: back ? 'Run back to' : 'Run to' });
  return filter === undefined ? undefined : { to: 'filter', filter };
}

/** How many events of a kind there are: `1,234 events, 12 ahead`. */
function countText(total: number, there: number, back: boolean): string {
  const all = counted(total, 'event');
  return `${all}, ${there === total ? 'all' : there === 0 ? 'none' : count(there)} ${back ? 'before' : 'ahead'}`;
}
