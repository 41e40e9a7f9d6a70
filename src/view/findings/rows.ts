import { count, counted } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { mapOf, type Slices, whole } from '../../base/slices.ts';
import type { Finding } from '../../check/check-trace.ts';
import { rank, witnesses, worstFirst } from '../../check/report/view.ts';
import { type Rule, SEVERITIES, type Severity } from '../../check/rule.ts';
import { eventText, timeOf } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';
import { deepName, sharedDomain } from '../narrow.ts';

/**
 * One row of the list of findings. `severity`, `suppressed` and `blind` hold rows; `rule` holds the findings of one rule where it has
 * several; `finding` holds its evidence; `lack` is a rule that cannot judge this trace.
 */
export interface FindingRow {
  /** Unique in its list, and the same for the same finding when the list is made again. */
  readonly id: string;
  readonly kind: 'severity' | 'rule' | 'finding' | 'evidence' | 'suppressed' | 'blind' | 'lack';
  readonly parent: FindingRow | undefined;
  readonly label: string;
  readonly description: string;
  /** The severity that it is coloured by. */
  readonly severity?: Severity;
  readonly finding?: Finding;
  readonly rule?: Rule;
  /** The step to go to. */
  readonly step?: Step;
  /** Those of a finding are made when they are asked for. */
  readonly below: readonly FindingRow[];
}

/** What the list of findings shows. */
export interface ListedFindings {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly Finding[];
  /** Rules that cannot judge the trace. */
  readonly blind: readonly Rule[];
}

export const SEVERITY_TITLES: Readonly<Record<Severity, string>> = {
  error: 'Errors',
  security: 'Security',
  warning: 'Warnings',
  info: 'Information',
};

/** What tells a finding from the others of its trace. */
type FindingKey = Pick<Finding, 'step' | 'object'> & { readonly rule: Pick<Rule, 'id'> };

/** The id of the row of a finding. */
export const findingId = ({ rule, step, object }: FindingKey): string => `finding/${rule.id}/${step}/${object}`;

type Draft = Omit<FindingRow, 'parent' | 'below'>;

/** A row that holds other rows; they are put in later. */
const group = (draft: Draft, parent: FindingRow | undefined): FindingRow & { below: readonly FindingRow[] } => ({
  ...draft,
  parent,
  below: [],
});

const at = (trace: Trace, step: Step): string => timeOf(trace, step) ?? `step ${step}`;

/** What tells the findings of a rule apart, the shortest first: their objects; where several are of one object, their steps. */
function* namesOf(trace: Trace, of: readonly Finding[]): Slices<string[]> {
  const domain = sharedDomain(trace.world);
  const times = new Map<ObjectId, number>();
  for (const { object } of of) times.set(object, (times.get(object) ?? 0) + 1);
  return yield* mapOf(of, ({ object, step }) => {
    const name = deepName(trace.world.path(object), domain);
    return times.get(object) === 1 ? name : `${count(step)} · ${name}`;
  });
}

/** `label`: what tells it from its neighbours, so that a narrow view shows that; its title comes behind it. */
function findingRow(trace: Trace, finding: Finding, label: string, parent: FindingRow, list: string): FindingRow {
  const { rule, severity, title, step } = finding;
  const id = `${list}${findingId(finding)}`;
  let below: readonly FindingRow[] | undefined;
  const row: FindingRow = {
    id,
    kind: 'finding',
    parent,
    label,
    description: `${title} · ${rule.id} · ${at(trace, step)}`,
    severity,
    finding,
    rule,
    step,
    // Few are opened.
    get below() {
      return (below ??= evidenceRows(trace, finding, row));
    },
  };
  return row;
}

const evidenceRows = (trace: Trace, finding: Finding, parent: FindingRow): FindingRow[] =>
  witnesses(finding).map((witness) => ({
    id: `${parent.id}/${witness}`,
    kind: 'evidence',
    parent,
    label: eventText(trace, witness),
    description: `${at(trace, witness)}${witness === finding.step ? ' · here' : ''}`,
    finding,
    step: witness,
    below: [],
  }));

