import type { Step } from '../../base/ids.ts';
import { timeOf } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Finding, RuleCheck, Verdict } from '../check-trace.ts';
import { type Rule, SEVERITIES, type Severity } from '../rule.ts';

/** A finding as answers print it. */
export interface FindingView {
  /** Id of the rule in the failure catalogue. */
  readonly rule: string;
  /** The other names of the rule: its invariants. */
  readonly names: readonly string[];
  readonly severity: Severity;
  /** An interrupt did not reach its handler. */
  readonly lost: boolean;
  readonly title: string;
  readonly step: Step;
  /** Decimal seconds (or ticks) with all digits of the source; null when the event has no stamp. */
  readonly time: string | null;
  /** Path of the object that the finding is about. */
  readonly object: string;
  /** The events that the judgement stands on, in order, with the one at `step`. */
  readonly evidence: readonly Step[];
  readonly explanation: string;
  readonly reference: string;
  /** What would confirm it. */
  readonly confirm: string;
}

/** What the rules say of one trace, as answers print it. */
export interface CheckView {
  readonly file: string;
  /** The worst first, and of those alike the earliest first. */
  readonly findings: readonly FindingView[];
  /** Findings that are only counted, because one rule has so many of the same object. */
  readonly further: number;
  /** The verdict of each rule, by its id and by each of its other names. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

/** The place of a severity in the order from the worst on. */
export const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** What the order of findings goes by: the finding of a check, or as answers print it. */
type Ranked = Pick<Finding, 'severity' | 'step' | 'lost'>;

/** Sorts findings: the worst first, of these the lost interrupts, then the earliest. */
export const worstFirst = <T extends Ranked>(findings: readonly T[]): T[] =>
  findings.toSorted(
    (a, b) => rank(a.severity) - rank(b.severity) || Number(b.lost) - Number(a.lost) || a.step - b.step,
  );

/** The events that a finding stands on, in order, with its own. */
export const witnesses = ({ evidence, step }: Pick<Finding, 'evidence' | 'step'>): Step[] =>
  [...new Set([...evidence, step])].sort((a, b) => a - b);

/** A finding as answers print it. */
export function findingView(trace: Trace, finding: Finding): FindingView {
  const { rule, severity, lost, title, step, object, text, confirm } = finding;
  return {
    rule: rule.id,
    names: rule.names,
    severity,
    lost,
    title,
    step,
    time: timeOf(trace, step),
    object: trace.world.path(object),
    evidence: witnesses(finding),
    explanation: text,
    reference: rule.reference,
    confirm,
  };
}

/** The verdict of two rules of one name: what is worst for someone who relies on it. */
const ORDER: readonly Verdict[] = ['fail', 'undecidable', 'pass', 'not-applicable'];
const joint = (a: Verdict | undefined, b: Verdict): Verdict =>
  a !== undefined && ORDER.indexOf(a) < ORDER.indexOf(b) ? a : b;

/** Verdicts of rules by all their names. */
export function verdictsByName(
  verdicts: Iterable<readonly [Pick<Rule, 'id' | 'names'>, Verdict]>,
): Readonly<Record<string, Verdict>> {
  // A rule of the user may be called `constructor`, which an object seems to have already.
  const found = new Map<string, Verdict>();
  for (const [{ id, names }, verdict] of verdicts)
    for (const name of [id, ...names]) found.set(name, joint(found.get(name), verdict));
  return Object.fromEntries(found);
}

/** The verdict of each rule of a check. */
export const verdictsOf = (check: RuleCheck): (readonly [Rule, Verdict])[] =>
  check.rules.map((rule) => [rule, check.verdict(rule)] as const);

/** What a check says of a trace, as answers print it; only findings of a severity and worse ones. */
export function checkView(file: string, trace: Trace, check: RuleCheck, severity: Severity = 'info'): CheckView {
  const findings = check.findings.filter((finding) => rank(finding.severity) <= rank(severity));
  return {
    file,
    findings: worstFirst(findings).map((finding) => findingView(trace, finding)),
    further: check.further,
    verdicts: verdictsByName(verdictsOf(check)),
  };
}
