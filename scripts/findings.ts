// The page docs/findings.md: every fault of the catalogue with its rule, what that needs, where it can be decided, and how it can be planted.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rule } from '../src/check/rule.ts';
import { rules } from '../src/check/rules.ts';
import type { EventKind } from '../src/model/event.ts';
import { plantedFaults } from '../src/sim/faults/faults.ts';
import type { Stated } from '../src/sim/faults/planting.ts';
import { falseAlarms } from './false-alarms.ts';
import { root } from './paths.ts';

/** The formats that importers read, by the folder of the importer. */
const FORMATS: Readonly<Record<string, string>> = { qemu: 'QEMU logs', ftrace: 'ftrace logs' };

/** An import of event kinds: by their names, or of the whole module under one name. */
const IMPORT = /import (?:\{([^}]*)\}|\* as (\w+)) from '[./]*\/model\/events\/([\w-]+)\.ts'/g;

/** The kinds of events that the importer in a folder names, and so can make. */
async function kindsMade(folder: string): Promise<ReadonlySet<EventKind>> {
  const made = new Set<EventKind>();
  const path = join(root, 'src', 'import', folder);
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(path, name), 'utf8');
    for (const [, names, module, file] of text.matchAll(IMPORT)) {
      const exported = (await import(`../src/model/events/${file}.ts`)) as Record<string, unknown>;
      const used =
        module === undefined
          ? names!.split(',').map((word) => word.trim().split(' ')[0]!)
          : [...text.matchAll(new RegExp(`\\b${module}\\.(\\w+)`, 'g'))].map(([, word]) => word!);
      for (const value of used.map((word) => exported[word]))
        if (typeof value === 'object' && value !== null && 'role' in value && 'number' in value)
          made.add(value as EventKind);
    }
  }
  return made;
}

const madeBy = new Map<string, ReadonlySet<EventKind>>();
for (const [folder, name] of Object.entries(FORMATS)) madeBy.set(name, await kindsMade(folder));

/** The groups of which an importer makes no kind of event. */
const missing = (rule: Rule, kinds: ReadonlySet<EventKind>): Rule['needs'] =>
  rule.needs.filter((group) => !group.some((kind) => kinds.has(kind)));

/** Where a rule can be decided; of one that no log shows, why. */
function formatsOf(rule: Rule): string {
  if (rule.needsAll) return 'simulated traces.';
  if (rule.notInLogs !== undefined)
    return `trace files, simulated traces. No log that is read tells ${rule.notInLogs}.`;
  const fits = [...madeBy].filter(([, kinds]) => missing(rule, kinds).length === 0).map(([name]) => name);
  const all = `${[...fits, 'trace files', 'simulated traces'].join(', ')}.`;
  if (fits.length > 0) return all;
  const joined = new Set([...madeBy.values()].flatMap((kinds) => [...kinds]));
  if (missing(rule, joined).length === 0)
    return `${all} No log alone shows all that it needs: join a QEMU log and an ftrace log.`;
  const lacks = [...madeBy].map(
    ([name, kinds]) => `${name} do not tell ${missing(rule, kinds).map(kindsIn).join(', nor ')}`,
  );
  return `${all} No log that is read shows all that it needs: ${lacks.join('; ')}.`;
}

const kindsIn = (group: readonly EventKind[]): string => group.map(({ name }) => code(name)).join(' or ');

/** A text as Markdown: outside of code no asterisk or bracket means anything. */
const plain = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll(/[*<>[\]]/g, '\\$&')))
    .join('');

const code = (text: string): string => `\`${text}\``;

/** What a rule needs of a trace. */
function needsOf(rule: Rule): string {
  const groups = rule.needsAll
    ? ['every cause and every message, which only simulated traces show']
    : rule.needs.map(kindsIn);
  if (rule.oneMachine) groups.push('records of one virtual machine only');
  const needs = groups.length === 0 ? 'nothing in particular' : groups.join('; and ');
  return rule.alone === undefined ? needs : `${needs}. By itself it tells of the fault: ${kindsIn(rule.alone)}`;
}

/** What the page says of plants of which not all follows from a part that goes wrong. */
const NOTES: Readonly<Record<Stated, string>> = {
  line: 'The simulated kernel prints the line that the rule reads, in the words of Linux.',
  act: 'The fault is the event itself that the rule looks for.',
};

function plantedBy(id: string): string[] {
  return plantedFaults
    .filter((fault) => (fault.rule ?? fault.id) === id)
    .map(({ id: value, scenario, how, stated, settings = {} }) => {
      const set = Object.entries({ ...settings, fault: value }).map(([name, to]) => `--set ${name}=${to}`);
      const note = stated === undefined ? '' : ` (${NOTES[stated]})`;
      return `- Planted by ${code(`irqscope simulate ${scenario} ${set.join(' ')}`)}: ${plain(how)}${note}`;
    });
}

function ruleSection(rule: Rule): string {
  const { id, names, title, meaning, severity, reference, confirm } = rule;
  return [
    `### ${id}`,
    '',
    `**${plain(title)}.**${names.length > 0 ? ` ${names.map(code).join(', ')}.` : ''} Severity: ${severity}.`,
    '',
    `- What holds: ${plain(meaning)}`,
    `- Needs: ${needsOf(rule)}.`,
    `- Can be decided in: ${formatsOf(rule)}`,
    ...plantedBy(id),
    `- Laid down in: ${plain(reference)}.`,
    `- To confirm: ${plain(confirm)}.`,
    '',
  ].join('\n');
}

/** The place of an id in the catalogue: faults by their number, then the others by their name. */
function order(a: string, b: string): number {
  const key = (id: string): string => (/^F\d/.test(id) ? `0${id}` : `1${id}`);
  return key(a) < key(b) ? -1 : 1;
}

function sections(): string {
  return rules
    .toSorted((a, b) => order(a.id, b.id))
    .map(ruleSection)
    .join('\n');
}

/** Every invariant with the fault under which it is described. */
function invariants(): string {
  const rows = rules.flatMap(({ id, names }) => names.map((name) => [name, id] as const));
  return [
    '| name | see |',
    '|---|---|',
    ...rows
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, id]) => `| ${code(name)} | [${id}](#${id.toLowerCase()}) |`),
  ].join('\n');
}

const alarms = (): string =>
  [
    '| id | what is seen | why it is no fault |',
    '|---|---|---|',
    ...falseAlarms.map(({ id, seen, why }) => `| ${id} | ${seen} | ${why} |`),
  ].join('\n');

/** The text of docs/findings.md: what people wrote, with the made parts between their marks brought up to date. */
export function findingsPage(): string {
  let text = readFileSync(join(root, 'docs', 'findings.md'), 'utf8');
  const parts = { faults: sections().trimEnd(), invariants: invariants(), alarms: alarms() };
  for (const [name, part] of Object.entries(parts)) {
    const pattern = new RegExp(`(<!-- ${name}: [^>]*-->)[\\s\\S]*?(<!-- /${name} -->)`);
    text = text.replace(pattern, (_all, open: string, close: string) => `${open}\n\n${part}\n\n${close}`);
  }
  return text;
}
