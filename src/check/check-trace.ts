import type { ObjectId, Step } from '../base/ids.ts';
import type { State } from '../model/state.ts';
import type { Trace } from '../trace/trace.ts';
import { type Observer, walk } from '../trace/walk.ts';
import type { Happened, Rule, RuleObserver } from './rule.ts';

/** A breach that a rule found. */
export interface Finding {
  readonly rule: string;
  /** The event that broke the rule. */
  readonly step: Step;
  /** The object that it is about. */
  readonly object: ObjectId;
  readonly text: string;
  /** Earlier events that the judgement stands on. */
  readonly evidence: readonly Step[];
}

/**
 * What a rule says of a trace: broken; held wherever there was something to judge; cannot be judged because the trace does
 * not show all that counts; nothing in the trace that it is about.
 */
export type Verdict = 'fail' | 'pass' | 'undecidable' | 'not-applicable';

/** Takes rules over the events of a trace, in a walk of its own or together with other observers. */
export class RuleCheck implements Observer {
  readonly findings: Finding[] = [];
  readonly #rules: readonly Rule[];
  readonly #observers: readonly RuleObserver[];
  readonly #undecidable: ReadonlySet<string>;

  /** `complete`: the trace shows every cause and every message. */
  constructor(rules: readonly Rule[], complete: boolean) {
    this.#rules = rules;
    this.#undecidable = new Set(rules.filter((rule) => rule.needsAll && !complete).map((rule) => rule.id));
    this.#observers = rules
      .filter((rule) => !this.#undecidable.has(rule.id))
      .map((rule) =>
        rule.watch((step, object, text, evidence) =>
          this.findings.push({ rule: rule.id, step, object, text, evidence }),
        ),
      );
  }

  event(step: Step, happened: Happened, state: State): void {
    const lost = happened.kind.role === 'loss';
    for (const observer of this.#observers)
      if (lost) observer.lost();
      else observer.event(step, happened, state);
  }

  /** What each rule says after the last event. */
  verdicts(): Readonly<Record<string, Verdict>> {
    const failed = new Set(this.findings.map((finding) => finding.rule));
    let at = 0;
    return Object.fromEntries(
      this.#rules.map(({ id }): [string, Verdict] => {
        if (this.#undecidable.has(id)) return [id, 'undecidable'];
        const judged = this.#observers[at++]!.judged > 0;
        return [id, failed.has(id) ? 'fail' : judged ? 'pass' : 'not-applicable'];
      }),
    );
  }
}

/** Whether a trace shows every cause and every message: simulated traces do, whether they still run or were saved. */
export function showsAll(trace: Trace): boolean {
  const simulated = ({ format, header }: Trace['first']): boolean =>
    format === 'simulation' || (header ?? []).some((line) => line.startsWith('scenario '));
  return trace.sources.every(simulated);
}

/** Checks a whole trace. */
export function checkTrace(trace: Trace, rules: readonly Rule[]): RuleCheck {
  const check = new RuleCheck(rules, showsAll(trace));
  walk(trace, check);
  return check;
}
