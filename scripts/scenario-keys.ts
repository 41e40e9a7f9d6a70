// The part of docs/simulator.md about scenario files: every key from the schema, with an example of each section from a bundled scenario, and the
// operations by what they are done to.
import type { OperationSpec } from '../src/sim/operation.ts';
import { expected } from '../src/sim/operation.ts';

/** A JSON schema, as far as it is shown. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Keys whose values are told elsewhere, as there are many: policies, operations and rules have tables of their own. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['policies', 'Values of [policies](#policies) by name; those that are not named have their default.'],
  ['watch', 'Names of [rules](#rules).'],
]);

/** More values than that are listed elsewhere. */
const MOST_VALUES = 12;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** What a value is, in words. */
function kindOf({ type, enum: values, minimum, maximum, items, anyOf }: Schema): string {
  if (values !== undefined && values.length > MOST_VALUES) return 'name';
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf !== undefined) return [...new Set(anyOf.map(kindOf))].join(' or ');
  if (type === 'array')
    return items === undefined ? 'list' : `list of ${items.type === 'object' ? 'objects' : kindOf(items)}`;
  const words: Readonly<Record<string, string>> = { string: 'text', integer: 'number', boolean: 'true or false' };
  const range =
    minimum === undefined || (minimum === 0 && maximum === undefined)
      ? ''
      : ` from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
  return `${Object.hasOwn(words, type ?? '') ? words[type!] : (type ?? 'any')}${range}`;
}

/** The rows of the keys of an object, those of objects in it below their own names. */
function rowsOf(schema: Schema, above: string): string[] {
  const rows: string[] = [];
  for (const [name, key] of Object.entries(schema.properties ?? {})) {
    if (name === '$schema') continue;
    const needed = schema.required?.includes(name) === true;
    const fallback = key.default === undefined ? '' : `\`${JSON.stringify(key.default)}\``;
    rows.push(
      `| \`${above}${name}\` | ${cell(kindOf(key))} | ${needed ? 'needed' : fallback} | ${cell(key.description ?? key.items?.description ?? '')} |`,
    );
    const inside = key.type === 'array' ? key.items : key;
    if (inside?.properties !== undefined && above !== '') rows.push(...rowsOf(inside, `${above}${name}.`));
  }
  return rows;
}

const HEAD = ['| key | value | when absent | meaning |', '|---|---|---|---|'];

/** The shortest example of a section among the bundled scenarios: where it has the most keys, of those the shortest text. */
function exampleOf(section: string, bundled: readonly { readonly id: string; readonly document: unknown }[]): string {
  const all = bundled.flatMap(({ id, document }) => {
    const value = (document as Record<string, unknown>)[section];
    return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [{ id, value }];
  });
  const keys = (value: unknown): number => new Set(JSON.stringify(value).match(/"\w+":/g)).size;
  const short = (value: unknown): unknown =>
    Array.isArray(value) ? value.slice(0, section === 'workload' ? 3 : 1) : value;
  const [best] = all
    .map(({ id, value }) => ({ id, value: short(value) }))
    .sort((a, b) => keys(b.value) - keys(a.value) || JSON.stringify(a.value).length - JSON.stringify(b.value).length);
  if (best === undefined) return '';
  return `As in *${best.id}*:\n\n\`\`\`json\n${JSON.stringify({ [section]: best.value }, undefined, 2)
    .split('\n')
    .slice(1, -1)
    .map((line) => line.slice(2))
    .join('\n')}\n\`\`\``;
}

/** Every key of a scenario file, section by section. */
export function scenarioKeys(
  schema: Schema,
  bundled: readonly { readonly id: string; readonly document: unknown }[],
): string {
  const parts = [
    ['### The scenario', [...HEAD, ...rowsOf({ ...schema, properties: plain(schema) }, '')].join('\n')].join('\n\n'),
  ];
  for (const [name, section] of Object.entries(schema.properties ?? {})) {
    const inside = section.type === 'array' ? section.items : section;
    const elsewhere = ELSEWHERE.get(name);
    if (inside?.properties === undefined && elsewhere === undefined) continue;
    const about = elsewhere ?? section.description ?? '';
    const rows = elsewhere === undefined ? [...HEAD, ...rowsOf(inside!, `${name}.`)].join('\n') : '';
    const example = exampleOf(name, bundled);
    parts.push([`### ${name}`, about, rows, example].filter((part) => part !== '').join('\n\n'));
  }
  return parts.join('\n\n');
}

/** Keys of the scenario itself, without what sections have inside. */
function plain({ properties = {} }: Schema): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, { properties: inside, ...key }]) => {
      const isSection = (inside ?? key.items?.properties) !== undefined;
      const description = ELSEWHERE.get(name) ?? key.description ?? (isSection ? `See [${name}](#${name}).` : '');
      return [name, { ...key, description }];
    }),
  );
}

/** The operations by the word that their names begin with. */
export function operationSections(all: Iterable<OperationSpec>): string {
  const groups = new Map<string, OperationSpec[]>();
  for (const spec of all) {
    const group = spec.name.split('.')[0]!;
    groups.set(group, [...(groups.get(group) ?? []), spec]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, specs]) => [`### ${group}`, ...specs.map(operationText)].join('\n\n'))
    .join('\n\n');
}

function operationText({ name, on, meaning, args }: OperationSpec): string {
  const objects = on.length === 0 ? '' : ` on ${on.map((pattern) => `\`${pattern}\``).join(' or ')}`;
  const lines = args.map((arg) => {
    const absent = arg.default === undefined ? (arg.optional ? ', optional' : '') : `, default ${String(arg.default)}`;
    return `- \`${arg.name}\` (${expected(arg)}${absent}): ${arg.meaning}`;
  });
  return [`**\`${name}\`**${objects}: ${meaning}`, ...(lines.length > 0 ? [lines.join('\n')] : [])].join('\n\n');
}
