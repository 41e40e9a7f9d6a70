import { CheckRun } from '../../check/check-run.ts';
import type { Finding, RuleCheck } from '../../check/check-trace.ts';
import { rules } from '../../check/rules.ts';
import { dropped, illegal } from '../../model/events/outcome.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Recipe, Simulation } from '../simulation.ts';
import { seedAfter } from './compare.ts';

/** Delays vary by at least this fraction, so that seeds bring concurrent actors into other orders. */
const JITTER = 0.3;
/** Actions, and events that are judged, between two pauses. */
const SLICE = 20_000;
/** Runs that are made to find a shorter one that shows the same. */
const MOST_TRIED = 200;

/** Something that goes wrong, as some seed showed it. `rule`: that of the finding, the one that an access breaks, or `drop`. */
export interface Explored {
  readonly rule: string;
  readonly severity: Finding['severity'];
  /** An interrupt did not reach its handler. */
  readonly lost: boolean;
  readonly title: string;
  /** The object in the run that shows it. */
  readonly object: string;
  /** The seed of the shortest run that shows it, and the step there. */
  readonly seed: number;
  readonly step: number;
  /** How many seeds show it. */
  readonly seeds: number;
}

/** The recipe of a scenario with a seed, whose delays vary. */
export function shaken(recipe: Recipe, seed: number): Recipe {
  const { scenario } = recipe;
  return { ...recipe, seed, scenario: { ...scenario, jitter: Math.max(scenario.jitter, JITTER) } };
}

/** What tells a finding from others: its rule, its object and what it says, without the numbers in them, which seeds change. */
const keyOf = ({ rule, object, title }: Pick<Explored, 'rule' | 'object' | 'title'>): string =>
  [rule, object, title].join('\n').replaceAll(/0x[\da-f]+|\d+/g, '#');

/** Runs a recipe and judges it: what the rules found, the first of each kind. */
function* judged(recipe: Recipe, most: number): Generator<void, Map<string, Explored>> {
  const simulation = new Simulation(recipe);
  const limit = Math.min(most, recipe.events ?? most);
  for (let goes = true; goes && simulation.recorder.length < limit; ) {
    for (let i = 0; goes && i < SLICE && simulation.recorder.length < limit; i++) goes = simulation.step();
    yield;
  }
  const { trace } = simulation;
  const run = new CheckRun(trace, rules, false);
  while (run.advance(SLICE)) yield;
  const found = new Map<string, Explored>();
  const check: RuleCheck | undefined = run.check;
  for (const { rule, severity, lost, title, step, object } of check?.findings ?? []) {
    if (severity === 'info') continue;
    const path = trace.world.path(object);
    const one = { rule: rule.id, severity, lost, title, object: path, seed: recipe.seed, step, seeds: 1 };
    if (!found.has(keyOf(one))) found.set(keyOf(one), one);
  }
  for (const one of recorded(trace, recipe.seed)) {
    if (!found.has(keyOf(one))) found.set(keyOf(one), one);
  }
  return found;
}

/** What the events of a run say themselves: causes that ended undelivered, and accesses that a specification forbids. */
function* recorded(trace: Trace, seed: number): Generator<Explored> {
  const row = eventRow(illegal);
  const { strings } = trace.world;
  for (let step = 0; step < trace.length; step++) {
    const kind = trace.table.kind(step);
    if (kind !== illegal && kind !== dropped) continue;
    const { words, at, object: number } = trace.table.read(step, row);
    const object = trace.world.path(number);
    const event = { object, seed, step, seeds: 1 };
    if (kind === illegal) {
      const { rule, text } = illegal.read(words, at);
      yield { ...event, rule: strings.text(rule), severity: 'error', lost: false, title: strings.text(text) };
    } else {
      const { reason, cause } = dropped.read(words, at);
      if (cause === undefined) continue;
      const title = `a cause ended undelivered: ${strings.text(reason)}`;
      yield { ...event, rule: 'drop', severity: 'error', lost: true, title };
    }
  }
}

/** Runs `count` seeds of a recipe, from its own on, in slices: each distinct finding once, with the seed that shows it after the fewest events. */
export function* exploring(recipe: Recipe, count: number, most: number): Generator<void, Explored[]> {
  let all: Explored[] = [];
  for (let i = 0; i < count; i++) {
    const found = yield* judged(shaken(recipe, seedAfter(recipe.seed, i)), most);
    all = merged([all, [...found.values()]]);
  }
  return all;
}

/** What several explorations found, together: the worst first. */
export function merged(parts: readonly (readonly Explored[])[]): Explored[] {
  const all = new Map<string, Explored>();
  for (const one of parts.flat()) {
    const key = keyOf(one);
    const known = all.get(key);
    const seeds = one.seeds + (known?.seeds ?? 0);
    const better = known === undefined || one.step < known.step || (one.step === known.step && one.seed < known.seed);
    all.set(key, { ...(better ? one : known), seeds });
  }
  const weight = ({ severity, lost }: Explored): number =>
    (severity === 'error' ? 0 : severity === 'security' ? 1 : 2) - (lost ? 0.5 : 0);
  return [...all.values()].sort((a, b) => weight(a) - weight(b) || b.seeds - a.seeds || (a.rule < b.rule ? -1 : 1));
}

/** A shorter run that shows a finding, and the finding as it stands there. */
export interface Shrunk {
  readonly recipe: Recipe;
  readonly found: Explored;
  /** Operations of the workload, each time counted, before and after. */
  readonly before: number;
  readonly after: number;
}

/**
 * Looks for a shorter run that shows the same finding, in slices: it ends when the finding is made, lacks operations of the workload that do not
 * matter, and repeats others less often.
 */
export function* shrinking(recipe: Recipe, found: Explored, most: number): Generator<void, Shrunk> {
  const key = keyOf(found);
  let best = shaken(recipe, found.seed);
  let now = found;
  let tried = 0;
  const size = ({ scenario }: Recipe): number => scenario.workload.reduce((sum, { times = 1 }) => sum + times, 0);
  const before = size(best);
  function* shows(candidate: Recipe): Generator<void, boolean> {
    if (tried++ >= MOST_TRIED) return false;
    const here = (yield* judged(candidate, most)).get(key);
    if (here === undefined) return false;
    best = candidate;
    now = here;
    return true;
  }
  const withWorkload = (workload: Recipe['scenario']['workload']): Recipe => ({
    ...best,
    scenario: { ...best.scenario, workload },
  });
  for (let i = best.scenario.workload.length - 1; i >= 0; i--) {
    const { workload } = best.scenario;
    yield* shows(withWorkload(workload.filter((_, k) => k !== i)));
  }
  for (let i = 0; i < best.scenario.workload.length; i++) {
    for (let less = true; less; ) {
      const task = best.scenario.workload[i]!;
      const { times = 1 } = task;
      const fewer = times > 1 ? Math.ceil(times / 2) : 0;
      less =
        fewer > 0 &&
        fewer < times &&
        (yield* shows(
          withWorkload(best.scenario.workload.map((one, k) => (k === i ? { ...one, times: fewer } : one))),
        ));
    }
  }
  // What only the end of a run shows needs that end.
  yield* shows({ ...best, events: now.step + 1 });
  return { recipe: best, found: now, before, after: size(best) };
}
