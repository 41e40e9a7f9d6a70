import type { Trace } from '../../trace/trace.ts';
import { after, inverse, type Line, STILL } from './line.ts';
import type { Connection } from './relations.ts';

/** How a file came to the clock of the root: through which file, by what, and how wrong it may be. */
export interface Way {
  /** The file that it was compared with. */
  readonly with: number;
  /** What connects the two; undefined where both only tell the time of day. */
  readonly connection: Connection | undefined;
  /** From its clock to that of the root. */
  readonly line: Line;
  /** Nanoseconds, of all comparisons on the way together; undefined where nothing tells. */
  readonly uncertainty: number | undefined;
}

/** A comparison of two files: the line goes from the clock of `b` to that of `a`. */
export interface Edge {
  readonly a: number;
  readonly b: number;
  readonly connection: Connection;
}

/**
 * Brings clocks to that of the file `root`, each through what the files tell, else through the comparisons that most instants support. What no
 * comparison connects with the root comes to its clock through the time of day, where a file on either side tells it. `days`: what must be
 * added to a file's own times to get nanoseconds since 1970; undefined where it does not tell. Other files are not among the answers.
 */
export function waysTo(
  root: number,
  edges: readonly Edge[],
  days: readonly (bigint | undefined)[] = [],
): Map<number, Way> {
  const ways = new Map<number, Way>();
  const lineOf = (i: number): Line | undefined => (i === root ? STILL : ways.get(i)?.line);
  const strength = ({ connection: { told, fit } }: Edge): number =>
    told === true ? Number.MAX_SAFE_INTEGER : fit.pairs.length;
  const strongest = [...edges].sort((x, y) => strength(y) - strength(x));
  for (;;) {
    const edge = strongest.find(({ a, b }) => (lineOf(a) === undefined) !== (lineOf(b) === undefined));
    if (edge !== undefined) {
      const [known, next] = lineOf(edge.a) !== undefined ? [edge.a, edge.b] : [edge.b, edge.a];
      const { fit } = edge.connection;
      const before = known === root ? 0 : ways.get(known)!.uncertainty;
      ways.set(next, {
        with: known,
        connection: edge.connection,
        line: after(lineOf(known)!, next === edge.b ? fit : inverse(fit)),
        uncertainty: before === undefined || !Number.isFinite(fit.uncertainty) ? undefined : before + fit.uncertainty,
      });
      continue;
    }
    const known = days.findIndex((day, i) => day !== undefined && lineOf(i) !== undefined);
    const next = days.findIndex((day, i) => day !== undefined && lineOf(i) === undefined);
    if (known < 0 || next < 0) return ways;
    const line = { offset: Number(days[next]! - days[known]!), rate: 0, origin: 0 };
    ways.set(next, { with: known, connection: undefined, line: after(lineOf(known)!, line), uncertainty: undefined });
  }
}

const NANO = 1_000_000_000n;

/** What must be added to a file's own times to get nanoseconds since 1970; undefined where it does not tell. */
export function dayOf({ first, time }: Trace): bigint | undefined {
  if (time.ticks) return undefined;
  if (first.clock === 'realtime') return time.base * NANO;
  const [moment] = first.moments ?? [];
  return moment === undefined ? undefined : moment.day - BigInt(Math.round(moment.own));
}

/** What must be added to times of the second of two files to get those of the first, as the time of day tells it (`dayOf`); undefined where one does not tell. */
export const daysApart = (a: bigint | undefined, b: bigint | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : Number(b - a);
