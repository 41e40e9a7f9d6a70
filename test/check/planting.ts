// Plants each fault for many seeds and judges the runs: the numbers of the table in docs/findings.md.
import { checkTrace, type Finding } from '../../src/check/check-trace.ts';
import { rules } from '../../src/check/rules.ts';
import type { PlantedFault } from '../../src/sim/faults/planting.ts';
import { bundled, run } from '../sim/run.ts';

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

const sound = new Map<string, Set<string>>();

/** The rules that find something in a run of a scenario into which nothing was planted. */
function foundWithout(scenario: string, settings: Readonly<Record<string, string>>, seed: number): Set<string> {
  const key = JSON.stringify([scenario, settings, seed]);
  let ids = sound.get(key);
  if (ids === undefined) {
    const { trace } = run(bundled(scenario), { seed, settings });
    ids = new Set(checkTrace(trace, rules).findings.map(({ rule }) => rule.id));
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
    const { trace, planted } = run(bundled(scenario), { seed, settings: { ...settings, fault: id } });
    const findings = checkTrace(trace, [rule]).findings;
    const [first] = findings;
    if (findings.length === 1 && planted && first!.step === planted.step && first!.object === planted.object) found++;
    else if (why === '') {
      const where = planted ? `${planted.step} of ${planted.object} (${trace.world.path(planted.object)})` : 'nowhere';
      why = `seed ${seed}: planted at ${where}, found ${findings.slice(0, 5).map(told).join(', ') || 'nothing'}`;
    }
    if (foundWithout(scenario, settings, seed).has(rule.id)) {
      wrong++;
      if (why === '') why = `seed ${seed}: found without the switch`;
    }
  }
  return { found, missed: SEEDS - found, wrong, why };
}

/** The row of a fault in the table of docs/findings.md. */
export function plantedRow({ id, rule = id, scenario }: PlantedFault, { found, missed, wrong }: Planted): string {
  return `| ${id} | [${rule}](#${rule.toLowerCase()}) | ${scenario} | ${found} | ${missed} | ${wrong} |`;
}
