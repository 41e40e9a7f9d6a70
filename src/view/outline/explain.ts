import { decodersById } from '../../model/message.ts';
import { linksOf } from '../../model/references.ts';
import type { Access, Field } from '../../model/register.ts';
import type { Job } from '../../query/jobs.ts';
import { derivedKeys, keyValue, messageKind } from '../../query/view.ts';
import { computedFields, fieldsOfKey, keyText } from '../values.ts';
import type { OutlineState } from './outline-state.ts';
import type { OutlineRow, RowText } from './rows.ts';
import { fieldTexts } from './text.ts';

/** Text of a trace or a specification as Markdown, with all special characters escaped. */
export function plain(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!|<>~&:@/]/g, '\\$&').replaceAll(/\s+/g, ' ');
}

/** Text as inline code. */
export function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line.trim() === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

const ACCESS: Readonly<Record<Access, string>> = {
  RO: 'read only',
  RW: 'read/write',
  RW1C: 'write 1 to clear',
  RsvdP: 'reserved, to be preserved',
  RsvdZ: 'reserved, to be written 0',
  HW: 'written by hardware, read only to software',
};

const WAYS = { A: 'Added by this step', M: 'Changed by this step', D: 'Removed by this step' } as const;

const JOB_MEANINGS: Readonly<Record<Job, string>> = {
  alloc: 'Allocates what the interrupt needs: each domain of the hierarchy its part, the one at the CPU first.',
  compose: 'Composes address and data of the message: the first domain from the device on that can.',
  store: 'Stores the message where the device finds it: the bus domain.',
  use: 'Uses the message: the device sends it.',
};

/** Markdown that explains a row. */
export function explainRow(now: OutlineState, row: OutlineRow, text: RowText): string {
  switch (row.kind) {
    case 'job':
      return paragraphs(`**${plain(text.label)}**`, JOB_MEANINGS[row.job!], plain(text.description));
    case 'range':
      return `Entries ${plain(text.label)} of ${code(row.path)}`;
    case 'node':
      return explainNode(now, row, text);
    case 'key':
      return explainKey(now, row, text);
    case 'field':
      return explainField(now, row, text);
  }
}

const paragraphs = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n');

function explainNode(now: OutlineState, row: OutlineRow, text: RowText): string {
  const { node } = row;
  const type = now.state.world.type(node.object);
  const state = now.stateFor(node);
  const message = now.presents(node)
    ? (keyValue(state, node.object, 'message') as { text?: string } | null)
    : undefined;
  const change = text.mark && now.changes.find((c) => c.object === node.object);
  const before = (key: string): string =>
    now.before.present(node.object) ? keyText(now.before, node.object, key) : '?';
  const lines = change?.keys.map(({ key }) => {
    const is = keyText(state, node.object, key);
    return change.kind === 'M' ? `- ${plain(key)}: ${code(before(key))} → ${code(is)}` : `- ${plain(key)}: ${code(is)}`;
  });
  return paragraphs(
    `**${plain(text.label)}** ${plain(text.description)}`,
    type ? plain(type.meaning) : undefined,
    message?.text === undefined ? undefined : `Message: ${plain(message.text)}`,
    text.mark && `${WAYS[text.mark]}:`,
    lines?.join('\n'),
    leadsTo(now, row),
    code(node.path),
  );
}

/** Where the references of an object lead, one line each. */
function leadsTo(now: OutlineState, row: OutlineRow): string {
  const state = now.stateFor(row.node);
  return linksOf(state, row.node.object)
    .map(({ what, target }) => `- ${plain(what)}: ${code(state.world.path(target))}`)
    .join('\n');
}

/** The line that says what a step did to a value. */
const changed = (mark: RowText['mark'], was: string, is: string): string | undefined =>
  mark && (mark === 'M' ? `${WAYS.M}: ${code(was)} → ${code(is)}` : `${WAYS[mark]}: ${code(is)}`);

function explainKey(now: OutlineState, row: OutlineRow, text: RowText): string {
  const { node, key } = row;
  const state = now.stateFor(node);
  const type = state.world.type(node.object);
  const cell = type?.cells.find((c) => c.name === key);
  const derived = type && derivedKeys(type).find((d) => d.name === key);
  const register = cell?.register;
  const is = keyText(state, node.object, key!);
  const was = now.before.present(node.object) ? keyText(now.before, node.object, key!) : '?';
  const kind = register ? `${register.width} bits` : cell?.kind === 'count' ? 'counter' : derived ? 'computed' : '';
  return paragraphs(
    `**${plain(key!)}** ${code(is)}${kind === '' ? '' : ` — ${kind}`}`,
    plain(cell?.meaning ?? derived?.meaning ?? ''),
    register && register.meaning !== cell?.meaning ? plain(register.meaning) : undefined,
    is.startsWith('?') ? 'Unknown: the trace has not shown it up to this step.' : undefined,
    changed(text.mark, was, is),
    register && `Specification: ${plain(register.spec)}`,
    code(row.path),
  );
}

function explainField(now: OutlineState, row: OutlineRow, text: RowText): string {
  const { node, key, field } = row;
  const state = now.stateFor(node);
  const { is, was } = fieldTexts(now, row);
  const cell = state.world.type(node.object)?.cells.find((c) => c.name === key);
  const spec = fieldsOfKey(state, node.object, key!)?.find((f) => f.name === field);
  return paragraphs(
    `**${plain(field!)}** ${code(is)}${spec ? ` — ${bitsText(spec)}, ${ACCESS[spec.access]} (${spec.access})` : ''}`,
    spec ? plain(spec.meaning) : messageNote(now, row),
    spec?.reset === undefined ? undefined : `Reset value: ${code(String(spec.reset))}`,
    spec && valueTable(spec),
    is === '?' ? 'Unknown: the trace has not shown it up to this step.' : undefined,
    changed(text.mark, was, is),
    cell?.register && `Specification: ${plain(cell.register.spec)}`,
    code(row.path),
  );
}

const bitsText = ({ hi, lo }: Field): string => (hi === lo ? `bit ${lo}` : `bits ${hi}:${lo}`);

function valueTable(spec: Field): string | undefined {
  if (!spec.values) return undefined;
  return Object.entries(spec.values)
    .map(([value, name]) => `- ${code(value)} ${plain(name)}`)
    .join('\n');
}

/** Fields of a decoded message are named by the irq domain that reads it. */
function messageNote(now: OutlineState, row: OutlineRow): string | undefined {
  const value = keyValue(now.stateFor(row.node), row.node.object, row.key!);
  if (computedFields(value) === undefined) return undefined;
  return `As ${plain(decodersById[messageKind(now.state, row.node.object)].title)} reads the message.`;
}
