import { BRACKET_OPEN, bytesAt, bytesOf, isDigit, LF, SPACE, textOf } from '../base/bytes.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { MAGIC } from '../trace/irqtrace.ts';
import { FtraceImporter } from './ftrace/importer.ts';
import { afterLogStamp, RecordHead } from './ftrace/record.ts';
import { BOM, type Importer, LineImporter } from './importer.ts';
import { IrqtraceImporter } from './irqtrace/importer.ts';
import { isNameByte } from './pattern.ts';
import { isKnownEvent, QemuImporter } from './qemu/importer.ts';

/** A format that can be imported. */
export interface Format {
  readonly name: 'qemu-log' | 'ftrace-text' | 'irqtrace';
  /** What the user calls it. */
  readonly title: string;
  /** How many of the first lines have its form; 0 means it is not this format. */
  readonly score: (buf: Uint8Array, lines: readonly (readonly [start: number, end: number])[]) => number;
  readonly open: (out: TraceBuilder) => Importer;
}

/** How many bytes of a source are enough to tell its format. */
export const HEAD_BYTES = 1 << 16;

const head = new RecordHead();
const TRACER = bytesOf('# tracer: ');
const CPUS = bytesOf('cpus=');
const LOST = bytesOf('CPU:');

function skipNul(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && buf[at] === 0) at++;
  return at;
}

const isRecord = (buf: Uint8Array, start: number, end: number): boolean =>
  head.normal(buf, start, end) || head.latency(buf, start, end);

function ftraceScore(buf: Uint8Array, lines: readonly (readonly [number, number])[]): number {
  let score = 0;
  for (const [lineStart, end] of lines) {
    const start = skipNul(buf, lineStart, end);
    if (bytesAt(buf, start, end, TRACER)) score += 1000;
    else if (bytesAt(buf, start, end, CPUS) || bytesAt(buf, start, end, LOST)) score++;
    else if (isRecord(buf, buf[start] === BRACKET_OPEN ? afterLogStamp(buf, start, end) : start, end)) score += 2;
  }
  return score;
}

function qemuScore(buf: Uint8Array, lines: readonly (readonly [number, number])[]): number {
  let score = 0;
  for (const [lineStart, end] of lines) {
    const start = skipNul(buf, lineStart, end);
    let at = start;
    if (isDigit(buf[start])) {
      const stamp = /^(?:\d+@\d+\.\d{1,9}:|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* )/.exec(
        textOf(buf, start, Math.min(end, start + 48)),
      );
      if (stamp) at += stamp[0].length;
    }
    const nameStart = at;
    while (at < end && isNameByte(buf[at]!)) at++;
    if (at === nameStart || (at < end && buf[at] !== SPACE)) continue;
    const known = isKnownEvent(buf, nameStart, at);
    if (known) score += 2;
    else if (nameStart > start) score++;
  }
  return score;
}

const MAGIC_BYTES = bytesOf(`${MAGIC} `);

/** The first line names the format. */
function irqtraceScore(buf: Uint8Array, lines: readonly (readonly [number, number])[]): number {
  const [first] = lines;
  return first !== undefined && bytesAt(buf, first[0], first[1], MAGIC_BYTES) ? 1e9 : 0;
}

export const formats: readonly Format[] = [
  {
    name: 'irqtrace',
    title: 'an .irqtrace file',
    score: irqtraceScore,
    open: (out) => new LineImporter(out, new IrqtraceImporter(out)),
  },
  {
    name: 'ftrace-text',
    title: 'ftrace text',
    score: ftraceScore,
    open: (out) => new LineImporter(out, new FtraceImporter(out)),
  },
  {
    name: 'qemu-log',
    title: 'QEMU trace log',
    score: qemuScore,
    open: (out) => new LineImporter(out, new QemuImporter(out)),
  },
];

/** Why a source cannot be read: what was found and what was expected. */
export interface NotATrace {
  readonly problem: string;
}

/** The format of a source, told from its first bytes alone. */
export function detect(buf: Uint8Array, length = buf.length): Format | NotATrace {
  if (length === 0) return { problem: 'the file is empty' };
  const lines = firstLines(buf, Math.min(length, HEAD_BYTES));
  const scores = formats.map((f) => f.score(buf, lines));
  const best = Math.max(...scores);
  if (best > 0) return formats[scores.indexOf(best)]!;
  return { problem: `${describe(buf, Math.min(length, 4096))}; expected ${formats.map((f) => f.title).join(', ')}` };
}

function firstLines(buf: Uint8Array, length: number): (readonly [number, number])[] {
  const lines: (readonly [number, number])[] = [];
  let start = bytesAt(buf, 0, length, BOM) ? BOM.length : 0;
  while (start < length && lines.length < 400) {
    const next = buf.indexOf(LF, start);
    const end = next < 0 || next > length ? length : next;
    lines.push([start, end > start && buf[end - 1] === 13 ? end - 1 : end]);
    start = end + 1;
  }
  return lines;
}

/** First bytes of other common files that this program does not read. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['\x17\x08Dtracing', 'a trace.dat file of trace-cmd: convert it with `trace-cmd report`'],
  ['PERFILE2', 'a perf.data file: convert it with `perf script`'],
  ['\x7fELF', 'an ELF file'],
  ['\xfd7zXZ', 'an xz-compressed file: decompress it with `xz -d`'],
  ['BZh', 'a bzip2-compressed file: decompress it with `bzip2 -d`'],
  ['PK\x03\x04', 'a zip archive'],
];

function describe(buf: Uint8Array, length: number): string {
  const start = Array.from(buf.subarray(0, 16), (b) => String.fromCharCode(b)).join('');
  const other = OTHERS.find(([magic]) => start.startsWith(magic));
  if (other) return `this is ${other[1]}`;
  let odd = 0;
  for (let i = 0; i < length; i++) {
    const b = buf[i]!;
    if (b < 9 || (b > 13 && b < 32) || b === 127) odd++;
  }
  if (odd * 20 > length) return `this is binary data (${Math.round((odd * 100) / length)} % control bytes)`;
  return 'no line of it is a trace record';
}
