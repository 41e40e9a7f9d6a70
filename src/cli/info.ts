import { durationText, parseTime } from '../base/time.ts';
import { type TraceInfo, traceInfo } from '../query/info.ts';
import type { TraceMeta } from '../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from './command.ts';
import { DONE, Failure, REFUSED } from './failure.ts';
import { jsonDocument } from './json.ts';
import { readTrace } from './read.ts';
import { readSamples } from './samples.ts';
import { shown } from './text.ts';

const KEY_WIDTH = 26;

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('info', args, { json: { type: 'boolean' } });
  if (positionals.length === 0) throw misused('info', 'info needs a FILE');
  const { out } = context;
  const infos: TraceInfo[] = [];
  let status = DONE;
  for (const file of positionals) {
    try {
      const trace = await readTrace(file, context.progress);
      const info = traceInfo(trace);
      if (values.json) infos.push(info);
      else {
        if (out.used) out.line();
        for (const line of infoLines(info, trace.meta, await readSamples(file, info.samples))) out.line(shown(line));
      }
      if (out.due) await out.rest();
    } catch (error) {
      if (!(error instanceof Failure) || positionals.length === 1) throw error;
      // The others are read all the same; what could not be read is told, and by the exit status, too.
      context.warn(error.line);
      status = REFUSED;
    }
  }
  if (values.json) for (const text of jsonDocument(positionals.length === 1 ? infos[0] : infos)) out.add(text);
  return status;
}

/** The report on one source. `texts` are the lines that the samples name, where they could be read again. */
function* infoLines(info: TraceInfo, meta: TraceMeta, texts: readonly (string | undefined)[]): Generator<string> {
  yield info.file;
  yield* entries([
    ['format', `${info.format}${info.variant === '' ? '' : `, ${info.variant}`}`],
    ['time', timeLine(info, meta)],
    ['CPUs', info.cpus === 0 ? '?' : String(info.cpus)],
    ['events', String(info.events)],
  ]);
  if (info.problem !== undefined) yield `  PROBLEM  ${info.problem}; what was read before that is counted here`;
  yield '';
  const noRecords = sum(info.others);
  yield* counts('  ', [['lines', info.lines]]);
  yield* counts('    ', [['records', info.records]]);
  yield* counts('      ', [['understood', info.understood, share(info.understood, info.records)]]);
  const idle = sum(info.withoutEffect);
  if (idle > 0) yield* counts('        ', [['of them without effect', idle]]);
  yield* counts('          ', Object.entries(info.withoutEffect));
  yield* counts('      ', [['unknown by name', sum(info.unknown), share(sum(info.unknown), info.records)]]);
  yield* counts('          ', Object.entries(info.unknown));
  yield* counts('      ', [['skipped', sum(info.skipped), share(sum(info.skipped), info.records)]]);
  yield* counts('          ', Object.entries(info.skipped));
  yield* counts('    ', [['other lines', noRecords]]);
  yield* counts('          ', Object.entries(info.others));
  yield* counts('  ', [['lost events', info.lost]]);
  if (info.gaps > 0) yield* counts('  ', [['gaps of unknown size', info.gaps]]);
  if (info.samples.length > 0) {
    yield '';
    yield '  The first lines that were skipped:';
    for (const [i, { line, reason }] of info.samples.entries()) {
      yield `  ${info.file}:${line}: ${reason}`;
      if (texts[i] !== undefined) yield `      ${texts[i]}`;
    }
  }
}

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

/** A share in percent, rounded down: only all is 100. */
function share(part: number, whole: number): string {
  return whole === 0 ? '' : `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

function timeLine(info: TraceInfo, meta: TraceMeta): string {
  if (info.start === null || info.end === null) return 'no stamps';
  const start = parseTime(info.start, meta.time);
  const end = parseTime(info.end, meta.time);
  const length =
    start === undefined || end === undefined
      ? ''
      : `, ${meta.time.ticks ? `${end - start} ticks` : durationText(end - start)}`;
  return `${info.start} to ${info.end}${length}, clock ${info.clock}`;
}

function* entries(rows: readonly (readonly [string, string])[]): Generator<string> {
  for (const [name, value] of rows) yield `  ${name.padEnd(7)}  ${value}`;
}

function* counts(indent: string, rows: readonly (readonly [string, number, string?])[]): Generator<string> {
  for (const [name, count, note] of rows) {
    const start = `${indent}${name}`.padEnd(KEY_WIDTH + 20);
    yield `${start} ${String(count).padStart(9)}${note === undefined || note === '' ? '' : `  ${note.padStart(7)}`}`;
  }
}

export const info: Command = {
  name: 'info',
  usage: 'FILE... [--json]',
  summary: 'what a trace is, and what became of each of its lines',
  help: `Tells the format, the clock, the stretch of time and the number of events, and accounts for every line: records
that were understood (and which of them are known to have no effect on the interrupt system), records of
events unknown by name, records that could not be read (with the reason and the first such lines), lines that are
no records, and what the recorder says it lost.

Options:
  --json       one JSON object; for several FILEs an array of such objects

Examples:
  irqscope info examples/x86-vtd-qemu.log
  irqscope info --json host.log guest.txt.gz`,
  run,
};
