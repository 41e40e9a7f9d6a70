import type { Connection } from './relations.ts';

/** A line from one clock to another, in nanoseconds since the bases of both: `x + offset + rate * (x - origin)`. */
export interface Line {
  readonly offset: number;
  readonly rate: number;
  readonly origin: number;
}

/** How a file came to the clock of the first one: through which file, by what, and how wrong it may be. */
export interface Way {
  /** The file that it was compared with. */
  readonly with: number;
  readonly connection: Connection;
  /** From its clock to that of the first file. */
  readonly line: Line;
  /** Nanoseconds, of all comparisons on the way together. */
  readonly uncertainty: number;
}

/** A comparison of two files: the line goes from the clock of `b` to that of `a`. */
export interface Edge {
  readonly a: number;
  readonly b: number;
  readonly connection: Connection;
}

/**
 * Brings clocks to that of file 0, each through what the files tell, else through the comparisons that most instants support. Files that nothing connects with file 0
 * are not among the answers.
 */
export function waysTo0(edges: readonly Edge[]): Map<number, Way> {
  const ways = new Map<number, Way>();
  const lines = new Map<number, { readonly line: Line; readonly uncertainty: number }>([
    [0, { line: { offset: 0, rate: 0, origin: 0 }, uncertainty: 0 }],
  ]);
  const strength = ({ connection: { told, fit } }: Edge): number =>
    told === true ? Number.MAX_SAFE_INTEGER : fit.pairs.length;
  const strongest = [...edges].sort((x, y) => strength(y) - strength(x));
  for (;;) {
    const edge = strongest.find(({ a, b }) => lines.has(a) !== lines.has(b));
    if (edge === undefined) return ways;
    const [known, next] = lines.has(edge.a) ? [edge.a, edge.b] : [edge.b, edge.a];
    const { fit } = edge.connection;
    const step = next === edge.b ? fit : inverse(fit);
    const before = lines.get(known)!;
    const found = { line: after(before.line, step), uncertainty: before.uncertainty + fit.uncertainty };
    lines.set(next, found);
    ways.set(next, { with: known, connection: edge.connection, ...found });
  }
}

/** The same for any file in the place of file 0. */
export function waysTo(root: number, edges: readonly Edge[]): Map<number, Way> {
  const swap = (i: number): number => (i === root ? 0 : i === 0 ? root : i);
  const swapped = waysTo0(edges.map(({ a, b, connection }) => ({ a: swap(a), b: swap(b), connection })));
  return new Map([...swapped].map(([i, way]) => [swap(i), { ...way, with: swap(way.with) }]));
}

/** The line back. */
function inverse({ offset, rate, origin }: Line): Line {
  return { offset: -offset, rate: 1 / (1 + rate) - 1, origin: origin + offset };
}

/** First `inner`, then `outer`. */
function after(outer: Line, inner: Line): Line {
  const at = inner.origin + inner.offset;
  const rate = (1 + outer.rate) * (1 + inner.rate) - 1;
  return { offset: inner.offset + outer.offset + outer.rate * (at - outer.origin), rate, origin: inner.origin };
}

/** Where a line takes a time. */
export const along = ({ offset, rate, origin }: Line, time: number): number => time + offset + rate * (time - origin);
