import * as v from 'valibot';
import { count } from '../../base/counted.ts';
import { documentFault, jsonFault } from '../../base/json.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { type Filter, FilterError } from '../../query/filter/ast.ts';
import { namesRelated } from '../../query/filter/names.ts';
import { parseFilter } from '../../query/filter/parse.ts';
import { relationNames } from '../../query/filter/related-names.ts';
import { nearest } from '../../query/nearest.ts';
import { ruleNames } from '../rules.ts';
import { type UserRule, userRulesSchema } from './schema.ts';

/** The file of rules cannot be read; `message` says where and why. */
export class UserRulesError extends Error {}

/** A rule of the user whose filters were read. */
export interface ReadRule extends UserRule {
  readonly filters: { readonly after: Filter; readonly expect: Filter };
}

/** Rules and characters that a file holds at most: a trace is judged by every rule. */
const MOST_RULES = 1000;
const MOST_TEXT = 1 << 20;

/** The rules in the text of a file `rules.json`; throws UserRulesError. */
export function readUserRules(text: string): ReadRule[] {
  if (text.length > MOST_TEXT) throw new UserRulesError('the file is larger than 1 MB');
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserRulesError(`no JSON: ${jsonFault(error)}`);
  }
  const result = v.safeParse(userRulesSchema, document, { abortPipeEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw new UserRulesError(documentFault(v.getDotPath(issue), issue.message));
  }
  const { length } = result.output.rules;
  if (length > MOST_RULES) throw new UserRulesError(`rules: at most ${count(MOST_RULES)} rules, not ${count(length)}`);
  const ids = new Set<string>(ruleNames);
  return result.output.rules.map((rule, i) => {
    if (ids.has(rule.id)) throw new UserRulesError(`rules.${i}.id: there is another rule ${rule.id}`);
    ids.add(rule.id);
    refuseUnknown(rule.same, `rules.${i}.same`);
    return {
      ...rule,
      filters: { after: filterOf(rule.after, `rules.${i}.after`), expect: filterOf(rule.expect, `rules.${i}.expect`) },
    };
  });
}

/** What two events can have in common, beside arguments and related objects. */
const COMMON = ['object', 'cpu', 'any'];

/** Throws where no two events can have something of that name in common. */
function refuseUnknown(same: string, place: string): void {
  const names = new Set([...COMMON, ...vocabulary.flatMap(({ args }) => args.map(({ name }) => name))]);
  if (names.has(same) || namesRelated(same)) return;
  const near = nearest(same, [...names, ...Object.keys(relationNames)]);
  const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  throw new UserRulesError(`${place}: no event has anything called ${same}${hint}`);
}

function filterOf(text: string, place: string): Filter {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new UserRulesError(`${place}, column ${error.at + 1}: ${error.message}`);
  }
}
