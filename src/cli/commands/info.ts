import { counted, noun } from '../../base/counted.ts';
import { parseTime, spanText } from '../../base/time.ts';
import { shown } from '../../base/visible.ts';
import { isJoined, type JoinedInfo, joinedInfo, type TraceInfo, traceInfo } from '../../query/info.ts';
import type { Alignment, SourceFacts } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, Failure, REFUSED } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, type Input, readInputs } from '../input.ts';
import { jsonDocument } from '../json.ts';
import { nameOf } from '../read.ts';
import { Columns } from '../text.ts';
import { readSamples } from './samples.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('info', args, { ...INPUT_OPTIONS, json: { type: 'boolean' } });
  if (positionals.length === 0) throw misused('info', 'info needs a FILE');
  const { out } = context;
  if (positionals.length > 1 && (values.with ?? values.offset) !== undefined)
    throw misused('info', '--with and --offset join sources to one FILE');
  const infos: object[] = [];
  let status = DONE;
  for (const file of positionals) {
    try {
      const input = await readInputs('info', file, values, context.progress);
      if (values.json) infos.push(isAlone(input, file) ? traceInfo(input.trace) : joinedAnswer(input));
      else {
        if (out.used) out.line();
        for await (const line of isAlone(input, file) ? oneFile(input.trace) : severalFiles(input))
          out.line(shown(line));
      }
      if (out.due) await out.rest();
    } catch (error) {
      if (!(error instanceof Failure) || positionals.length === 1) throw error;
      // The other files are still read. stderr names the file that could not be read, and the exit status tells it too.
      context.warn(error.line);
      status = REFUSED;
    }
  }
  if (values.json) for (const text of jsonDocument(positionals.length === 1 ? infos[0]! : infos)) out.json(text);
  return status;
}

/** The lines that the samples of a source name; a binary one has none. */
const textsOf = async ({ binary }: SourceFacts, { file, samples }: TraceInfo): Promise<(string | undefined)[]> =>
  binary ? [] : readSamples(file, samples);

/** Whether a file is one source and nothing else, so that it is told of as such. */
const isAlone = ({ trace, duplicates, unread }: Input, file: string): boolean =>
  !isJoined(trace) && trace.first.file === file && duplicates.length + unread.length === 0;

/** What `--json` says of a trace of several files: those that are left out are listed, too. */
function joinedAnswer({ trace, duplicates, unread }: Input): object {
  const info = joinedInfo(trace);
  const copies = duplicates.map(({ trace: copy, of }) => ({ ...traceInfo(copy), duplicateOf: of }));
  return {
    ...info,
    sources: [...info.sources, ...copies],
    unread: unread.map(({ file, problem }) => ({ file, problem })),
  };
}

async function* oneFile(trace: Trace): AsyncGenerator<string> {
  const info = traceInfo(trace);
  yield* infoLines(info, trace.first, await textsOf(trace.first, info));
}

async function* severalFiles({ trace, duplicates, unread }: Input): AsyncGenerator<string> {
  const all = joinedInfo(trace);
  for (const [i, info] of all.sources.entries()) {
    const source = trace.sources[i]!;
    yield* infoLines(info, source, await textsOf(source, info));
    yield '';
  }
  yield* clockLines(trace, all);
  for (const { trace: copy, of } of duplicates) yield `  ${copy.first.file} is left out: ${of} holds its records`;
  if (unread.length > 0)
    yield `  ${counted(unread.length, 'other file')} ${unread.length === 1 ? 'is' : 'are'} no trace`;
}

/** Which source tells of which system, and how the clocks were brought together. */
function* clockLines(trace: Trace, { sources, clocks, systems }: JoinedInfo): Generator<string> {
  const root = clocks.findIndex(({ place }) => place === undefined);
  yield systems.length === 0 ? 'One system' : `Systems: ${systems.join(', ')}`;
  for (const [i, { file, offset, uncertainty, drift, place, evidence }] of clocks.entries()) {
    const { system, vantage } = sources[i]!;
    yield `  ${nameOf(file)}: ${[system ?? '', vantage === null ? '' : `seen by its ${vantage}`].filter((t) => t !== '').join(', ')}`;
    if (place !== undefined) {
      yield `      no stamps; its place in the trace is told by ${place}`;
      if (evidence[0] !== undefined) yield `      behind step ${evidence[0].steps[1]}: ${evidence[0].what}`;
    } else if (i === root) yield '      its clock is that of the trace';
    else {
      yield `      offset ${offset} s ${uncertainty === null ? '(how exact is not known)' : `± ${uncertainty} s`}${drift === 0 ? '' : `, drift ${drift} ppm`}`;
      yield evidence.length === 0
        ? `      ${withoutPairs(trace.sources[i]!.alignment)}`
        : `      ${evidence.length} pairs of events show it, such as steps ${evidence[0]!.steps.join(' and ')}: ${evidence[0]!.what}`;
    }
  }
}

