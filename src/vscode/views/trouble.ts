import { count, noun } from '../../base/counted.ts';
import { type Accounting, total } from '../../trace/accounting.ts';
import type { OpenTrace } from '../sessions.ts';

/** The sum of a count over all sources of a trace. */
const sumIn = ({ session }: OpenTrace, of: (accounting: Accounting) => number): number =>
  session.trace.sources.reduce((n, { accounting }) => n + of(accounting), 0);

/** Whether something is wrong with a file as a whole, so that only a part of it was read. */
export const isDamaged = ({ session }: OpenTrace): boolean =>
  session.trace.sources.some(({ problem }) => problem !== undefined);

/** How many records are of events that IRQScope does not know; the empty text for none. */
export function unknownIn(trace: OpenTrace): string {
  const unknown = sumIn(trace, (a) => total(a.unknown));
  return unknown === 0 ? '' : `${count(unknown)} unknown`;
}

/** What is missing in a trace: how many records could not be read, and how many the recorder lost, with the places where it does not say how many. */
export function troubleIn(trace: OpenTrace): string[] {
  const gaps = sumIn(trace, (a) => a.gaps);
  const counts: readonly (readonly [number, string])[] = [
    [sumIn(trace, (a) => total(a.skipped)), 'skipped'],
    [sumIn(trace, (a) => a.lost), 'lost'],
    [gaps, noun(gaps, 'gap')],
  ];
  return counts.flatMap(([n, what]) => (n > 0 ? [`${count(n)} ${what}`] : []));
}
