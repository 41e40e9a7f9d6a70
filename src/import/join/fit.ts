import { Random } from '../../base/random.ts';
import { along, type Line } from './line.ts';

/** Two instants of two clocks that may be the same: own times in nanoseconds. */
export interface Pairing {
  readonly a: number;
  readonly b: number;
  /** Nanoseconds that lie at most between the two records of one instant: pairings farther from a line are none. */
  readonly error: number;
  /** Nanoseconds that usually lie between them. */
  readonly usual: number;
  /** Which of the two is recorded after the other by a time that may be long; undefined where they follow each other at once. */
  readonly late?: 'a' | 'b' | undefined;
}

/** The line that takes times of clock b to clock a: `b + offset + rate * (b - origin)`. */
export interface Fit<P extends Pairing> extends Line {
  /** Nanoseconds by which a time that is brought over may be wrong. */
  readonly uncertainty: number;
  /** The pairings that agree with it, each instant once. */
  readonly pairs: readonly P[];
  /** How many bursts they make: what one function call does within milliseconds is done in the same way by another one. */
  readonly bursts: number;
}

/** Clocks of one machine differ by less than that: a kernel that calibrated its counter badly by a few hundred parts per million. */
const MOST_RATE = 3e-3;
/** Fewer instants that agree may do so by chance. */
const FEWEST = 3;
/** Lines that are tried. */
const TRIALS = 400;
/** Another offset that so large a share of the instants agrees on makes it undecided. */
const RIVAL = 0.8;
/** Nanoseconds that a call of a driver or of the kernel takes at most: many messages are stored within one. */
const CALL = 5e7;
/** Pairs that usually lie so many times farther apart than the closest ones do not tell how exact a line is. */
const CLOSE = 20;
/** How often the line is fitted again to the pairs near it. */
const ROUNDS = 4;
/** A drift is told only where the instants lie at least that far apart. */
const SPAN_OF_DRIFT = 2e9;

/**
 * Finds the line on which most pairings lie. Most pairings may be wrong (a message that is stored often pairs each time of one side with each of
 * the other): those that belong together agree on one offset, the others do not. Undefined where too few agree, or two offsets fit about as well.
 */
export function fitLine<P extends Pairing>(pairings: readonly P[]): Fit<P> | undefined {
  if (pairings.length < FEWEST) return undefined;
  const coarse = densest(pairings);
  if (coarse === undefined) return undefined;
  const line = bestLine(coarse);
  if (line === undefined) return undefined;
  let pairs = matched(coarse, line);
  // A better line has other pairs near it, and these a better line.
  for (let round = 0; round < ROUNDS && pairs.length >= FEWEST; round++) pairs = matched(coarse, leastSquares(pairs));
  if (pairs.length < FEWEST) return undefined;
  const bursts = burstsOf(pairs);
  const prompt = pairs.filter(({ late }) => late === undefined);
  if (prompt.length < FEWEST && pairs.every(({ late }) => late !== undefined))
    return { ...soonest(pairs), pairs, bursts };
  // Those that come late add nothing to what comes at once.
  if (prompt.length >= FEWEST) pairs = prompt;
  const { offset, rate, origin } = leastSquares(pairs);
  // What usually lies far apart tells of the offset, not of how exact it is, where closer ones do.
  const least = Math.min(...pairs.map(({ usual }) => usual));
  const close = pairs.filter(({ usual }) => usual <= least * CLOSE);
  const judges = close.length >= FEWEST ? close : pairs;
  const spread = spreadOf(judges.map(({ a, b: own }) => a - (own + offset + rate * (own - origin))));
  // One record of each pair is late, and so is the line through them.
  const usual = judges === close ? least : Math.max(...pairs.map((pair) => pair.usual));
  return { offset, rate, origin, uncertainty: Math.ceil(spread + usual), pairs, bursts };
}

/** The size that all but the twentieth part of some differences do not exceed. */
function spreadOf(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs).sort((x, y) => x - y);
  return sizes[Math.floor(sizes.length * 0.95)] ?? sizes.at(-1)!;
}

/**
 * The line where one record of each pair comes after the other by any time: the pair in which it came soonest tells the offset. A drift cannot be
 * told from delays that change.
 */
function soonest(pairs: readonly Pairing[]): Line & { readonly uncertainty: number } {
  const [{ b: origin }] = pairs as [Pairing];
  const offsets = pairs.map(({ a, b }) => a - b);
  // Where b is late, the difference is too small by its delay.
  const offset = pairs[0]!.late === 'b' ? Math.max(...offsets) : Math.min(...offsets);
  const usual = Math.min(...pairs.map((pair) => pair.usual));
  return { offset, rate: 0, origin, uncertainty: Math.ceil(spreadOf(offsets.map((each) => each - offset)) + usual) };
}

/** Stretches of instants that lie apart by more than a call takes. */
function burstsOf(pairs: readonly Pairing[]): number {
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const { b } of pairs) {
    if (b - last > CALL) count++;
    last = b;
  }
  return count;
}

/** How far offsets may lie apart that one line explains. */
function widthFor(pairings: readonly Pairing[]): number {
  let [first, last, error] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const p of pairings) {
    first = Math.min(first, p.b);
    last = Math.max(last, p.b);
    error = Math.max(error, p.error);
  }
  return error + MOST_RATE * (last - first);
}

