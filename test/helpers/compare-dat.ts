// Compares the events of a trace.dat with those of what `trace-cmd report` printed of it, record by record and field by field:
// `node test/helpers/compare-dat.ts FILE.dat REPORT.txt`. The report has one line of heading, so that record N stands on line N + 1, and its
// times are in microseconds.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ImportRun } from '../../src/import/run.ts';
import { type EventView, viewEvent } from '../../src/query/events.ts';
import type { Trace } from '../../src/trace/trace.ts';

const [datFile, reportFile] = process.argv.slice(2);

function read(file: string): Trace {
  const bytes = readFileSync(file);
  const run = new ImportRun(file);
  for (let at = 0; at < bytes.length; at += 1 << 20) run.push(bytes.subarray(at, at + (1 << 20)));
  return run.end();
}

/** The lines of the report that are records: losses are lines of their own, which move the records behind them. */
function recordLines(file: string): Map<number, number> {
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1');
  const lines = new Map<number, number>();
  for (const [i, line] of text.split('\n').entries())
    if (/^ *\S.*-\d+ +\[\d+\]/.test(line)) lines.set(i + 1, lines.size + 1);
  return lines;
}

const micro = (time: string | null): string | null =>
  time === null ? null : Math.round(Number(time.replace('.', '').padEnd(time.indexOf('.') + 9, '0')) / 1000).toString();

/** What is compared of an event. */
const partsOf = ({ kind, object, cpu, task, time, fields }: EventView): Record<string, unknown> => ({
  kind,
  object,
  cpu,
  task,
  time: micro(time),
  ...fields,
});

const [dat, report] = [read(datFile!), read(reportFile!)];
const lines = recordLines(reportFile!);
const events = (trace: Trace, lineOf: (line: number) => number): Map<number, EventView[]> => {
  const byRecord = new Map<number, EventView[]>();
  for (let step = 0; step < trace.length; step++) {
    const event = viewEvent(trace, step);
    if (event.kind === 'lost') continue;
    const record = lineOf(event.source.line);
    byRecord.set(record, [...(byRecord.get(record) ?? []), event]);
  }
  return byRecord;
};
const ours = events(dat, (line) => line);
const theirs = events(report, (line) => lines.get(line) ?? -1);
const differ = new Map<string, { count: number; sample: string }>();
const note = (what: string, sample: string): void => {
  const known = differ.get(what);
  if (known) known.count++;
  else differ.set(what, { count: 1, sample });
};
let [compared, same, fields, agree] = [0, 0, 0, 0];
for (const record of new Set([...ours.keys(), ...theirs.keys()])) {
  const [a, b] = [ours.get(record) ?? [], theirs.get(record) ?? []];
  if (a.length !== b.length)
    note('number of events', `record ${record}: ${a.map((e) => e.kind)} / ${b.map((e) => e.kind)}`);
  for (const [i, theirsOne] of b.entries()) {
    if (a[i] === undefined) continue;
    compared++;
    const [x, y] = [partsOf(a[i]), partsOf(theirsOne)];
    let equal = true;
    for (const [name, value] of Object.entries(y)) {
      fields++;
      if (JSON.stringify(x[name]) === JSON.stringify(value)) agree++;
      else {
        equal = false;
        note(`${theirsOne.kind} ${name}`, `record ${record}: ${JSON.stringify(x[name])} / ${JSON.stringify(value)}`);
      }
    }
    for (const name of Object.keys(x))
      if (!(name in y)) note(`${theirsOne.kind} ${name}, only in the file`, `record ${record}`);
    if (equal) same++;
  }
}
console.log(`records ${dat.first.accounting.records} / ${report.first.accounting.records}`);
console.log(`events compared ${compared}, equal ${same}; fields ${fields}, equal ${agree}`);
for (const [what, { count, sample }] of differ) console.log(`${count} x ${what}: ${sample}`);
