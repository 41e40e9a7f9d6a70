import * as vscode from 'vscode';
import type { PathNode } from '../model/world.ts';
import type { Felt } from '../sim/felt.ts';
import type { Operation, OperationArg, OperationSpec } from '../sim/operation.ts';
import type { Scenario } from '../sim/scenario-schema.ts';
import type { Recipe } from '../sim/simulation.ts';
import { pickOne } from './pick.ts';
import { breathe } from './platform.ts';
import { scenarioText } from './scenario/scenario-files.ts';
import type { OpenTrace } from './sessions.ts';

/** Most objects that are offered for an operation. */
const MOST_OBJECTS = 2000;

/** The scenario of the walkthrough. */
const FIRST = 'first-run';

/** How titles of scenarios end in which nothing goes wrong until a fault is planted. */
const TO_PLANT = /, to plant (?:a fault|faults) in$/;

/** The operations that can be done to an object, in the order of the catalogue. */
export async function operationsOn(
  operations: ReadonlyMap<string, OperationSpec>,
  path: string,
): Promise<OperationSpec[]> {
  const { fitsObject } = await import('../sim/operation.ts');
  return [...operations.values()].filter((spec) => fitsObject(spec, path));
}

/** Reads a scenario from a file; throws with all that is wrong with it. */
export async function scenarioFrom(uri: vscode.Uri): Promise<Scenario> {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  const text = await scenarioText(uri);
  const { scenarioFromText } = await import('../sim/text/sound-scenario.ts');
  const scenario = scenarioFromText(text);
  if ('title' in scenario) return scenario;
  const problems = scenario.map(
    ({ line, column, path, problem }) => `line ${line}, ${path === '' ? `column ${column}` : path}: ${problem}`,
  );
  throw new Error(`${name}: ${problems.join('; ')}`);
}

/** Reads a scenario from a document; throws with all that is wrong with it. */
export async function soundScenario(document: unknown, name: string): Promise<Scenario> {
  const { soundScenario: sound } = await import('../sim/text/sound-scenario.ts');
  const scenario = sound(document);
  if ('title' in scenario) return scenario;
  throw new Error(`${name}: ${scenario.map(({ path, problem }) => `${path}: ${problem}`).join('; ')}`);
}

/** The scenario file in the active editor, if there is one. */
function activeScenario(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.path.endsWith('.scenario.json') ? uri : undefined;
}

/** Asks for a scenario: the one in the active editor, a bundled one, or a file. `running`: title of the run that is active; its row is selected first. */
export async function pickScenario(running?: string): Promise<Scenario | undefined> {
  const { bundledScenarios } = await import('../sim/bundled.ts');
  interface Item extends vscode.QuickPickItem {
    readonly document?: unknown;
    readonly uri?: vscode.Uri;
    readonly file?: true;
  }
  const itemOf = ({ id, document }: (typeof bundledScenarios)[number]): Item => {
    const { title, description } = document as { title: string; description: string };
    return { label: title, description: id, detail: description, document };
  };
  const here = activeScenario();
  const name = here?.path.slice(here.path.lastIndexOf('/') + 1);
  const own: Item[] = here && name ? [{ label: name, description: 'in the active editor', uri: here }] : [];
  // The scenario for beginners comes first, then the item that opens a file; those that show something only with a fault come last.
  const first = bundledScenarios.filter(({ id }) => id === FIRST).map(itemOf);
  const faulty = bundledScenarios.filter(({ document }) => TO_PLANT.test((document as { title: string }).title));
  const others = bundledScenarios.filter((one) => one.id !== FIRST && !faulty.includes(one)).map(itemOf);
  const faults = faulty.map(itemOf);
  const items: Item[] = [
    ...own,
    ...first,
    { label: '$(folder-opened) Open Scenario File…', file: true },
    { label: 'Scenarios', kind: vscode.QuickPickItemKind.Separator },
    ...others,
    { label: 'To plant faults in', kind: vscode.QuickPickItemKind.Separator },
    ...faults,
  ];
  const picked = await pickOne(items, {
    title: 'Start Simulation',
    placeholder: 'Scenario to run',
    active: own[0] ?? [...first, ...others, ...faults].find(({ label }) => label === running),
    namesOf: ({ label, description = '' }) => [description, label],
  });
  if (!picked) return undefined;
  if (picked.uri) return scenarioFrom(picked.uri);
  if (!picked.file) return soundScenario(picked.document, picked.label);
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: 'Open Scenario',
      openLabel: 'Start Simulation',
      filters: { Scenarios: ['json'], 'All Files': ['*'] },
    })) ?? [];
  return uri && scenarioFrom(uri);
}

