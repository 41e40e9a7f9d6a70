import type { Finding } from '../../check/check-trace.ts';
import type { Rule } from '../../check/rule.ts';
import type { EventKind } from '../../model/event.ts';
import { kvmSeveral } from '../../model/events/virt.ts';
import type { Trace } from '../../trace/trace.ts';
import { code, plain } from '../outline/explain.ts';

const paragraphs = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n');

const namesOf = ({ id, names }: Rule): string => [id, ...names].map(code).join(', ');

/** Markdown that explains a finding. */
export const explainFinding = (trace: Trace, { rule, title, text, object, confirm }: Finding): string =>
  paragraphs(
    `**${plain(title)}**`,
    plain(text),
    code(trace.world.path(object)),
    `${namesOf(rule)}: ${plain(rule.meaning)}`,
    plain(rule.reference),
    `To confirm: ${plain(confirm)}`,
  );

/** Markdown that explains a rule. */
export const explainRule = (rule: Rule): string =>
  paragraphs(`**${plain(rule.title)}**`, `${namesOf(rule)}: ${plain(rule.meaning)}`, plain(rule.reference));

/** What a rule that cannot judge lacks, in words. `holds`: whether the trace holds events of a kind. */
export function lacking(rule: Rule, holds: (kind: EventKind) => boolean): string {
  if (rule.needsAll) return 'It needs every cause and every message, which only simulated traces show.';
  if (rule.oneMachine === true && holds(kvmSeveral))
    return 'The trace shows several virtual machines, and its records of KVM do not tell which of them they are about.';
  const groups = rule.needs.filter((group) => !group.some(holds)).map((group) => group.map(({ name }) => name));
  if (groups.length === 0)
    return 'The trace lost events where something is missing, or does not record what is missing.';
  const texts = groups.map((names) => names.slice(0, 4).join(' or '));
  return `The trace holds no ${texts.join(', and no ')}.`;
}

/** Markdown that says why a rule cannot judge, and what would help. */
export const explainLack = (rule: Rule, holds: (kind: EventKind) => boolean): string =>
  paragraphs(explainRule(rule), plain(lacking(rule, holds)), `What would help: ${plain(rule.confirm)}`);
