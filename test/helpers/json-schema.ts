// Checks a value against a JSON schema (draft 7). Only the keywords below; any other one in a schema is an error, so that none is
// passed over in silence.
import assert from 'node:assert/strict';

export type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about whether a value is right. */
const SILENT = new Set([
  '$schema',
  '$id',
  'title',
  'description',
  'default',
  'examples',
  'definitions',
  'enumDescriptions',
  'id',
]);

/** What is wrong with a value, each with its place. */
export function schemaProblems(value: unknown, schema: Schema, root: Schema = schema, at = '$'): string[] {
  const problems: string[] = [];
  const wrong = (what: string): void => void problems.push(`${at}: ${what}`);
  const within = (inner: unknown, under: unknown, name: string): void =>
    void problems.push(...schemaProblems(inner, under as Schema, root, `${at}${name}`));
  for (const [keyword, said] of Object.entries(schema)) {
    if (SILENT.has(keyword)) continue;
    const check = KEYWORDS[keyword] ?? assert.fail(`the schema says ${keyword}, which is not checked here`);
    check({ value, said, schema, root, wrong, within });
  }
  return problems;
}

interface Case {
  readonly value: unknown;
  readonly said: unknown;
  readonly schema: Schema;
  readonly root: Schema;
  readonly wrong: (what: string) => void;
  readonly within: (inner: unknown, under: unknown, name: string) => void;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

const branches = ({ value, said, root }: Case): number =>
  (said as Schema[]).filter((branch) => schemaProblems(value, branch, root).length === 0).length;

const KEYWORDS: Readonly<Record<string, (c: Case) => void>> = {
  $ref: ({ said, root, within, value }) => {
    const target = String(said)
      .slice(2)
      .split('/')
      .reduce<unknown>((at, name) => (at as Schema)[name], root);
    assert.ok(isObject(target), String(said));
    within(value, target, '');
  },
  type: ({ value, said, wrong }) => {
    const type = typeOf(value);
    const types = Array.isArray(said) ? said : [said];
    if (!types.includes(type) && !(type === 'integer' && types.includes('number')))
      wrong(`${types.join(' or ')} expected, found ${type}`);
  },
  enum: ({ value, said, wrong }) => {
    if (!(said as unknown[]).includes(value)) wrong(`${JSON.stringify(value)} is none of ${JSON.stringify(said)}`);
  },
  const: ({ value, said, wrong }) => {
    if (value !== said) wrong(`${JSON.stringify(value)} is not ${JSON.stringify(said)}`);
  },
  required: ({ value, said, wrong }) => {
    for (const name of said as string[])
      if (isObject(value) && !Object.hasOwn(value, name)) wrong(`${name} is missing`);
  },
  properties: ({ value, said, within }) => {
    if (!isObject(value)) return;
    for (const [name, under] of Object.entries(said as Schema))
      if (Object.hasOwn(value, name)) within(value[name], under, `.${name}`);
  },
  additionalProperties: ({ value, said, schema, wrong, within }) => {
    if (!isObject(value)) return;
    const known = Object.keys((schema['properties'] ?? {}) as Schema);
    for (const name of Object.keys(value).filter((n) => !known.includes(n))) {
      if (said === false) wrong(`${name} is not allowed`);
      else if (isObject(said)) within(value[name], said, `.${name}`);
    }
  },
  items: ({ value, said, within }) => {
    if (Array.isArray(value)) for (const [i, item] of value.entries()) within(item, said, `[${i}]`);
  },
  minItems: ({ value, said, wrong }) => {
    if (Array.isArray(value) && value.length < Number(said)) wrong(`fewer than ${String(said)} items`);
  },
  uniqueItems: ({ value, said, wrong }) => {
    if (said !== true || !Array.isArray(value)) return;
    if (new Set(value.map((item) => JSON.stringify(item))).size < value.length) wrong('items occur twice');
  },
  minimum: ({ value, said, wrong }) => {
    if (typeof value === 'number' && value < Number(said)) wrong(`${value} is below ${String(said)}`);
  },
  maximum: ({ value, said, wrong }) => {
    if (typeof value === 'number' && value > Number(said)) wrong(`${value} is above ${String(said)}`);
  },
  minLength: ({ value, said, wrong }) => {
    if (typeof value === 'string' && value.length < Number(said)) wrong('too short');
  },
  pattern: ({ value, said, wrong }) => {
    if (typeof value === 'string' && !new RegExp(String(said), 'u').test(value))
      wrong(`${value} does not fit ${String(said)}`);
  },
  format: ({ value, said, wrong }) => {
    assert.ok(['uri', 'uri-reference'].includes(String(said)), String(said));
    if (typeof value !== 'string') return;
    const base = said === 'uri' ? undefined : 'file:///';
    if (/[\s\\^`{|}<>"]/.test(value) || !URL.canParse(value, base)) wrong(`${value} is no ${String(said)}`);
  },
  anyOf: (c) => {
    if (branches(c) === 0) c.wrong('fits none of the alternatives');
  },
  oneOf: (c) => {
    if (branches(c) !== 1) c.wrong('fits none or several of the alternatives');
  },
  allOf: (c) => {
    for (const branch of c.said as Schema[]) c.within(c.value, branch, '');
  },
};
