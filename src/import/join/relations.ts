import { type Fit, fitLine, type Pairing } from './fit.ts';
import { type Instant, type Instants, type Side, TRAITS, type Trait } from './instants.ts';

/** How two sources stand to each other: they tell of one machine, or the machine of one runs in that of the other. */
export type Relation = 'same' | 'hosts' | 'runs-in';

/** Instants that both sources show. */
export interface Match extends Pairing {
  readonly rowA: number;
  readonly rowB: number;
  readonly trait: Trait;
  /** Neither side shows the like of another object within the time that may lie between the two records. */
  readonly alone: boolean;
}

/** What connects two sources: how they stand to each other, and the line from the clock of the second to that of the first. */
export interface Connection {
  readonly relation: Relation;
  readonly fit: Fit<Match>;
  /** One of the two tells it: nothing had to be compared. */
  readonly told?: true;
  /** Events that both recorded, and that one of them tells: their lines in that file. */
  readonly shared?: { readonly file: string; readonly lines: readonly number[] };
  /** What tells it, in words. */
  readonly why?: string;
  /** Nothing shows it: it holds where a recorder was used as it is set up by default. */
  readonly assumed?: true;
  /** The line agrees with what both sources tell of their clocks: the time of day, or that both count from the start of one kernel. */
  readonly dated?: true;
}

/** What it means that one source shows an instant from one side, and the other from another: `same`, or the second hosts the first. */
const MEANINGS: readonly (readonly [Trait, Side, Side, 'same' | 'runs-in'])[] = [
  ['message', 'kernel', 'hardware', 'same'],
  ['message', 'kernel', 'hypervisor', 'runs-in'],
  ['message', 'hardware', 'hypervisor', 'runs-in'],
  ['invalidation', 'kernel', 'hardware', 'same'],
  ['assigned', 'hardware', 'hypervisor', 'runs-in'],
  ['delivery', 'kernel', 'hypervisor', 'runs-in'],
  ['entry', 'kernel', 'hypervisor', 'runs-in'],
  ['mark', 'kernel', 'hardware', 'same'],
  ['line', 'kernel', 'log', 'same'],
];

/** A key with more pairs than that says nothing: the instants are too many to tell which belong together. */
const MOST_PAIRS = 4096;
/** Pairs of one meaning that are looked at. */
const MOST_PAIRINGS = 60_000;

/** Nanoseconds by which that may be wrong: a guest reads whole seconds from its clock at the start, and clocks of a kernel begin one after the other. */
const ABOUT = 5e9;

/**
 * What connects two sources; undefined where nothing shows it. The relation is that of the first to the second. `apart`: what must be added to times of
 * the second to get about those of the first, in nanoseconds, as both tell of their clocks. Where several lines fit about as well (a driver that is loaded twice
 * does the same twice), that one holds which agrees with it.
 */
export function connectionOf(a: Instants, b: Instants, apart?: number): Connection | undefined {
  const matches = new Map<Relation, Match[]>();
  const add = (relation: Relation, found: readonly Match[]): void => {
    const list = matches.get(relation);
    if (list === undefined) matches.set(relation, [...found]);
    else list.push(...found);
  };
  for (const [trait, first, second, meaning] of MEANINGS) {
    add(meaning, matchesOf(trait, a.of(trait, first), b.of(trait, second), lateOf(trait, first, second)));
    if (first === second) continue;
    const back = matchesOf(trait, a.of(trait, second), b.of(trait, first), lateOf(trait, second, first));
    add(meaning === 'same' ? 'same' : 'hosts', back);
  }
  let best: Connection | undefined;
  for (const [relation, found] of matches) {
    const isDated = (offset: number): boolean => apart !== undefined && Math.abs(offset - apart) <= ABOUT;
    const line = fitLine(found) ?? fitLine(found.filter((pair) => isDated(pair.a - pair.b)));
    if (line === undefined || line.pairs.length <= (best?.fit.pairs.length ?? 0)) continue;
    best = { relation, fit: line, ...(isDated(line.offset) ? { dated: true } : {}) };
  }
  return best;
}

/** Which of two sides records a trait late. */
function lateOf(trait: Trait, a: Side, b: Side): Match['late'] {
  const about = TRAITS[trait];
  const late: Side | undefined = 'late' in about ? about.late : undefined;
  return late === a ? 'a' : late === b ? 'b' : undefined;
}

/** Whether no instant of another object lies within a time of an instant. */
function isAlone(all: readonly Instant[], i: number, near: number): boolean {
  const { time, object } = all[i]!;
  for (const by of [-1, 1])
    for (let k = i + by; k >= 0 && k < all.length && Math.abs(all[k]!.time - time) <= near; k += by)
      if (all[k]!.object !== object) return false;
  return true;
}

/** All pairs of instants with one key, the rarest keys first. */
function matchesOf(
  trait: Trait,
  a: ReadonlyMap<string, readonly Instant[]>,
  b: ReadonlyMap<string, readonly Instant[]>,
  late: Match['late'],
): Match[] {
  const { usual, error } = TRAITS[trait];
  const both = [...a]
    .flatMap(([key, as]) => {
      const bs = b.get(key);
      if (bs === undefined || as.length * bs.length > MOST_PAIRS) return [];
      return [[as, bs] as const];
    })
    .sort(([as, bs], [at, bt]) => as.length * bs.length - at.length * bt.length);
  const found: Match[] = [];
  for (const [as, bs] of both) {
    if (found.length + as.length * bs.length > MOST_PAIRINGS) break;
    for (const [i, x] of as.entries())
      for (const [j, y] of bs.entries()) {
        const alone = isAlone(as, i, error) && isAlone(bs, j, error);
        found.push({ a: x.time, b: y.time, error, usual, rowA: x.row, rowB: y.row, trait, alone, late });
      }
  }
  return found;
}