/** How a clock came to that of the trace where no pair of events shows it. */
const withoutPairs = (alignment: Alignment | undefined): string =>
  alignment?.told === true
    ? (alignment.why ?? 'the files tell it')
    : alignment?.assumed === true
      ? alignment.why !== undefined
        ? `assumed: ${alignment.why}`
        : 'assumed: both count from the start of the kernel; how far apart they are is not known'
      : alignment?.day === true
        ? 'the time of day in the sources tells it; no event of one is found in the other'
        : 'nothing in the sources shows it';

/** The report on one source. `texts` are the lines that the samples name, where they could be read again. */
function* infoLines(info: TraceInfo, source: SourceFacts, texts: readonly (string | undefined)[]): Generator<string> {
  yield nameOf(info.file);
  yield* entries([
    ['format', `${info.format}${info.variant === '' ? '' : `, ${info.variant}`}`],
    ['time', timeLine(info, source)],
    ['CPUs', String(info.cpus ?? '?')],
    [
      'events',
      source.repeats === undefined
        ? String(info.events)
        : `${info.events}, without ${source.repeats.events} that ${nameOf(source.repeats.of)} has, too`,
    ],
  ]);
  if (info.undone.length > 0) yield `  undone   ${info.undone.join(', ')}`;
  if (info.problem !== null) yield `  PROBLEM  ${info.problem}; what was read before that is counted here`;
  for (const [i, part] of (info.sources ?? []).entries()) {
    const stretch = part.start === null || part.end === null ? 'no stamps' : `${part.start} to ${part.end}`;
    yield `  source ${i + 1}  ${part.format}, ${part.variant}: ${part.records} ${noun(part.records, 'record')}, ${part.events} ${noun(part.events, 'event')}, ${stretch}`;
  }
  yield '';
  yield* accounting(info);
  if (info.samples.length > 0) {
    yield '';
    yield '  The first lines that were skipped:';
    for (const [i, { line, reason }] of info.samples.entries()) {
      yield `  ${nameOf(info.file)}:${line}: ${reason}`;
      if (texts[i] !== undefined) yield `      ${texts[i]}`;
    }
  }
}

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

/** A share in percent, rounded down: only all is 100. */
function share(part: number, whole: number): string {
  return whole === 0 ? '' : `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

function timeLine(info: TraceInfo, source: SourceFacts): string {
  if (info.start === null || info.end === null) return 'no stamps';
  const start = parseTime(info.start, source.time);
  const end = parseTime(info.end, source.time);
  const length = start === undefined || end === undefined ? '' : `, ${spanText(end - start, source.time)}`;
  return `${info.start} to ${info.end}${length}, clock ${info.clock ?? 'not told'}`;
}

function* entries(rows: readonly (readonly [string, string])[]): Generator<string> {
  for (const [name, value] of rows) yield `  ${name.padEnd(7)}  ${value}`;
}

/** How the lines were read, as aligned counts. */
function accounting(info: TraceInfo): string[] {
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line), [1, 2]);
  const count = (level: number, name: string, n: number, of?: number): void =>
    columns.row(`${'  '.repeat(level)}${name}`, String(n), of === undefined ? '' : share(n, of));
  const tally = (counts: Readonly<Record<string, number>>): void => {
    for (const [name, n] of Object.entries(counts)) count(5, name, n);
  };
  const { records } = info;
  count(1, 'lines', info.lines);
  count(2, 'records', records);
  count(3, 'understood', info.understood, records);
  const idle = sum(info.withoutEffect);
  if (idle > 0) count(4, 'of them without effect', idle);
  tally(info.withoutEffect);
  count(3, 'unknown by name', sum(info.unknown), records);
  tally(info.unknown);
  count(3, 'skipped', sum(info.skipped), records);
  tally(info.skipped);
  count(2, 'other lines', sum(info.others));
  tally(info.others);
  columns.row('  lost events', String(info.lost ?? '?'), '');
  if (info.gaps > 0) count(1, 'gaps of unknown size', info.gaps);
  columns.end();
  return lines;
}

export const info: Command = {
  name: 'info',
  usage: 'FILE... [--json]',
  help: `Tells the format, the clock, the stretch of time and the number of events, and accounts for every line: records
that were understood (and which of them are known to have no effect on the interrupt system), records of
events unknown by name, records that could not be read (with the reason and the first such lines), lines that are
no records, and what the recorder says it lost.

Options:
${INPUT_HELP}
  --json       one JSON object; for several FILEs an array of such objects

Examples:
  irqscope info examples/x86-vtd-qemu.log
  irqscope info --json host.log guest.txt.gz`,
  run,
};