/** Asks for a seed. */
export async function askSeed(value: number): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: 'Seed',
    prompt: 'A whole number. The same scenario, seed and operations give the same events.',
    value: String(value),
    valueSelection: [0, String(value).length],
    validateInput: (input) =>
      seedOf(input) === undefined ? 'A seed is a whole number from 0 to 4294967295.' : undefined,
  });
  return text === undefined ? undefined : seedOf(text);
}

/** The seed that a text gives; undefined when it gives none. */
export function seedOf(text: unknown): number | undefined {
  const n = typeof text === 'string' && /^\s*\d+\s*$/.test(text) ? Number(text) : text;
  return typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= 0xffffffff ? n : undefined;
}

interface OperationItem extends vscode.QuickPickItem {
  readonly spec?: OperationSpec;
}

/** Asks for an operation: those that fit the object first, then all others. */
export async function pickOperation(
  operations: ReadonlyMap<string, OperationSpec>,
  object: string | undefined,
  all: boolean,
): Promise<OperationSpec | undefined> {
  const item = (spec: OperationSpec): OperationItem => ({
    label: spec.title,
    description: spec.name,
    detail: spec.meaning.replaceAll('`', ''),
    spec,
  });
  const fitting = object === undefined ? [] : await operationsOn(operations, object);
  const others = all || fitting.length === 0 ? [...operations.values()].filter((spec) => !fitting.includes(spec)) : [];
  const separator = (label: string): OperationItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items = [
    ...(fitting.length > 0 ? [separator(`on ${object}`), ...fitting.map(item)] : []),
    ...(others.length > 0
      ? [separator(fitting.length > 0 ? 'on other objects' : 'on an object that you choose next'), ...others.map(item)]
      : []),
  ];
  const options = {
    title: 'Inject Operation',
    placeHolder: 'What to do',
    matchOnDescription: true,
    matchOnDetail: true,
  };
  return (await vscode.window.showQuickPick(items, options))?.spec;
}

/** Asks for the object of an operation, among those that exist at the cursor; undefined when none was chosen. */
export async function pickObject(trace: OpenTrace, spec: OperationSpec): Promise<string | undefined> {
  const { state, trace: events } = trace.session;
  const { summaryOf } = await import('../view/presentation/types.ts');
  const items: vscode.QuickPickItem[] = [];
  const walk = (node: PathNode, patterns: readonly (readonly string[])[], depth: number): void => {
    for (const child of node.children.values()) {
      const left = patterns.filter((p) => p[depth] === '*' || p[depth] === child.segment);
      if (left.length === 0 || items.length >= MOST_OBJECTS) continue;
      if (left.some((p) => p.length === depth + 1) && state.present(child.object)) {
        const { description } = summaryOf(state, child.object);
        items.push({ label: child.path, description });
      }
      walk(child, left, depth + 1);
    }
  };
  walk(
    events.world.root,
    spec.on.map((pattern) => pattern.split('/')),
    0,
  );
  const options = { title: `${spec.title}: Object`, placeHolder: spec.on.join(' or '), matchOnDescription: true };
  // Some operations make their object. Where no object is offered, the user can type any path.
  if (items.length > 0) return (await vscode.window.showQuickPick(items, options))?.label;
  const prompt = `At this step the trace shows no such object. Path: ${spec.on.join(' or ')}`;
  return vscode.window.showInputBox({ title: options.title, prompt });
}

/** Asks for the arguments that an operation needs and that are not given; undefined when the user cancelled. */
export async function askArguments(
  spec: OperationSpec,
  given: Readonly<Record<string, unknown>>,
): Promise<Operation | undefined> {
  const operation: Record<string, unknown> = { op: spec.name, ...given };
  for (const [i, arg] of spec.args.entries()) {
    if (operation[arg.name] !== undefined) continue;
    const value = await askArgument(spec, arg, i + 1);
    if (value === undefined) return undefined;
    if (value !== '') operation[arg.name] = value;
  }
  return operation as Operation;
}

