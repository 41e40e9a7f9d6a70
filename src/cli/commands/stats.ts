import { secondsText } from '../../base/time.ts';
import { nearest } from '../../query/nearest.ts';
import { type By, GROUPINGS } from '../../query/statistics/grouping.ts';
import { type SpreadView, type StatisticsRow, statisticsOf } from '../../query/statistics/rows.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { jsonDocument } from '../json.ts';
import type { Output } from '../output.ts';
import { Columns } from '../text.ts';

const UNKNOWN = '?';

function byOf(text: string): By {
  const by = GROUPINGS.find((name) => name === text);
  if (by !== undefined) return by;
  const near = nearest(text, GROUPINGS, 1);
  throw misused(
    'stats',
    `--by ${text}: ${near.length > 0 ? `did you mean ${near[0]}?` : `there are ${GROUPINGS.join(', ')}`}`,
  );
}

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('stats', args, {
    by: { type: 'string' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw onlyOne('stats', positionals);
  const by = byOf(values.by ?? 'irq');
  const trace = await readInput('stats', file, values, context.progress);
  const { out } = context;
  const work = statisticsOf(trace, by);
  let done = work.next();
  while (!done.done) {
    if (out.due) await out.rest();
    done = work.next();
  }
  const rows = done.value;
  if (values.json) for (const part of jsonDocument(rows)) out.json(part);
  else if (rows.length === 0) out.line(`nothing in this trace is counted by ${by}; other rows: --by ${others(by)}`);
  else print(rows, by, out);
  return DONE;
}

const others = (by: By): string => GROUPINGS.filter((name) => name !== by).join(', ');

/** A duration that an answer holds as seconds, with the unit that reads best. */
const duration = (seconds: string | null): string => (seconds === null ? UNKNOWN : secondsText(seconds));

const spread = ({ p50, p99, max }: SpreadView): string[] => [p50, p99, max].map(duration);

const number = (value: number | null): string => (value === null ? UNKNOWN : String(value));

function rateText(rate: number | null): string {
  return rate === null ? UNKNOWN : rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3);
}

/** A table with a column for everything that some row tells. */
function print(rows: readonly StatisticsRow[], by: By, out: Output): void {
  const latency = rows.some((row) => row.latency.max !== null);
  const service = rows.some((row) => row.service.max !== null);
  const masks = rows.some((row) => row.masks !== null);
  const exits = rows.some((row) => row.exits !== null);
  const named = rows.some((row) => row.name !== null);
  const head = [
    by,
    'count',
    'per s',
    ...(latency ? ['latency p50', 'p99', 'max'] : []),
    ...(service ? ['service p50', 'p99', 'max'] : []),
    ...(masks ? ['masks'] : []),
    ...(exits ? ['exits'] : []),
    ...(named ? ['name'] : []),
  ];
  const columns = new Columns((line) => out.line(line), head.map((_, i) => i).slice(1, named ? -1 : undefined));
  columns.row(...head);
  for (const row of rows)
    columns.row(
      row.key,
      number(row.count),
      rateText(row.rate),
      ...(latency ? spread(row.latency) : []),
      ...(service ? spread(row.service) : []),
      ...(masks ? [number(row.masks)] : []),
      ...(exits ? [number(row.exits)] : []),
      ...(named ? [row.name ?? ''] : []),
    );
  columns.end();
  // Of several sources, the worst pair: a table has no room for each row's own.
  const apart = rows.flatMap(({ latency, service }) =>
    [latency.uncertainty, service.uncertainty].filter((s) => s !== undefined),
  );
  const most = apart.sort((a, b) => Number(b) - Number(a))[0];
  if (most !== undefined) out.line(`times between two sources: their clocks may differ by up to ${secondsText(most)}`);
}

/** `irqscope stats`. */
export const stats: Command = {
  name: 'stats',
  usage: 'FILE [--by irq|vector|cpu|device|vcpu|kind] [--json]',
  help: `Counts and measures what a trace shows, the busiest row first. docs/cli.md tells precisely what each --by counts and
between which events it measures. What the trace cannot tell is ? in text and null in JSON; where events were lost,
what was under way gives no time.

Options:
  --by WHAT    what makes a row: irq (without the option), vector, cpu, device, vcpu, kind
${INPUT_HELP}
  --json       one JSON array of {key, name, count, rate, latency: {p50, p99, max}, service: {p50, p99, max},
               masks, exits}; durations are decimal seconds; uncertainty stands beside p50 where the clocks of
               two sources were compared

Examples:
  irqscope stats examples/x86-vtd-qemu.log --by device
  irqscope stats examples/x86-vtd-qemu.log --by kind --json`,
  run,
};
