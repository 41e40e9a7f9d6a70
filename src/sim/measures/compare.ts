import { policies } from '../design.ts';
import { type Recipe, Simulation } from '../simulation.ts';
import { StreamRecorder } from '../stream.ts';
import { type Measures, Meter } from './measure.ts';

/** Delays vary by at least this fraction in the runs that tell how sure a comparison is. */
const JITTER = 0.1;
/** Actions of a run between two pauses. */
const SLICE = 20_000;

/** The seed so many behind another one: seeds have 32 bits. */
export const seedAfter = (seed: number, count: number): number => (seed + count) % 2 ** 32;

/** A run of one value of a policy. */
export interface Compared {
  readonly value: string;
  /** The run of the recipe as it is. */
  readonly measures: Measures;
  /** The same with delays that vary, one run for each further seed. */
  readonly again: readonly Measures[];
  /** Tells the events from those of other values. */
  readonly digest: string;
}

/** All values of a policy on the same workload. */
export interface Comparison {
  readonly policy: string;
  readonly values: readonly Compared[];
  /** The seeds of `again`. */
  readonly seeds: readonly number[];
  /** By which fraction delays vary there at most. */
  readonly jitter: number;
  /** Every value gives the same events. */
  readonly same: boolean;
}

/** A digest of bytes that come in pieces: two sums of 32 bits (FNV-1a, and one with another factor). */
class Digest {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  add(bytes: Uint8Array): void {
    let a = this.#a;
    let b = this.#b;
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ a ^ byte, 0x5bd1e995);
    }
    this.#a = a;
    this.#b = b;
  }

  get text(): string {
    return `${(this.#a >>> 0).toString(16)}-${(this.#b >>> 0).toString(16)}`;
  }
}

/** Runs a recipe to its end, or to `most` events, in slices. */
function* measured(recipe: Recipe, most: number): Generator<void, { measures: Measures; digest: string }> {
  const digest = new Digest();
  // Without a header the bytes are those of the events alone.
  const stream = new StreamRecorder([], (bytes) => digest.add(bytes));
  const meter = new Meter(stream);
  const simulation = new Simulation(recipe, meter);
  while (simulation.recorder.length < most) {
    let goes = true;
    for (let i = 0; goes && i < SLICE && simulation.recorder.length < most; i++) goes = simulation.step();
    if (!goes) break;
    yield;
  }
  stream.end();
  return { measures: meter.measures(simulation), digest: digest.text };
}

/**
 * Runs every value of a policy on the workload of a recipe, in slices: once as the recipe says, and `more` times with other seeds and delays that
 * vary, which tells what of a difference is chance; not where operations of a user are to be done at places of one run. Throws SimulationError on an unsound recipe.
 */
export function* comparing(recipe: Recipe, policy: string, more: number, most: number): Generator<void, Comparison> {
  const count = recipe.operations.length > 0 ? 0 : more;
  const seeds = Array.from({ length: count }, (_, i) => seedAfter(recipe.seed, 1 + i));
  const values: Compared[] = [];
  const shaken = { ...recipe.scenario, jitter: Math.max(recipe.scenario.jitter, JITTER) };
  for (const { value } of policies.get(policy)!.values) {
    const own = { ...recipe, settings: { ...recipe.settings, [policy]: value } };
    const { measures, digest } = yield* measured(own, most);
    const again: Measures[] = [];
    for (const seed of seeds) again.push((yield* measured({ ...own, scenario: shaken, seed }, most)).measures);
    values.push({ value, measures, again, digest });
  }
  return {
    policy,
    values,
    seeds,
    jitter: shaken.jitter,
    same: values.every(({ digest }) => digest === values[0]!.digest),
  };
}

/** The median of numbers, and the least and the largest; undefined where there are none. */
export function spreadOf(all: readonly (number | null)[]): readonly [number, number, number] | undefined {
  const sorted = all.filter((n) => n !== null).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  return median === undefined ? undefined : [sorted[0]!, median, sorted.at(-1)!];
}