async function askArgument(spec: OperationSpec, arg: OperationArg, place: number): Promise<unknown> {
  const { argumentValue, expected } = await import('../sim/operation.ts');
  const title = `${spec.title}: ${arg.name}${spec.args.length > 1 ? ` (${place} of ${spec.args.length})` : ''}`;
  const choices = arg.type === 'flag' ? ['true', 'false'] : arg.type === 'choice' ? (arg.choices ?? []) : undefined;
  if (choices) {
    const first = String(arg.default ?? choices[0]);
    const items = [first, ...choices.filter((c) => c !== first)].map((value) => ({
      label: value,
      description: value === String(arg.default) ? 'default' : '',
      value: arg.type === 'flag' ? value === 'true' : value,
    }));
    if (arg.optional) items.push({ label: 'leave it out', description: '', value: '' });
    return (await vscode.window.showQuickPick(items, { title, placeHolder: arg.meaning }))?.value;
  }
  const optional = arg.optional === true || arg.default !== undefined;
  const text = await vscode.window.showInputBox({
    title,
    prompt: `${arg.meaning} A ${expected(arg)}${optional ? '; empty: left out' : ''}.`,
    value: arg.default === undefined ? '' : String(arg.default),
    validateInput: (input) => {
      if (input.trim() === '') return optional ? undefined : `${arg.name} is needed: a ${expected(arg)}.`;
      return argumentValue(arg, input.trim()) === undefined ? `This is no ${expected(arg)}.` : undefined;
    },
  });
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? '' : argumentValue(arg, text.trim());
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

/** A row with what it stands for, and why choosing it would change nothing. */
interface Offer {
  readonly item: vscode.QuickPickItem;
  readonly without: string | undefined;
}

/** Rows that can have an effect first, the others below a line that says so. */
function offered(all: readonly Offer[]): vscode.QuickPickItem[] {
  const idle = all.flatMap(({ item, without }) =>
    without === undefined ? [] : [{ ...item, description: [item.description, without].filter(Boolean).join(' · ') }],
  );
  const able = all.flatMap(({ item, without }) => (without === undefined ? [item] : []));
  const label = 'no effect in this scenario';
  return idle.length === 0 ? able : [...able, { label, kind: vscode.QuickPickItemKind.Separator }, ...idle];
}

/** Asks for a policy, of which `title` says what is to be done with it; each item shows the value of the run. What the run cannot feel comes last. */
async function askPolicy(recipe: Recipe, title: string, placeHolder: string) {
  const { policies } = await import('../sim/design.ts');
  const { elsewhere } = await import('../sim/felt.ts');
  const current = { ...recipe.scenario.policies, ...recipe.settings };
  const valueNow = (name: string): string => current[name] ?? policies.get(name)!.values[0]!.value;
  const felt = whatIsFelt(recipe);
  const list = felt.then((by) =>
    offered(
      [...policies.values()].map(({ name, meaning }) => ({
        item: { label: name, description: valueNow(name), detail: meaning },
        without: by.policies.has(name) ? undefined : (elsewhere(by, name) ?? ''),
      })),
    ),
  );
  const options = { placeHolder, matchOnDescription: true, matchOnDetail: true };
  const picked = await vscode.window.showQuickPick(list, { ...options, title });
  const policy = picked && policies.get(picked.label);
  return policy && { policy, now: valueNow(policy.name), by: await felt };
}

/** Asks for a policy that is to be compared. */
export async function pickPolicyName(recipe: Recipe): Promise<string | undefined> {
  return (await askPolicy(recipe, 'Compare Policy', 'Whose values to compare'))?.policy.name;
}

/** Asks for a policy and a value of it. */
export async function pickPolicy(recipe: Recipe): Promise<readonly [string, string] | undefined> {
  const asked = await askPolicy(recipe, 'Change Policy', 'What to change');
  if (asked === undefined) return undefined;
  const { policy, now, by } = asked;
  const { noEffect } = await import('../sim/felt.ts');
  const without = (value: string): string | undefined =>
    value === now || !by.policies.has(policy.name) ? undefined : noEffect(by, policy.name, value);
  const values = policy.values.map(({ value, meaning }) => ({
    item: { label: value, description: value === now ? 'current value' : '', detail: meaning },
    without: without(value),
  }));
  const placeHolder = noEffect(by, policy.name) ? `No effect in this scenario. ${policy.meaning}` : policy.meaning;
  const value = await vscode.window.showQuickPick(offered(values), { title: policy.name, placeHolder });
  return value && [policy.name, value.label];
}

/** Which policies a run can feel, found between other work of the editor. */
async function whatIsFelt(recipe: Recipe): Promise<Felt> {
  const { feeling } = await import('../sim/felt.ts');
  const all = feeling(recipe);
  for (;;) {
    const { done, value } = all.next();
    if (done) return value;
    await breathe();
  }
}
