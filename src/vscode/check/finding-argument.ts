import type { Step } from '../../base/ids.ts';
import type { Finding } from '../../check/check-trace.ts';
import { witnesses } from '../../check/report/view.ts';
import type { OpenTrace } from '../sessions.ts';
import type { Checks } from './checks.ts';

/** A finding of a trace, and the one of its events to go to. */
export interface Chosen {
  readonly trace: OpenTrace;
  readonly finding: Finding;
  readonly step: Step;
}

/** What names a finding: its rule and step, and its object (a path, or its number) where a rule has several at one step. */
interface Named {
  readonly rule: string;
  readonly step: Step;
  readonly object?: unknown;
  /** Another event that it stands on. */
  readonly at?: Step;
}

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' &&
  value !== null &&
  'rule' in value &&
  'step' in value &&
  typeof value.rule === 'string' &&
  typeof value.step === 'number';

/** Whether an argument is a row of the view Findings. */
const isRow = (value: unknown): value is { readonly finding?: Finding; readonly step?: Step } =>
  typeof value === 'object' && value !== null && 'below' in value && 'kind' in value;

/** The finding that an argument names; undefined when it names none, or the trace has no such one. */
export function chosenBy(checks: Checks, trace: OpenTrace, argument: unknown): Chosen | undefined {
  if (isRow(argument)) {
    const { finding, step } = argument;
    return finding && { trace, finding, step: step ?? finding.step };
  }
  if (!isNamed(argument)) return undefined;
  const { rule, step, object, at } = argument;
  const checked = checks.of(trace);
  const { world } = trace.session.trace;
  const finding = [...(checked?.findings ?? []), ...(checked?.suppressed ?? [])].find(
    (one) =>
      one.rule.id === rule &&
      one.step === step &&
      (object === undefined || object === one.object || object === world.path(one.object)),
  );
  if (finding === undefined) return undefined;
  return { trace, finding, step: at !== undefined && witnesses(finding).includes(at) ? at : step };
}
