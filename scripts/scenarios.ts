// What is made from the scenarios and from the catalogue of the simulator: the list of bundled scenarios and the JSON schema
// that editors use. `npm run scenarios` writes both; a test fails while they are not up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { rules } from '../src/check/rules.ts';
import { userRulesSchema } from '../src/check/user/schema.ts';
import { suppressionsSchema } from '../src/check/user/suppressions.ts';
import { sessionFileSchema } from '../src/session/session-file.ts';
import { operations } from '../src/sim/catalogue.ts';
import { policies } from '../src/sim/design.ts';
import type { OperationArg } from '../src/sim/operation.ts';
import { scenarioSchema } from '../src/sim/scenario-schema.ts';
import { findingsPage } from './findings.ts';
import { root } from './paths.ts';
import { operationSections, scenarioKeys } from './scenario-keys.ts';
import { snippets } from './scenario-snippets.ts';

const FOLDER = join(root, 'examples', 'scenarios');
const ENDING = '.scenario.json';

/** Names of the bundled scenarios, without the ending. */
export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** The text of src/sim/bundled.ts. */
export function bundledSource(): string {
  const names = scenarioNames();
  const imports = names.map(
    (name, i) => `import s${i} from '../../examples/scenarios/${name}${ENDING}' with { type: 'json' };`,
  );
  const entries = names.map((name, i) => `  { id: '${name}', document: s${i} },`);
  return `// Made by scripts/scenarios.ts from examples/scenarios; not to be edited.
${imports.join('\n')}

/** A scenario that comes with the product. */
export interface BundledScenario {
  /** Name of its file without the ending. */
  readonly id: string;
  /** The JSON document, to be read with \`readScenario\`. */
  readonly document: unknown;
}

/** All of them, by name. */
export const bundledScenarios: readonly BundledScenario[] = [
${entries.join('\n')}
];
`;
}

