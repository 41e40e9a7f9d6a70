import { byName } from '../../base/by-name.ts';
import { csv } from '../../import/export/csv.ts';
import { ndjson } from '../../import/export/ndjson.ts';
import { perfetto } from '../../import/export/perfetto.ts';
import { eventFile, interruptFile } from '../../import/export/tables/tables.ts';
import { nearest } from '../../query/nearest.ts';
import { irqtraceBytes } from '../../trace/irqtrace.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, NoTrace } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { dayOf } from '../lake/manifest.ts';
import { NO_TRACE, writeMany } from '../lake/many.ts';
import { shardOf } from '../lake/names.ts';
import { writeOne } from '../lake/one.ts';
import { type OutFile, writeFileWhole } from '../out-file.ts';
import { isFolder } from '../read.ts';
import { version } from '../version.ts';

/** Characters that are put together before they are written. */
const CHUNK = 1 << 16;

type Format = (trace: Trace) => Generator<string | Uint8Array>;

/** The formats that are written, in pieces. */
const FORMATS: Readonly<Record<string, Format>> = byName({
  irqtrace: (trace) => irqtraceBytes(trace, trace.sources.length === 1 ? (trace.first.header ?? []) : []),
  ndjson,
  csv,
  perfetto,
  parquet: (trace) => eventFile(trace, trace.first.file, version()),
});

const NAMES = Object.keys(FORMATS);

/** The tables of one file that are written as Parquet. */
const TABLES: Readonly<Record<string, Format>> = byName({
  events: FORMATS['parquet']!,
  interrupts: (trace) => interruptFile(trace, trace.first.file, version()),
});

const OPTIONS = {
  to: { type: 'string' },
  out: { type: 'string' },
  table: { type: 'string' },
  ...INPUT_OPTIONS,
  manifest: { type: 'string' },
  prefix: { type: 'string' },
  shard: { type: 'string' },
  jobs: { type: 'string' },
  json: { type: 'boolean' },
  as: { type: 'string' },
  host: { type: 'string' },
  kernel: { type: 'string' },
  date: { type: 'string' },
} as const;

/** Options of a folder of captures, and of one capture that goes into a lake. */
const OF_FOLDER = ['manifest', 'prefix', 'shard', 'jobs', 'json'] as const;
const OF_ONE = ['host', 'kernel', 'date'] as const;

/** The one of some names that a text is; throws Failure with the one that was meant. */
function oneOf(option: string, text: string, names: readonly string[]): string {
  if (names.includes(text)) return text;
  const near = nearest(text, names, 1);
  const hint = near.length > 0 ? `did you mean ${near[0]}?` : `there are ${names.join(', ')}`;
  throw misused('convert', `--${option} ${text}: ${hint}`);
}

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('convert', args, OPTIONS);
  const [input] = positionals;
  if (input === undefined || positionals.length > 1) throw onlyOne('convert', positionals);
  if (values.to === undefined) throw misused('convert', `convert needs --to: ${NAMES.join(', ')}`);
  const to = oneOf('to', values.to, NAMES);
  const { out: target, as: name } = values;
  if (target === undefined) throw misused('convert', 'convert needs --out FILE; - is standard output');
  const folder = to === 'parquet' && name === undefined && (await isFolder(input));
  const given = (names: readonly (keyof typeof values)[]): string | undefined =>
    names.find((option) => values[option] !== undefined);
  const only = (option: string | undefined, what: string): void => {
    if (option !== undefined) throw misused('convert', `--${option} is for ${what}`);
  };
  if (!folder) only(given(OF_FOLDER), 'a folder of captures that becomes Parquet');
  if (name === undefined) only(given(OF_ONE), 'a capture that goes into a lake (--as NAME)');
  if (to !== 'parquet') only(given(['table', 'as']), '--to parquet');
  if (folder || name !== undefined) {
    only(given(['table']), 'one file; a lake has all tables');
    only(given(['with', 'offset']), 'one trace; a session file or a folder joins sources of a capture in a lake');
    if (target === '-') throw misused('convert', '--out -: a lake is a folder');
  }
  if (folder) {
    const { manifest, prefix = '', shard = '1/1', jobs, json = false } = values;
    const options = { manifest, prefix, shard: shardOf(shard), jobs: jobsOf(jobs), json };
    return writeMany(input, target, options, context);
  }
  if (name !== undefined) return intoLake(input, name, target, values, context);
  const format = values.table === undefined ? FORMATS[to]! : TABLES[oneOf('table', values.table, Object.keys(TABLES))]!;
  const trace = await readInput('convert', input, values, context.progress);
  await (target === '-' ? toOutput(format(trace), context) : toFile(format(trace), target, context));
  return DONE;
}

function jobsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw misused('convert', `--jobs ${text}: expected a number from 1 to 9999`);
  return Number(text);
}

async function intoLake(
  path: string,
  name: string,
  lake: string,
  { host, kernel, date }: Readonly<Partial<Record<(typeof OF_ONE)[number], string | undefined>>>,
  context: Context,
): Promise<number> {
  if (name === '') throw misused('convert', '--as needs the name of a trace');
  const day = date === undefined ? null : dayOf(date);
  if (day === undefined) throw misused('convert', `--date ${date}: expected a day such as 2026-11-23`);
  try {
    await writeOne(lake, { name, path, given: { host: host ?? null, kernel: kernel ?? null, date: day } }, context);
  } catch (error) {
    if (error instanceof NoTrace) context.out.line(NO_TRACE);
    throw error;
  }
  return DONE;
}

async function toOutput(all: Generator<string | Uint8Array>, { out }: Context): Promise<void> {
  for (const piece of pieces(all)) {
    if (typeof piece === 'string') out.raw(piece);
    else await out.bytes(piece);
    if (out.due) await out.rest();
  }
}

const toFile = (all: Generator<string | Uint8Array>, target: string, { out }: Context): Promise<void> => {
  const encoder = new TextEncoder();
  return writeFileWhole(target, async (file: OutFile) => {
    for (const piece of pieces(all)) {
      file.add(typeof piece === 'string' ? encoder.encode(piece) : piece);
      await file.drain();
      if (out.due) await out.rest();
    }
  });
};

/** Puts small texts together. */
function* pieces(all: Generator<string | Uint8Array>): Generator<string | Uint8Array> {
  let text = '';
  for (const piece of all) {
    if (typeof piece !== 'string') yield piece;
    else if ((text += piece).length >= CHUNK) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}

/** `irqscope convert`. */
export const convert: Command = {
  name: 'convert',
  usage: 'FILE --to FORMAT --out FILE',
  help: `Reads a trace, a folder or an archive and writes its events in another format. The old file stays until the new one is whole.

Formats:
  irqtrace     the trace file of this project: text, one event a line; reading it gives the same events
  ndjson       one JSON object a line, as irqscope events --json prints them; it can be read again
  csv          a table: trace, step, time, cpu, kind, object, fields (as JSON), file, line
  perfetto     Trace Event JSON for ui.perfetto.dev: a track for each object, spans of handlers and virtual CPUs, flows of deliveries
  parquet      the same table as csv, for engines such as DuckDB, Spark, Trino and ClickHouse; times are nanoseconds.
               A folder becomes a lake: a folder of tables with the rows of all captures in it (docs/fleet.md)

Options:
  --to FORMAT  one of these formats
  --out FILE   the file to write, of a lake the folder; - is standard output
  --table T    Parquet of one file: events, or interrupts as irqscope interrupts lists them
${INPUT_HELP}

Options for a lake (convert DIR --to parquet --out LAKE). Each capture is read by a process of its own; what the lake
holds already is left alone; what cannot be read is listed, and the others are written all the same.
  --manifest FILE
               which host, kernel and date each capture is of; without it DIR/manifest.csv, where there is one
  --prefix T   what stands in front of the names of traces, such as 2026-W48/
  --shard I/N  only the I-th of N parts
  --jobs N     captures that are read at the same time; as many as there are processors
  --json       {lake, written: [trace], unchanged: [trace], failed: [{trace, problem}], unread: [{trace, problem}]}
  --as NAME    FILE is one capture, which goes into the lake LAKE under this name; with --host, --kernel and --date

Exit status: 0 done, 2 something could not be read or written.

Examples:
  irqscope convert host.txt --with guest=guest.txt --to perfetto --out both.json
  irqscope convert capture.tar.gz --to irqtrace --out capture.irqtrace
  irqscope convert captures --to parquet --out lake --shard 3/16`,
  run,
};