/** Things by a key of theirs, in the order in which the keys occur first. */
function grouped<T, K>(all: readonly T[], keyOf: (each: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group) group.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
}

/** Findings by their rules: those of a rule that has one only stand by themselves. */
function* ruleRows(trace: Trace, findings: readonly Finding[], parent: FindingRow, list: string): Slices<FindingRow[]> {
  const byRule = grouped(findings, ({ rule }) => rule);
  const rows: FindingRow[] = [];
  for (const [rule, of] of byRule) {
    const [only] = of;
    if (of.length === 1) {
      rows.push(findingRow(trace, only!, rule.title, parent, list));
      continue;
    }
    const self = group(
      {
        id: `${list}${parent.id}/${rule.id}`,
        kind: 'rule',
        label: rule.title,
        description: `${rule.id} · ${of.length}`,
        severity: only!.severity,
        rule,
      },
      parent,
    );
    const names = yield* namesOf(trace, of);
    self.below = yield* mapOf(of, (finding, i) => findingRow(trace, finding, names[i]!, self, list));
    rows.push(self);
  }
  return rows;
}

/** The topmost rows: the severities from the worst on, then what is suppressed, then the rules that cannot judge. */
export const findingRows = (trace: Trace, listed: ListedFindings): FindingRow[] =>
  whole(makingFindingRows(trace, listed));

/** The same in slices. */
export function* makingFindingRows(
  trace: Trace,
  { findings, suppressed, blind }: ListedFindings,
): Slices<FindingRow[]> {
  const rows: FindingRow[] = [];
  const bySeverity = grouped(worstFirst(findings), ({ severity }) => severity);
  yield;
  for (const severity of SEVERITIES) {
    const of = bySeverity.get(severity);
    if (of === undefined) continue;
    const label = SEVERITY_TITLES[severity];
    const self = group(
      { id: `severity/${severity}`, kind: 'severity', label, description: `${of.length}`, severity },
      undefined,
    );
    self.below = yield* ruleRows(trace, of, self, '');
    rows.push(self);
  }
  if (suppressed.length > 0) {
    const self = group(
      { id: 'suppressed', kind: 'suppressed', label: 'Suppressed', description: `${suppressed.length}` },
      undefined,
    );
    self.below = yield* ruleRows(trace, worstFirst(suppressed), self, 'suppressed/');
    rows.push(self);
  }
  if (blind.length > 0) {
    const description = counted(blind.length, 'rule');
    const self = group({ id: 'blind', kind: 'blind', label: 'Blind', description }, undefined);
    self.below = blind.toSorted((a, b) => rank(a.severity) - rank(b.severity)).map((rule) => lackRow(rule, self));
    rows.push(self);
  }
  return rows;
}

const lackRow = (rule: Rule, parent: FindingRow): FindingRow => ({
  id: `blind/${rule.id}`,
  kind: 'lack',
  parent,
  label: rule.title,
  description: rule.id,
  rule,
  below: [],
});

/** The first row of a finding, from the top on; undefined where there is none. */
export function topFinding(rows: readonly FindingRow[]): FindingRow | undefined {
  for (const each of rows) {
    if (each.kind === 'suppressed' || each.kind === 'blind') return undefined;
    if (each.kind === 'finding') return each;
    const found = topFinding(each.below);
    if (found) return found;
  }
  return undefined;
}

/** The row with an id, or below one of these rows. */
export function rowWithId(rows: readonly FindingRow[], id: string): FindingRow | undefined {
  for (const each of rows) {
    // What a finding stands on has ids that begin with its own.
    const below = each.kind === 'finding' && !id.startsWith(`${each.id}/`) ? [] : each.below;
    const found = each.id === id ? each : rowWithId(below, id);
    if (found) return found;
  }
  return undefined;
}