const TYPES: Readonly<Record<OperationArg['type'], object>> = {
  number: { type: 'integer' },
  hex: { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^(0x)?[0-9a-fA-F]{1,32}$' }] },
  flag: { type: 'boolean' },
  text: { type: 'string' },
  choice: { type: 'string' },
  numbers: { type: 'array', items: { type: 'integer' } },
  cpus: {
    anyOf: [
      { type: 'integer' },
      { type: 'string', pattern: '^(\\d+(-\\d+)?(,\\d+(-\\d+)?)*)?$' },
      { type: 'array', items: { type: 'integer' } },
    ],
    examples: ['0-3', '0-3,8', 2],
  },
};

function argumentSchema(arg: OperationArg): object {
  return {
    ...TYPES[arg.type],
    description: arg.meaning,
    ...(arg.choices ? { enum: arg.choices } : {}),
    ...(arg.type === 'number' && arg.min !== undefined ? { minimum: arg.min } : {}),
    ...(arg.type === 'number' && arg.max !== undefined ? { maximum: arg.max } : {}),
    ...(arg.default === undefined ? {} : { default: arg.default }),
  };
}

/** The JSON schema of scenario files: what the reader checks, and what it knows of operations and policies. */
export function scenarioJsonSchema(): string {
  const schema = toJsonSchema(scenarioSchema, { errorMode: 'ignore', typeMode: 'input' }) as {
    properties: Record<string, Record<string, unknown>>;
  };
  schema.properties['policies'] = {
    type: 'object',
    description: 'Design decisions and bug modes by name; those not named have their default.',
    additionalProperties: false,
    properties: Object.fromEntries(
      [...policies.values()].map((p) => [
        p.name,
        {
          description: p.meaning,
          enum: p.values.map((v) => v.value),
          enumDescriptions: p.values.map((v) => v.meaning),
          default: p.values[0]!.value,
        },
      ]),
    ),
  };
  const task = schema.properties['workload']!['items'] as { properties: Record<string, Record<string, unknown>> };
  task.properties['op'] = {
    description: 'What is done.',
    enum: [...operations.keys()],
    enumDescriptions: [...operations.values()].map((o) => o.meaning),
  };
  const allOf = [...operations.values()].map((o) => ({
    if: { properties: { op: { const: o.name } }, required: ['op'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema.
    then: {
      properties: Object.fromEntries(o.args.map((a) => [a.name, argumentSchema(a)])),
      required: [
        ...(o.on.length > 0 ? ['object'] : []),
        ...o.args.filter((a) => a.default === undefined && !a.optional).map((a) => a.name),
      ],
    },
  }));
  schema.properties['workload']!['items'] = { ...task, allOf };
  for (const [place, offered] of Object.entries(snippets)) {
    const part = schema.properties[place.replace('[]', '')] as { items: object } | undefined;
    Object.assign(part?.items ?? schema, { defaultSnippets: offered });
  }
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function scenarioSections(): string {
  return scenarioNames()
    .map((name) => {
      const document = JSON.parse(readFileSync(join(FOLDER, `${name}${ENDING}`), 'utf8')) as {
        title: string;
        description: string;
        look?: string;
        seeds?: string[];
        policies?: object;
      };
      const rows = document.seeds?.length ? `\n\nRows: ${document.seeds.join(', ')}.` : '';
      const switches = Object.keys(document.policies ?? {});
      const named = switches.length > 0 ? ` Policies: ${switches.map((p) => `\`${p}\``).join(', ')}.` : '';
      return `### ${name}\n\n**${document.title}.** ${document.description}\n\n*What to look at:* ${document.look ?? ''}${rows}${named}\n`;
    })
    .join('\n');
}

function policyTable(): string {
  const rows = [...policies.values()].map(
    (p) =>
      `| \`${p.name}\` | ${cell(p.meaning)} | ${p.values.map((v) => `\`${v.value}\` ${cell(v.meaning)}`).join('; ')} | ${p.seeds.join(', ')} |`,
  );
  return ['| policy | about | values | rows |', '|---|---|---|---|', ...rows].join('\n');
}

/** The text of docs/simulator.md: what people wrote, with the made parts between their marks brought up to date. */
export function simulatorPage(): string {
  let text = readFileSync(join(root, 'docs', 'simulator.md'), 'utf8');
  const documents = scenarioNames().map((id) => ({
    id,
    document: JSON.parse(readFileSync(join(FOLDER, `${id}${ENDING}`), 'utf8')) as unknown,
  }));
  const parts = {
    keys: scenarioKeys(JSON.parse(scenarioJsonSchema()), documents),
    operations: operationSections(operations.values()),
    policies: policyTable(),
    rules: ruleTable(),
  };
  for (const [name, part] of Object.entries(parts)) {
    const pattern = new RegExp(`(<!-- ${name}: [^>]*-->)[\\s\\S]*?(<!-- /${name} -->)`);
    text = text.replace(pattern, (_all, open: string, close: string) => `${open}\n\n${part}\n\n${close}`);
  }
  return text;
}

/** The text of examples/scenarios/README.md. */
function scenarioPage(): string {
  return `# Scenarios of the simulator

Made by \`npm run scenarios\` from the files of this folder; what operations and policies there are: [docs/simulator.md](../../docs/simulator.md). Run one with
\`irqscope simulate NAME\`, or in the editor with *IRQScope: Start Simulation*.

${scenarioSections().replaceAll('### ', '## ')}`;
}

function ruleTable(): string {
  const rows = rules.map(
    (rule) =>
      `| ${[rule.id, ...rule.names].map((name) => `\`${name}\``).join(', ')} | ${cell(rule.meaning)} | ${cell(rule.reference)} |`,
  );
  return ['| rule | what holds | laid down in |', '|---|---|---|', ...rows].join('\n');
}

/** The JSON schema of a file, from what its reader checks. */
const jsonSchema = (schema: Parameters<typeof toJsonSchema>[0]): string =>
  `${JSON.stringify(toJsonSchema(schema, { errorMode: 'ignore', typeMode: 'input' }), null, 2)}\n`;

/** What is made, by path in the checkout. */
export const made: Readonly<Record<string, () => string>> = {
  'docs/findings.md': findingsPage,
  'docs/simulator.md': simulatorPage,
  'examples/scenarios/README.md': scenarioPage,
  'src/sim/bundled.ts': bundledSource,
  'syntaxes/rules.schema.json': () => jsonSchema(userRulesSchema),
  'syntaxes/session.schema.json': () => jsonSchema(sessionFileSchema),
  'syntaxes/scenario.schema.json': scenarioJsonSchema,
  'syntaxes/suppressions.schema.json': () => jsonSchema(suppressionsSchema),
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(made)) writeFileSync(join(root, path), text());
  console.log(`scenarios: ${scenarioNames().length} bundled`);
}