/** The pairings of the stretch of offsets in which the most instants have a partner; undefined where another stretch has about as many. */
function densest<P extends Pairing>(pairings: readonly P[]): readonly P[] | undefined {
  const sorted = [...pairings].sort((x, y) => x.a - x.b - (y.a - y.b));
  const width = widthFor(pairings);
  const best = densestIn(sorted, width);
  if (best.support < FEWEST) return undefined;
  const [low, high] = [sorted[best.from]!, sorted[best.to]!];
  const elsewhere = sorted.filter((p) => p.a - p.b < low.a - low.b - width || p.a - p.b > high.a - high.b + width);
  if (densestIn(elsewhere, width).support > best.support * RIVAL) return undefined;
  // What lies as far away and adds no instant may show the same ones more exactly.
  let end = best.to + 1;
  while (end < sorted.length && sorted[end]!.a - sorted[end]!.b - (low.a - low.b) <= width) end++;
  return sorted.slice(best.from, end);
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly support: number;
}

function densestIn(sorted: readonly Pairing[], width: number): Stretch {
  const near = new Support();
  let best: Stretch = { from: 0, to: -1, support: 0 };
  let from = 0;
  for (let to = 0; to < sorted.length; to++) {
    near.add(sorted[to]!);
    while (sorted[to]!.a - sorted[to]!.b - (sorted[from]!.a - sorted[from]!.b) > width) near.drop(sorted[from++]!);
    if (near.size > best.support) best = { from, to, support: near.size };
  }
  return best;
}

/** How many instants of either side have a partner: the smaller number of the two. */
class Support {
  readonly #a = new Map<number, number>();
  readonly #b = new Map<number, number>();

  get size(): number {
    return Math.min(this.#a.size, this.#b.size);
  }

  add({ a, b }: Pairing): void {
    this.#a.set(a, (this.#a.get(a) ?? 0) + 1);
    this.#b.set(b, (this.#b.get(b) ?? 0) + 1);
  }

  drop({ a, b }: Pairing): void {
    for (const [map, key] of [
      [this.#a, a],
      [this.#b, b],
    ] as const) {
      const left = map.get(key)! - 1;
      if (left === 0) map.delete(key);
      else map.set(key, left);
    }
  }
}

const missOf = ({ a, b }: Pairing, line: Line): number => a - along(line, b);

/** The line with the most instants near it, of many through two pairings each. */
function bestLine<P extends Pairing>(pairings: readonly P[]): Line | undefined {
  const random = new Random(1);
  const support = (line: Line): number => {
    const near = new Support();
    for (const p of pairings) if (Math.abs(missOf(p, line)) <= p.error) near.add(p);
    return near.size;
  };
  let best: Line | undefined;
  let most = 0;
  const tryLine = (p: P, q: P): void => {
    const run = q.b - p.b;
    const rate = Math.abs(run) < SPAN_OF_DRIFT ? 0 : (q.a - p.a) / run - 1;
    if (Math.abs(rate) > MOST_RATE) return;
    const line = { offset: p.a - p.b, rate, origin: p.b };
    // Two pairings always lie on a line; without a drift one does.
    const found = support(line) - (rate === 0 ? 0 : FEWEST - 1);
    if (found <= most) return;
    most = found;
    best = line;
  };
  const all = pairings.length * pairings.length <= TRIALS;
  if (all) for (const p of pairings) for (const q of pairings) tryLine(p, q);
  else for (let i = 0; i < TRIALS; i++) tryLine(random.pick(pairings), random.pick(pairings));
  return most < FEWEST ? undefined : best;
}

/** The pairings near a line, each instant of either side once: in the pairing that usually is the closest, of those in the nearest one. */
function matched<P extends Pairing>(pairings: readonly P[], line: Line): P[] {
  const near = pairings
    .filter((p) => Math.abs(missOf(p, line)) <= p.error)
    .sort((p, q) => p.usual - q.usual || Math.abs(missOf(p, line)) - Math.abs(missOf(q, line)));
  const [usedA, usedB] = [new Set<number>(), new Set<number>()];
  const pairs: P[] = [];
  for (const p of near) {
    if (usedA.has(p.a) || usedB.has(p.b)) continue;
    usedA.add(p.a);
    usedB.add(p.b);
    pairs.push(p);
  }
  return pairs.sort((p, q) => p.b - q.b);
}

/** The line that lies nearest to pairings, the exact ones above all; without a drift where they lie close together. */
function leastSquares(pairs: readonly Pairing[]): Line {
  const origin = pairs[0]!.b;
  const base = pairs[0]!.a - pairs[0]!.b;
  const weight = ({ usual }: Pairing): number => 1 / usual ** 2;
  const sum = (of: (pair: Pairing) => number): number => pairs.reduce((all, pair) => all + weight(pair) * of(pair), 0);
  const total = sum(() => 1);
  const meanX = sum(({ b }) => b - origin) / total;
  const meanY = sum(({ a, b }) => a - b - base) / total;
  if (pairs.at(-1)!.b - origin < SPAN_OF_DRIFT) return { offset: base + meanY, rate: 0, origin };
  const above = sum(({ a, b }) => (b - origin - meanX) * (a - b - base - meanY));
  const below = sum(({ b }) => (b - origin - meanX) ** 2);
  const rate = below === 0 ? 0 : above / below;
  return { offset: base + meanY - rate * meanX, rate, origin };
}
