// The sources of a joined trace as rows: how each was read, which system it tells of, and how its clock was brought to that of the trace.
import { count, counted } from '../../base/counted.ts';
import { eventText } from '../../query/events.ts';
import { type ClockInfo, isJoined, type JoinedSourceInfo, joinedInfo } from '../../query/info.ts';
import type { Accounting } from '../../trace/accounting.ts';
import type { Trace } from '../../trace/trace.ts';
import type { OpenTrace } from '../sessions.ts';
import { accountingParts, type Part } from './trace-parts.ts';

/** Whether a trace is shown source by source: it was put together, or files that were opened with it are no part of it. */
export const hasSources = ({ session, files }: OpenTrace): boolean => isJoined(session.trace) || files.length > 1;

/** The sources of a trace, and the files that are no part of it, as rows. */
export function sourceParts({ session, files, duplicates }: OpenTrace): Part[] {
  const { trace } = session;
  const { sources, systems, clocks } = joinedInfo(trace);
  const shown = trace.sources.filter(({ derived }) => !derived);
  const rows = sources.map((source, i) =>
    sourcePart(trace, source, clocks[i]!, shown[i]!.accounting, i, shown[i]!.alignment?.given === true),
  );
  const left = files.filter(({ file, skipped }) => !skipped && !shown.some((source) => source.file === file));
  const copies = left.filter(({ file }) => duplicates.has(file));
  const others = left.filter(({ file, kit }) => kit === undefined && !duplicates.has(file));
  return [
    {
      ...{ name: 'sources', label: 'Sources', icon: 'files', expanded: true, below: rows },
      description: [count(rows.length), systems.join(', ')].filter(Boolean).join(' · '),
      tooltip: 'The files of this trace. The clock of the first one is that of the trace.',
    },
    ...group(
      'duplicates',
      'Duplicates',
      'copy',
      'Files whose records another one holds, too: they are read once.',
      copies.map(({ file }) => ({
        ...{
          name: file,
          label: file,
          description: `duplicate of ${duplicates.get(file)}`,
          icon: 'copy',
          source: file,
          role: 'left' as const,
        },
      })),
    ),
    ...group(
      'unread',
      'No part of the trace',
      'circle-slash',
      'Files that were opened with the others and hold no trace.',
      others.map(({ file, problem }) => ({
        ...{
          name: file,
          label: file,
          description: problem ?? '',
          icon: 'circle-slash',
          source: file,
          role: 'left' as const,
        },
      })),
    ),
  ];
}

const group = (name: string, label: string, icon: string, tooltip: string, below: Part[]): Part[] =>
  below.length === 0 ? [] : [{ name, label, description: count(below.length), icon, tooltip, below }];

/** A row and all below it, about a file. */
const withSource = (part: Part, source: string): Part => ({
  ...part,
  source,
  ...(part.below ? { below: part.below.map((one) => withSource(one, source)) } : {}),
});

/** A number of seconds without the zeros at its end. */
const short = (seconds: string): string => seconds.replace(/\.?0+$/, '');

/** How a clock was moved, such as `+12.5 s ± 0.000004 s`; the empty text for the clock of the trace. */
function offsetText({ offset, uncertainty }: ClockInfo): string {
  const moved = `${offset.startsWith('-') ? '' : '+'}${short(offset)} s`;
  return uncertainty === null ? moved : `${moved} ± ${short(uncertainty)} s`;
}

function sourcePart(
  trace: Trace,
  source: JoinedSourceInfo,
  clock: ClockInfo,
  accounting: Accounting,
  index: number,
  given: boolean,
): Part {
  const { file, format, system, vantage } = source;
  const isFirst = trace.sources[index]?.alignment === undefined && clock.place === undefined;
  const own = { source: file };
  const vantages = {
    kernel: 'seen by its kernel',
    hardware: 'seen by its hardware',
    hypervisor: 'seen by its hypervisor',
  };
  const how = given
    ? 'set by hand'
    : clock.place !== undefined
      ? `placed by ${clock.place}`
      : isFirst
        ? 'the clock of the trace'
        : clock.evidence.length > 0
          ? counted(clock.evidence.length, 'pair of events', 'pairs of events')
          : trace.sources[index]?.alignment?.assumed === true
            ? `assumed: ${trace.sources[index]?.alignment?.why ?? 'both count from the start of the kernel'}`
            : trace.sources[index]?.alignment?.day === true
              ? 'told by the time of day'
              : clock.uncertainty === null
                ? 'nothing shows it'
                : (trace.sources[index]?.alignment?.why ?? 'told by the file');
  return {
    name: `source ${index}`,
    label: file,
    description: [format, system ?? '', vantage ?? '', isFirst ? '' : offsetText(clock)].filter(Boolean).join(' · '),
    icon: source.problem === null ? 'file' : 'warning',
    tooltip: `${counted(source.events, 'event')} from ${counted(source.records, 'record')}.`,
    ...own,
    role: 'source',
    below: [
      {
        ...{
          name: 'system',
          label: 'System',
          description: system ?? 'one system without a name',
          icon: 'server',
          ...own,
        },
        ...{ role: 'system', tooltip: 'The machine whose interrupts it tells. Set System… gives it another name.' },
      },
      {
        ...{ name: 'vantage', label: 'Vantage', description: vantage ?? 'not known', icon: 'eye', ...own },
        tooltip: vantage === null ? 'From where it was recorded.' : `The machine, ${vantages[vantage]}.`,
      },
      {
        ...{ name: 'offset', label: 'Clock offset', icon: 'watch', role: 'offset', ...own },
        description: [isFirst ? '0 s' : offsetText(clock), how].join(' · '),
        ...(clock.evidence.length > 0
          ? { more: () => clock.evidence.map(({ steps, what }, i) => evidencePart(trace, i, steps, what)) }
          : {}),
        tooltip:
          'What is added to its own times to get those of the trace, how wrong that may be, and the events that show it. Set Clock Offset… sets it by hand.',
      },
      {
        ...{ name: 'drift', label: 'Drift', description: `${clock.drift} ppm`, icon: 'arrow-swap', ...own },
        tooltip: 'By how many parts in a million the clock of the trace goes faster than its own.',
      },
      ...accountingParts(source, accounting).map((part) => withSource(part, file)),
    ],
  };
}

/** Two events that show the same instant: a click goes to the first, the rows below lead to both. */
function evidencePart(trace: Trace, index: number, steps: readonly [number, number], what: string): Part {
  const row = (step: number, name: string): Part => ({
    ...{ name, label: `step ${count(step)}`, icon: 'debug-stackframe', step },
    description: step < 0 ? 'not there' : eventText(trace, step),
    tooltip: step < 0 ? '' : (trace.sources[trace.sourceOf(step)]?.file ?? ''),
  });
  const [own, other] = steps;
  return {
    ...{
      name: `evidence ${index}`,
      label: `steps ${count(own)} and ${count(other)}`,
      description: what,
      icon: 'link',
      step: own,
    },
    tooltip: `Both events show it: ${what}.`,
    below: [row(own, 'own'), row(other, 'other')],
  };
}
