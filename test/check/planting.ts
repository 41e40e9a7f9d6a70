// Plants each fault for many seeds and judges the runs: the numbers of the table in docs/findings.md.
import { type Finding, RuleCheck } from '../../src/check/check-trace.ts';
import type { Rule } from '../../src/check/rule.ts';
import { rules } from '../../src/check/rules.ts';
import { State } from '../../src/model/state.ts';
import { apply } from '../../src/model/vocabulary.ts';
import { World } from '../../src/model/world.ts';
import type { PlantedFault, Stated, Truth } from '../../src/sim/faults/planting.ts';
import type { Recorder } from '../../src/sim/recorder.ts';
import type { Scenario } from '../../src/sim/scenario-schema.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { EventRow } from '../../src/trace/row.ts';
import { bundled, scenarioOf } from '../sim/run.ts';

/** Seeds for which each fault is planted. */
export const SEEDS = 100;

/** The fate of one planted fault. */
export interface Planted {
  /** Seeds for which the rule found it, and only it, at its step and object. */
  readonly found: number;
  /** Seeds for which it did not find it there. */
  readonly missed: number;
  /** Seeds for which the rule found something without the switch. */
  readonly wrong: number;
  /** What went wrong first. */
  readonly why: string;
}

/** Judges a run while it goes on and keeps no trace of it: thousands of runs are judged. */
class Judge implements Recorder {
  readonly world = new World();
  readonly state = new State(this.world);
  readonly check: RuleCheck;
  length = 0;

  constructor(list: readonly Rule[]) {
    this.check = new RuleCheck(list, this.world, true);
  }

  record(row: EventRow): void {
    apply(this.state, row.kind, row);
    this.check.event(this.length++, row, this.state);
  }
}

const scenarios = new Map<string, Scenario>();

/** A run of a bundled scenario to its end: what the rules find, where the fault was planted, and how objects are called. */
function judgedRun(
  name: string,
  seed: number,
  settings: Readonly<Record<string, string>>,
  list: readonly Rule[],
): { readonly findings: readonly Finding[]; readonly planted: Truth | undefined; readonly world: World } {
  let scenario = scenarios.get(name);
  if (scenario === undefined) scenarios.set(name, (scenario = scenarioOf(bundled(name))));
  const judge = new Judge(list);
  const simulation = new Simulation({ scenario, seed, settings, operations: [] }, judge);
  simulation.run();
  judge.check.end(judge.length - 1, judge.state);
  return { findings: judge.check.findings, planted: simulation.planted, world: judge.world };
}

const sound = new Map<string, Set<string>>();

/** The rules that find something in a run of a scenario into which nothing was planted. */
function foundWithout(scenario: string, settings: Readonly<Record<string, string>>, seed: number): Set<string> {
  const key = JSON.stringify([scenario, settings, seed]);
  let ids = sound.get(key);
  if (ids === undefined) {
    ids = new Set(judgedRun(scenario, seed, settings, rules).findings.map(({ rule }) => rule.id));
    sound.set(key, ids);
  }
  return ids;
}

const told = ({ rule, step, object }: Finding): string => `${rule.id} at ${step} of ${object}`;

/** Plants a fault with every seed. */
export function plant({ id, rule: ruleId = id, scenario, settings = {} }: PlantedFault): Planted {
  const rule = rules.find((r) => r.id === ruleId);
  if (rule === undefined) return { found: 0, missed: SEEDS, wrong: 0, why: `there is no rule ${ruleId}` };
  let found = 0;
  let wrong = 0;
  let why = '';
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { findings, planted, world } = judgedRun(scenario, seed, { ...settings, fault: id }, [rule]);
    const [first] = findings;
    if (findings.length === 1 && planted && first!.step === planted.step && first!.object === planted.object) found++;
    else if (why === '') {
      const where = planted ? `${planted.step} of ${planted.object} (${world.path(planted.object)})` : 'nowhere';
      why = `seed ${seed}: planted at ${where}, found ${findings.slice(0, 5).map(told).join(', ') || 'nothing'}`;
    }
    if (foundWithout(scenario, settings, seed).has(rule.id)) {
      wrong++;
      if (why === '') why = `seed ${seed}: found without the switch`;
    }
  }
  return { found, missed: SEEDS - found, wrong, why };
}

/** The table of docs/findings.md has these columns. */
export const plantedHead: readonly string[] = [
  '| fault | rule | scenario | planted | found | missed | false |',
  '|---|---|---|---|---|---|---|',
];

const STATED: Readonly<Record<Stated | 'defect', string>> = {
  defect: 'defect',
  line: 'defect, log line',
  act: 'act',
};

/** The row of a fault in that table. */
export function plantedRow(fault: PlantedFault, { found, missed, wrong }: Planted): string {
  const { id, rule = id, scenario, stated = 'defect' } = fault;
  return `| ${id} | [${rule}](#${rule.toLowerCase()}) | ${scenario} | ${STATED[stated]} | ${found} | ${missed} | ${wrong} |`;
}
