import * as v from 'valibot';
import { type Filter, FilterError } from '../../query/filter/ast.ts';
import { parseFilter } from '../../query/filter/parse.ts';
import { ruleNames } from '../rules.ts';
import { type UserRule, userRulesSchema } from './schema.ts';

/** The file of rules cannot be read; `message` says where and why. */
export class UserRulesError extends Error {}

/** A rule of the user whose filters were read. */
export interface ReadRule extends UserRule {
  readonly filters: { readonly after: Filter; readonly expect: Filter };
}

/** The rules in the text of a file `rules.json`; throws UserRulesError. */
export function readUserRules(text: string): ReadRule[] {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserRulesError(`no JSON: ${(error as Error).message}`);
  }
  const result = v.safeParse(userRulesSchema, document, { abortPipeEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw new UserRulesError(`${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
  }
  const ids = new Set<string>(ruleNames);
  return result.output.rules.map((rule, i) => {
    if (ids.has(rule.id)) throw new UserRulesError(`rules.${i}.id: there is another rule ${rule.id}`);
    ids.add(rule.id);
    return {
      ...rule,
      filters: { after: filterOf(rule.after, `rules.${i}.after`), expect: filterOf(rule.expect, `rules.${i}.expect`) },
    };
  });
}

function filterOf(text: string, place: string): Filter {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new UserRulesError(`${place}, column ${error.at + 1}: ${error.message}`);
  }
}
