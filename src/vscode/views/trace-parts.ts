import { count, counted } from '../../base/counted.ts';
import type { TraceInfo } from '../../query/info.ts';
import type { Stop } from '../../session/stop.ts';
import type { Accounting } from '../../trace/accounting.ts';
import type { OpenTrace } from '../sessions.ts';

/** A row of the view Traces: a trace or branch, a number of its accounting, or a line that was skipped. */
export interface TraceRow {
  readonly id: string;
  readonly trace: OpenTrace;
  readonly parent: TraceRow | undefined;
  /** What it is within its trace; the empty text for the trace itself. */
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly tooltip?: string;
  /** A line to go to: of the source of the row, or of the first one. */
  readonly line?: number;
  /** A step to go to. */
  readonly step?: number;
  /** The file that the row is about, by its name in the trace. */
  readonly source?: string;
  /** What of a source it shows, for menus. */
  readonly role?: 'source' | 'system' | 'offset' | 'left';
  /** It is shown with what is below it. */
  readonly expanded?: boolean;
  /** The breakpoint or checkpoint that the row stands for. */
  readonly of?: { readonly stop: Stop } | { readonly checkpoint: string };
  readonly below?: readonly Omit<TraceRow, 'id' | 'trace' | 'parent'>[];
  /** The same, made when the row is opened. */
  readonly more?: () => readonly Omit<TraceRow, 'id' | 'trace' | 'parent'>[];
}

/** A row below a trace. */
export type Part = Omit<TraceRow, 'id' | 'trace' | 'parent'>;

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

const part = (
  name: string,
  label: string,
  description: string,
  icon: string,
  tooltip: string,
  below?: Part[],
): Part => ({
  name,
  label,
  description,
  icon,
  tooltip,
  ...(below && below.length > 0 ? { below } : {}),
});

/** The rows of a tally, most frequent first as the answer has them. */
const tallied = (tally: Readonly<Record<string, number>>, icon: string): Part[] =>
  Object.entries(tally).map(([name, n]) => ({ name, label: name, description: count(n), icon }));

/** The kinds of events that are not known, with the first line of each. */
const unknownParts = (unknown: Readonly<Record<string, number>>, accounting: Accounting): Part[] =>
  tallied(unknown, 'question').map((row) => {
    const line = accounting.unknownAt.get(row.label);
    return line === undefined
      ? row
      : { ...row, below: [{ name: `${line}`, label: `line ${line}`, description: '', icon: 'go-to-file', line }] };
  });

function skippedParts(info: TraceInfo): Part[] {
  return Object.entries(info.skipped).map(([reason, n]) => ({
    name: reason,
    label: reason,
    description: count(n),
    icon: 'warning',
    below: info.samples
      .filter((sample) => sample.reason === reason)
      .map(({ line }) => ({ name: `${line}`, label: `line ${line}`, description: '', icon: 'go-to-file', line })),
  }));
}

/** The format of a trace and how its lines were read, as rows. */
export const accountingParts = (info: TraceInfo, accounting: Accounting): Part[] => [
  ...sourceParts(info),
  ...understoodParts(info),
  ...otherParts(info, accounting),
];

/** What the file is: its format, clock and sources, and what is wrong with it. */
function sourceParts(info: TraceInfo): Part[] {
  const clock = [
    info.clock ?? 'not told',
    info.start !== null && info.end !== null ? `${info.start} to ${info.end}` : '',
  ];
  return [
    ...(info.problem === null
      ? []
      : [
          part(
            'problem',
            'Problem',
            info.problem,
            'warning',
            'The source is damaged; the trace holds what was read up to there.',
          ),
        ]),
    part(
      'format',
      'Format',
      [info.format, info.variant].filter(Boolean).join(', '),
      'file-code',
      'IRQScope tells the format from the content.',
    ),
    ...(info.undone.length === 0
      ? []
      : [
          part(
            'undone',
            'Undone',
            info.undone.join(', '),
            'discard',
            'What stood around the records and was taken off to read them: marks of quoting, prefixes of loggers, line breaks of mail programs.',
          ),
        ]),
    ...(info.sources === undefined
      ? []
      : [
          part(
            'sources',
            'Sources',
            count(info.sources.length),
            'files',
            'Excerpts, or formats, that stand in this one file: each is a source with its own clock.',
            info.sources.map(({ format, variant, records, start, end }, i) => ({
              name: String(i + 1),
              label: format,
              description: `${counted(records, 'record')}${start === null || end === null ? '' : `, ${start} to ${end}`}`,
              icon: 'file-code',
              tooltip: variant,
            })),
          ),
        ]),
    part('clock', 'Clock', clock.filter(Boolean).join(', '), 'watch', 'Clock of the stamps, first and last of them.'),
  ];
}

