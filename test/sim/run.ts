// Runs scenarios for tests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type EventView, viewEvent } from '../../src/query/events.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import type { Scenario } from '../../src/sim/scenario-schema.ts';
import { type DoneOperation, Simulation } from '../../src/sim/simulation.ts';

const FOLDER = resolve(import.meta.dirname, '../../examples/scenarios');

export interface Options {
  readonly seed?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly operations?: readonly DoneOperation[];
}

/** A scenario of a document; fails the test when it is none. Title and description may be left out. */
export function scenarioOf(document: object): Scenario {
  const scenario = readScenario({ title: 'test', description: 'A test.', ...document });
  assert.ok(!('length' in scenario), JSON.stringify(scenario));
  return scenario as Scenario;
}

/** The document of a bundled scenario. */
export function bundled(name: string): object {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.scenario.json`), 'utf8')) as object;
}

/** A run from its start, nothing done yet. */
export function start(document: object, { seed = 1, settings = {}, operations = [] }: Options = {}): Simulation {
  return new Simulation({ scenario: scenarioOf(document), seed, settings, operations });
}

/** A run to its end. */
export function run(document: object, options: Options = {}): Simulation {
  const simulation = start(document, options);
  simulation.run();
  return simulation;
}

/** All events of a run, from a step on. */
export function events(simulation: Simulation, from = 0): EventView[] {
  return Array.from({ length: simulation.trace.length - from }, (_, i) => viewEvent(simulation.trace, from + i));
}
