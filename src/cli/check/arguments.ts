import { readFile } from 'node:fs/promises';
import { type Rule, SEVERITIES, type Severity } from '../../check/rule.ts';
import { ruleNames, rules } from '../../check/rules.ts';
import { type ReadRule, readUserRules, UserRulesError } from '../../check/user/read.ts';
import { nearest } from '../../query/nearest.ts';
import { misused, readArguments } from '../command.ts';
import { Failure } from '../failure.ts';
import { INPUT_OPTIONS, type InputValues } from '../input.ts';

/** What a check is asked to do. */
export interface CheckJob {
  readonly files: readonly string[];
  /** The sources that are joined to the only file, and their clocks. */
  readonly input: InputValues;
  /** The rules of the product that judge. */
  readonly rules: readonly Rule[];
  /** The rules of the user that judge. */
  readonly user: readonly ReadRule[];
  readonly severity: Severity;
  readonly form: 'text' | 'json' | 'sarif';
  /** The options without the files, for a process that checks one of them. */
  readonly options: readonly string[];
}

/** Reads the arguments of `check`; throws Failure. */
export async function readJob(args: readonly string[]): Promise<CheckJob> {
  const { values, positionals } = readArguments('check', args, {
    rule: { type: 'string', multiple: true },
    severity: { type: 'string' },
    rules: { type: 'string' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
    sarif: { type: 'boolean' },
  });
  if (positionals.length === 0) throw misused('check', 'check needs a FILE');
  if (positionals.length > 1 && (values.with ?? values.offset) !== undefined)
    throw misused('check', '--with and --offset join sources to one FILE');
  if (values.json && values.sarif) throw misused('check', 'an answer is --json or --sarif, not both');
  const user = values.rules === undefined ? [] : await userRules(values.rules);
  const asked = values.rule ?? [];
  for (const name of asked) mustBeKnown(name, user);
  const named = ({ id, names = [] }: { readonly id: string; readonly names?: readonly string[] }): boolean =>
    asked.length === 0 || [id, ...names].some((name) => asked.includes(name));
  return {
    files: positionals,
    input: values,
    rules: rules.filter(named),
    user: user.filter(named),
    severity: severityOf(values.severity),
    form: values.sarif ? 'sarif' : values.json ? 'json' : 'text',
    options: [
      ...asked.map((name) => `--rule=${name}`),
      ...(values.severity === undefined ? [] : [`--severity=${values.severity}`]),
      ...(values.rules === undefined ? [] : [`--rules=${values.rules}`]),
      ...(values.sarif ? ['--sarif'] : values.json ? ['--json'] : []),
    ],
  };
}

function severityOf(text = 'info'): Severity {
  const severity = SEVERITIES.find((s) => s === text);
  if (severity === undefined) throw misused('check', `--severity is one of ${SEVERITIES.join(', ')}, not ${text}`);
  return severity;
}

function mustBeKnown(name: string, user: readonly ReadRule[]): void {
  const known = [...ruleNames, ...user.map(({ id }) => id)];
  if (known.includes(name)) return;
  const [near] = nearest(name, known, 1);
  throw misused('check', `there is no rule ${name}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

async function userRules(file: string): Promise<readonly ReadRule[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(`${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
  try {
    return readUserRules(text);
  } catch (error) {
    if (error instanceof UserRulesError) throw new Failure(`${file}: ${error.message}`);
    throw error;
  }
}
