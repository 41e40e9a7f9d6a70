import { counted } from '../../base/counted.ts';
import type { ObjectId } from '../../base/ids.ts';
import type { FieldValue, RegisterView } from '../../model/register.ts';
import { isThrough, pathAt, pathText } from '../../query/delivery/path.ts';
import { traceInfo } from '../../query/info.ts';
import { type Value, valueText, viewObject } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Finding } from '../check-trace.ts';
import { findingView, witnesses } from './view.ts';
import { type LineText, witnessesOf } from './witness.ts';

/** Objects whose state a report shows at most. */
const MOST_OBJECTS = 6;

/** A finding as Markdown for a bug report, whole: nothing else needs to be written. */
export function reportMarkdown(trace: Trace, finding: Finding, textOf: LineText, version: string): string {
  const view = findingView(trace, finding);
  const lines = witnessesOf(trace, finding, textOf);
  const place = lines.find(({ step }) => step === finding.step)!;
  return [
    `## ${prose(view.title)}`,
    '',
    prose(view.explanation),
    '',
    '| | |',
    '|---|---|',
    `| rule | ${[view.rule, ...view.names].join(', ')}: ${cell(finding.rule.title)} (${view.severity}) |`,
    `| what holds | ${cell(finding.rule.meaning)} |`,
    `| reference | ${cell(view.reference)} |`,
    `| object | \`${view.object}\` |`,
    `| where | step ${view.step}${view.time === null ? '' : `, time ${view.time}`}, ${cell(place.file)}:${place.line} |`,
    '',
    '### Evidence',
    '',
    ...fenced(lines.map(({ file, line, text }) => `${file}:${line}: ${text}`)),
    '',
    ...wayOf(trace, finding),
    `### State at step ${view.step}`,
    '',
    ...stateTable(trace, finding),
    '',
    '### Trace',
    '',
    ...facts(trace),
    '',
    `To confirm: ${prose(view.confirm)}`,
    '',
    `IRQScope ${version}`,
    '',
  ].join('\n');
}

/** Lines as a block of code; the fence is longer than any in the lines. */
function fenced(lines: readonly string[]): string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map((run) => run[0].length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines, fence];
}

/** Text in which nothing is markup. An underscore inside a word (`pci_irq_mask_msix`) is none, and stays as it is: a report is also read as plain text. */
const prose = (text: string): string =>
  text.replaceAll(/[\\`*<>[\]]|(?<![\dA-Za-z])_|_(?![\dA-Za-z])/g, '\\$&').replaceAll(/\s+/g, ' ');
const cell = (text: string): string => prose(text).replaceAll('|', '\\|');

/** The delivery that the finding is about: the one that its event, or one of its evidence, is a hop of. Nothing where none is. */
function wayOf(trace: Trace, finding: Finding): string[] {
  const steps = witnesses(finding);
  for (const step of [finding.step, ...steps.toReversed()]) {
    const path = pathAt(trace, step);
    if (path !== undefined && isThrough(path, [step]))
      return [
        '### Delivery path (step, time, time since the hop before, stage, object)',
        '',
        ...fenced(pathText(path)),
        '',
      ];
  }
  return [];
}

/** The objects that a finding is about: its own, then those of its evidence. */
function objectsOf(trace: Trace, finding: Finding): ObjectId[] {
  const named = witnesses(finding).map((step) => trace.table.object(step));
  return [...new Set([finding.object, ...named])].filter((object) => trace.world.type(object) !== undefined);
}

function stateTable(trace: Trace, finding: Finding): string[] {
  const state = trace.stateAt(finding.step);
  const rows = objectsOf(trace, finding)
    .filter((object) => state.present(object))
    .slice(0, MOST_OBJECTS)
    .flatMap((object) => {
      const path = `\`${trace.world.path(object)}\``;
      const keys = Object.entries(viewObject(state, object));
      const unknown = keys.filter(([, value]) => value === null).map(([key]) => key);
      return [
        ...keys
          .filter(([, value]) => value !== null)
          .map(([key, value]) => `| ${path} | ${key} | ${cell(stateText(value))} |`),
        ...(unknown.length > 0 ? [`| ${path} | not known | ${cell(unknown.join(', '))} |`] : []),
      ];
    });
  if (rows.length === 0) return ['Nothing is known of these objects at this step.'];
  return ['| object | key | value |', '|---|---|---|', ...rows];
}

const isRegister = (value: Value): value is RegisterView =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value;

/** A value with the fields of a register that are not 0; a field that is the whole value is not told twice. */
function stateText(value: Value): string {
  if (!isRegister(value)) return valueText(value);
  const fields = Object.entries(value.fields)
    .filter(([, field]) => field !== 0 && field !== false && !isWhole(field, value))
    .map(([name, field]) => `${name}=${field === null ? '?' : typeof field === 'boolean' ? 1 : field}`);
  return `${valueText(value)}${fields.length > 0 ? ` (${fields.join(' ')})` : ''}`;
}

/** Whether a field says what the hexadecimal text of its register says. Small numbers are told: a name makes them clear. */
const isWhole = (field: FieldValue, { value }: RegisterView): boolean =>
  typeof field === 'number' && field > 9 && value !== null && BigInt(field) === BigInt(value);

function facts(trace: Trace): string[] {
  const info = traceInfo(trace);
  const stretch = info.start === null || info.end === null ? 'no stamps' : `${info.start} to ${info.end}`;
  return [
    '| | |',
    '|---|---|',
    `| file | ${cell(info.file)} |`,
    `| format | ${cell([info.format, info.variant].filter((text) => text !== '').join(', '))} |`,
    `| time | ${stretch}, clock ${cell(info.clock ?? 'not told')} |`,
    `| records | ${info.records}, of them understood ${info.understood} |`,
    `| events | ${info.events} |`,
    `| lost events | ${info.lost ?? `not told, ${counted(info.gaps, 'gap')}`} |`,
    ...(info.problem === null ? [] : [`| problem | ${cell(info.problem)} |`]),
  ];
}
