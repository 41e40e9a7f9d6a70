// Traces made by hand for rules, and what a rule says of them.

import { checkTrace } from '../../src/check/check-run.ts';
import type { Finding, RuleCheck } from '../../src/check/check-trace.ts';
import { ruleNamed, rules } from '../../src/check/rules.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';

/**
 * A trace of one event per line: `TIME[@CPU][/TASK] KIND OBJECT NAME=VALUE…`, the time in microseconds. Blank lines are left out;
 * the steps count from 0. `complete`: as a saved simulation, which shows every cause and message.
 */
export function made(text: string, complete = false): Trace {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, time, cpu, task, rest] = /^([\d.]+)(?:@(\d+))?(?:\/(\S+))? (.*)$/.exec(line)!;
      const stamp = (Number(time) / 1e6).toFixed(9);
      return `${stamp} ${cpu === undefined ? '-' : `cpu${cpu}`} ${task ?? '-'} ${rest}`;
    });
  const scenario = complete ? '#scenario {}\n' : '';
  const trace = importText(`#irqtrace 1\n#clock seconds digits=9 "model time"\n${scenario}${lines.join('\n')}\n`);
  if (trace.length !== lines.length) throw new Error(`${lines.length} lines gave ${trace.length} events`);
  return trace;
}

/** One rule over a trace. */
export function judged(trace: Trace, id: string): RuleCheck {
  return checkTrace(trace, [ruleNamed(id)!]);
}

/** What a rule finds: `STEP OBJECT: TITLE`. */
export function found(trace: Trace, id: string): string[] {
  return judged(trace, id).findings.map(({ step, object, title }) => `${step} ${trace.world.path(object)}: ${title}`);
}

/** What a rule says of a trace. */
export const verdict = (trace: Trace, id: string): string => judged(trace, id).verdict(ruleNamed(id)!);

/** What all rules find, as `ID at STEP: TITLE`. */
export function foundByAll(trace: Trace): string[] {
  return checkTrace(trace, rules).findings.map((f: Finding) => `${f.rule.id} at ${f.step}: ${f.title}`);
}