/** Records, and those that were understood. */
function understoodParts(info: TraceInfo): Part[] {
  const without = sum(info.withoutEffect);
  return [
    part(
      'records',
      'Records',
      `${count(info.records)} in ${counted(info.lines, 'line')}`,
      'list-ordered',
      'Lines that are trace records.',
    ),
    part(
      'understood',
      'Understood',
      count(info.understood),
      'pass',
      'Records that became events, or that are known and change nothing in the interrupt system.',
      without > 0
        ? [
            {
              name: 'without',
              label: 'Without effect',
              description: count(without),
              icon: 'circle-outline',
              tooltip: 'Known records that change nothing in the interrupt system.',
              below: tallied(info.withoutEffect, 'circle-outline'),
            },
          ]
        : [],
    ),
  ];
}

/** Everything that did not become events. */
function otherParts(info: TraceInfo, accounting: Accounting): Part[] {
  const unknown = sum(info.unknown);
  const skipped = sum(info.skipped);
  return [
    part(
      'unknown',
      'Unknown',
      unknown === 0 ? '0' : `${count(unknown)} of ${counted(Object.keys(info.unknown).length, 'kind')}`,
      unknown === 0 ? 'pass' : 'question',
      'Records of events that IRQScope does not know, by name, with the first line of each.',
      unknownParts(info.unknown, accounting),
    ),
    part(
      'skipped',
      'Skipped',
      count(skipped),
      skipped === 0 ? 'pass' : 'warning',
      'Records that could not be read, by reason, with the first lines.',
      skippedParts(info),
    ),
    part(
      'lost',
      'Lost',
      info.lost === null ? `not told, ${counted(info.gaps, 'gap')}` : count(info.lost),
      info.lost === 0 ? 'pass' : 'warning',
      'Events that the recorder says it lost.',
    ),
    part(
      'others',
      'Other lines',
      count(sum(info.others)),
      'circle-outline',
      'Lines that are no records.',
      tallied(info.others, 'circle-outline'),
    ),
  ];
}

/** What made a simulated run: scenario, seed, policies and operations. */
export function recipeParts(trace: OpenTrace): Part[] {
  const { branch } = trace;
  if (!branch) return [];
  const { recipe, operations, parent, step } = branch;
  const settings = Object.entries(recipe?.settings ?? {});
  return [
    ...(parent
      ? [part('left', 'Left', `${parent.name} after step ${step}`, 'git-branch', 'Where this branch begins.')]
      : []),
    ...(recipe ? [part('scenario', 'Scenario', recipe.scenario.title, 'beaker', recipe.scenario.description)] : []),
    ...(recipe?.scenario.look ? [part('look', 'Look', recipe.scenario.look, 'eye', recipe.scenario.look)] : []),
    ...(recipe
      ? [
          part(
            'seed',
            'Seed',
            String(recipe.seed),
            'symbol-number',
            'The same scenario, seed and operations give the same events.',
          ),
        ]
      : []),
    ...settings.map(([name, value]) =>
      part(`set ${name}`, name, value, 'settings', 'A policy that was set for this run.'),
    ),
    part(
      'operations',
      'Operations',
      String(operations.length),
      'zap',
      'What was injected, in order.',
      operations.map((operation, i) => ({
        name: `${i}`,
        label: operation.op,
        description: operation.object ?? '',
        icon: 'zap',
        tooltip: JSON.stringify(operation),
      })),
    ),
  ];
}
