import * as v from 'valibot';
import { byName } from '../../base/by-name.ts';
import { SEVERITIES } from '../rule.ts';

/** Version of the file format is not needed: unknown keys are refused, so that a mistyped one is noticed. */
const text = (meaning: string) => v.pipe(v.string(), v.nonEmpty(), v.description(meaning));
/** The same with values that the editor offers. */
const likeText = (meaning: string, ...like: readonly string[]) => v.pipe(text(meaning), v.examples(like));

const within = v.pipe(
  v.string(),
  v.regex(/^\d+(\.\d+)?\s*(ns|us|µs|ms|s)$/, 'a duration with unit, such as 5 ms, was expected'),
  v.description('How long after it: a number with unit, such as 50 us, 5 ms or 1.5 s.'),
  v.examples(['50 us', '5 ms', '1.5 s']),
);

/** A rule of the user: after an event, another one must follow within some time. */
export const userRuleSchema = v.strictObject({
  id: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z][\w.-]{0,63}$/, 'an id of letters, digits, dots and dashes was expected'),
    v.description(
      'Name of the rule in findings and verdicts. It may not be the id of a rule that comes with the product.',
    ),
  ),
  title: text('What is wrong when the rule is broken, in a few words.'),
  after: likeText(
    'A filter: the events after which something must follow.',
    'kind == send',
    'kind == dev.raise && !entry.effectivelyMasked',
  ),
  expect: likeText('A filter: the events that must follow.', 'kind == irq.entry', 'kind in (send, drop)'),
  within,
  same: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z]\w*$/, '`object`, `cpu`, `any` or a name of letters and digits was expected'),
      v.description(
        'What both events must have in common: `object` (the object that they are about), `cpu`, `any` (nothing), an object that both are related to (`entry`, `irq`, `device`, …), or the name of an argument that both have, such as `vector`.',
      ),
      v.examples(['object', 'entry', 'irq', 'vector', 'cpu', 'device', 'any']),
    ),
    'object',
  ),
  severity: v.optional(v.pipe(v.picklist(SEVERITIES), v.description('How bad a breach is.')), 'warning'),
  confirm: v.optional(text('What would confirm a finding.')),
  reference: v.optional(text('Where it is laid down that this must hold.')),
});

/** The file `.irqscope/rules.json`. */
export const userRulesSchema = v.strictObject({
  $schema: v.optional(v.string()),
  rules: v.pipe(v.array(userRuleSchema), v.description('Rules of your own, checked with those of the product.')),
});

/** A rule of the user, as it stands in the file. */
export type UserRule = v.InferOutput<typeof userRuleSchema>;

/** The same file with rules that were not looked at yet. */
export const userFileSchema = v.strictObject({ $schema: v.optional(v.string()), rules: v.array(v.unknown()) });

const UNITS: Readonly<Record<string, number>> = byName({ ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 });

/** A duration with unit in nanoseconds. */
export function nanosecondsIn(duration: string): number {
  const [, number, unit] = /^([\d.]+)\s*(\D+)$/.exec(duration)!;
  return Math.round(Number(number) * UNITS[unit!]!);
}
