import * as v from 'valibot';
import { count } from '../../base/counted.ts';
import { type DocumentProblem, issueProblem, jsonFault } from '../../base/json.ts';
import { type DocumentPath, faultPlace, placeIn } from '../../base/json-place.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { type Filter, FilterError } from '../../query/filter/ast.ts';
import { namesRelated } from '../../query/filter/names.ts';
import { parseFilter } from '../../query/filter/parse.ts';
import { relationNames } from '../../query/filter/related-names.ts';
import { nearest } from '../../query/nearest.ts';
import { ruleNames } from '../rules.ts';
import { type UserRule, userFileSchema, userRuleSchema } from './schema.ts';

/** The file of rules cannot be read; `message` says where and why. */
export class UserRulesError extends Error {}

/** A rule of the user whose filters were read. */
export interface ReadRule extends UserRule {
  readonly filters: { readonly after: Filter; readonly expect: Filter };
}

/** Rules and characters that a file holds at most: a trace is judged by every rule. */
const MOST_RULES = 1000;
const MOST_TEXT = 1 << 20;

/** The rules of a file that can be judged by, and what is wrong with the others, or with the file. */
export interface ReadRules {
  readonly rules: readonly ReadRule[];
  readonly problems: readonly DocumentProblem[];
}

/** The rules in the text of a file `rules.json`, without those that are wrong. */
export function readRules(text: string): ReadRules {
  const whole = (message: string): ReadRules => ({ rules: [], problems: [{ from: 0, to: 1, message }] });
  if (text.length > MOST_TEXT) return whole('the file is larger than 1 MB');
  const body = text.replace(/^\uFEFF/, ' ');
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch (error) {
    const fault = jsonFault(error);
    return { rules: [], problems: [{ ...faultPlace(body, fault), message: `no JSON: ${fault}` }] };
  }
  const file = v.safeParse(userFileSchema, document);
  if (!file.success) return { rules: [], problems: file.issues.map((issue) => issueProblem(body, issue)) };
  const { length } = file.output.rules;
  if (length > MOST_RULES) return whole(`rules: at most ${count(MOST_RULES)} rules, not ${count(length)}`);
  const ids = new Set<string>(ruleNames);
  const read = file.output.rules.map((rule, i) => readRule(body, rule, ['rules', i], ids));
  return {
    rules: read.flatMap((one) => (Array.isArray(one) ? [] : [one])),
    problems: read.flatMap((one) => (Array.isArray(one) ? one : [])),
  };
}

/** The rules in the text of a file `rules.json`; throws UserRulesError where one is wrong. */
export function readUserRules(text: string): readonly ReadRule[] {
  const { rules, problems } = readRules(text);
  if (problems.length > 0) throw new UserRulesError(problems[0]!.message);
  return rules;
}

/** A rule, or what is wrong with it. `ids`: those that are taken; its own is added. */
function readRule(text: string, value: unknown, path: DocumentPath, ids: Set<string>): ReadRule | DocumentProblem[] {
  const result = v.safeParse(userRuleSchema, value, { abortPipeEarly: true });
  if (!result.success) return result.issues.map((issue) => issueProblem(text, issue, path));
  const rule = result.output;
  const problems: DocumentProblem[] = [];
  const tell = (key: keyof UserRule, message: string, inside = ''): void => {
    const place = [...path, key];
    const { from, to } = placeIn(text, place);
    // A place in a text stands behind its quote, and as the text is written in the file.
    const skipped = inside === '' ? 0 : JSON.stringify(inside).length - 1;
    problems.push({ from: Math.min(from + skipped, to - 1), to, message: `${place.join('.')}${message}` });
  };
  if (ids.has(rule.id)) tell('id', `: there is another rule ${rule.id}`);
  ids.add(rule.id);
  const unknown = unknownCommon(rule.same);
  if (unknown !== undefined) tell('same', `: ${unknown}`);
  const [after, expect] = (['after', 'expect'] as const).map((key) => {
    const filter = filterOf(rule[key]);
    if (!(filter instanceof FilterError)) return filter;
    tell(key, `, column ${filter.at + 1}: ${filter.message}`, rule[key].slice(0, filter.at));
    return undefined;
  });
  return problems.length > 0 ? problems : { ...rule, filters: { after: after!, expect: expect! } };
}

/** What two events can have in common, beside arguments and related objects. */
const COMMON = ['object', 'cpu', 'any'];

/** Says that no two events can have something of that name in common; undefined where they can. */
function unknownCommon(same: string): string | undefined {
  const names = new Set([...COMMON, ...vocabulary.flatMap(({ args }) => args.map(({ name }) => name))]);
  if (names.has(same) || namesRelated(same)) return undefined;
  const near = nearest(same, [...names, ...Object.keys(relationNames)]);
  const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  return `no event has anything called ${same}${hint}`;
}

function filterOf(text: string): Filter | FilterError {
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}
