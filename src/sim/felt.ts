import { bundledScenarios } from './bundled.ts';
import { policies } from './design.ts';
import { plantedFaults } from './faults/faults.ts';
import { type PlantedFault, Planting } from './faults/planting.ts';
import type { Machine, Tamper } from './machine.ts';
import { readScenario } from './scenario.ts';
import { type Recipe, Simulation } from './simulation.ts';

/** Most events of a run that is made to see which policies it asks for. */
const MOST_EVENTS = 100_000;
/** Runs longer than this are not made again with other policies. */
const MOST_EVENTS_AGAIN = 10_000;

/** Events in which the drivers of a scenario have started. */
const EARLY_EVENTS = 100;

/** A fault that is never planted: it counts the places where it could be. */
class Place extends Planting {
  found = false;

  constructor(machine: Machine, fault: PlantedFault) {
    super(machine, fault, 0);
  }

  override here(): boolean {
    this.found = true;
    return false;
  }
}

/** Listens where each fault could be planted, and plants none. */
class Places implements Tamper {
  readonly #all: ReadonlyMap<string, Place>;

  constructor(machine: Machine) {
    this.#all = new Map(plantedFaults.map((fault) => [fault.id, new Place(machine, fault)]));
  }

  /** Ids of the faults that found a place. */
  get found(): Set<string> {
    return new Set([...this.#all].flatMap(([id, { found }]) => (found ? [id] : [])));
  }

  strikes(id: string): boolean {
    this.#all.get(id)?.here();
    return false;
  }

  spoils(id: string): boolean {
    return this.strikes(id);
  }

  tell(): void {}

  passes(event: Parameters<Tamper['passes']>[0]): boolean {
    for (const place of this.#all.values()) place.passes(event);
    return true;
  }

  recorded(): void {
    for (const place of this.#all.values()) place.recorded();
  }
}

/** Which policies a run can feel. */
export interface Felt {
  /** Names of the policies for which a part of the system asks. */
  readonly policies: ReadonlySet<string>;
  /** Faults (values of the policy `fault`) that find a place in the run. */
  readonly faults: ReadonlySet<string>;
  /** For policies that the run does not feel: another setting with which it would, as `policy=value`. */
  readonly with: ReadonlyMap<string, string>;
}

/** Which policies the parts of a system ask for when a recipe is run, and how many events that made. */
function asked(recipe: Recipe): { readonly policies: ReadonlySet<string>; readonly events: number } {
  const run = new Simulation(recipe);
  run.run(undefined, Math.min(recipe.events ?? MOST_EVENTS, MOST_EVENTS));
  return { policies: run.setup.policiesRead, events: run.recorder.length };
}

/** Which faults find a place when a recipe is run without one. */
function placesOf(recipe: Recipe): Set<string> {
  const run = new Simulation(
    { ...recipe, settings: { ...recipe.settings, fault: 'none' } },
    undefined,
    (machine) => new Places(machine),
  );
  run.run(undefined, Math.min(recipe.events ?? MOST_EVENTS, MOST_EVENTS));
  const { tamper } = run.machine;
  return tamper instanceof Places ? tamper.found : new Set();
}

/**
 * Which policies a run of a recipe can feel. The parts of the system say so: a policy for which none of them asks, from the set-up to the end of the run,
 * cannot change it. Yields between runs, so that a caller can let other work through.
 */
export function* feeling(recipe: Recipe): Generator<void, Felt> {
  const { policies: own, events } = asked(recipe);
  yield;
  const faults = placesOf(recipe);
  const felt = new Set(own);
  if (faults.size > 0) felt.add('fault');
  const others = new Map<string, string>();
  for (const name of events > MOST_EVENTS_AGAIN ? [] : own)
    for (const { value } of policies.get(name)!.values) {
      yield;
      for (const more of askedWith(recipe, name, value))
        if (!felt.has(more) && !others.has(more)) others.set(more, `${name}=${value}`);
    }
  return { policies: felt, faults, with: others };
}

/** The same for another value of a policy; operations that have no place in that run are left out. */
function askedWith(recipe: Recipe, name: string, value: string): ReadonlySet<string> {
  try {
    return asked({ ...recipe, operations: [], settings: { ...recipe.settings, [name]: value } }).policies;
  } catch {
    return new Set();
  }
}

/** Which policies a run can feel, at once. */
export function feltBy(recipe: Recipe): Felt {
  const all = feeling(recipe);
  for (;;) {
    const { done, value } = all.next();
    if (done) return value;
  }
}

/** Why a policy has no effect on a run; undefined where it can have one. */
export function noEffect(felt: Felt, policy: string, value?: string): string | undefined {
  if (policy === 'fault' && value !== undefined && value !== 'none' && !felt.faults.has(value)) {
    const { scenario } = plantedFaults.find(({ id }) => id === value) ?? {};
    return `the fault finds no place in this run${scenario === undefined ? '' : `; it has one in scenario ${scenario}`}`;
  }
  if (felt.policies.has(policy)) return undefined;
  const other = elsewhere(felt, policy);
  return `no part of this system asks for it${other === undefined ? '' : `; ${other}`}`;
}

/** Where a policy has an effect that a run does not feel: with another policy, or in another scenario. */
export function elsewhere(felt: Felt, policy: string): string | undefined {
  const other = felt.with.get(policy);
  if (other !== undefined) return `it has one with ${other}`;
  const shown = showing(policy);
  return shown === undefined ? undefined : `scenario ${shown} shows it`;
}

/** The bundled scenarios, those for faults last: another one shows more plainly what a policy does. */
const shows = [false, true].flatMap((faults) => bundledScenarios.filter(({ id }) => id.endsWith('-faults') === faults));

/** The bundled scenario that shows a policy: one that sets it, or else the first whose parts ask for it. */
function showing(policy: string): string | undefined {
  const sets = shows.find(({ document }) => policy in ((document as { policies?: object }).policies ?? {}));
  return (sets ?? shows.find(({ document }) => askedEarly(document).has(policy)))?.id;
}

const early = new Map<unknown, ReadonlySet<string>>();

/** Policies for which the parts of a scenario ask until its drivers have started. */
function askedEarly(document: unknown): ReadonlySet<string> {
  const known = early.get(document);
  if (known) return known;
  const scenario = readScenario(document);
  const recipe = 'title' in scenario ? { scenario, seed: 1, settings: {}, operations: [] } : undefined;
  const made = recipe ? asked({ ...recipe, events: EARLY_EVENTS }).policies : new Set<string>();
  early.set(document, made);
  return made;
}
