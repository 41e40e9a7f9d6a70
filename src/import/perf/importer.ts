/**
 * What `perf script` prints of tracepoints: the print formats are those of the kernel, the heads of the records are perf's.
 * Source of the format: tools/perf/builtin-script.c (perf_sample__fprintf_start, process_event), tools/perf/util/evsel_fprintf.c.
 * What the text cannot tell: whether interrupts were off, and on which machine a sample of a guest was taken.
 */
import { COLON, DOT, hexDigit, isDigit, MINUS, SPACE, sixDigits, textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { Beginning, placeOf, places } from '../beginning.ts';
import { type Dialect, FtraceImporter, type Loss } from '../ftrace/importer.ts';
import { RecordHead } from '../ftrace/record.ts';
import { isNameByte } from '../names.ts';

/** Digits of seconds that are read in place. */
const MOST_SECONDS = 10;
/** Text in which characters have the places of their bytes. */
const PLAIN = /^[\t -~]+$/;

/** Whether a byte may stand in the flags of a record. */
const isFlag = (byte: number): boolean =>
  byte === DOT || isDigit(byte) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);

function blanksEnd(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && buf[at] === SPACE) at++;
  return at;
}

function digitsEnd(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(buf[at])) at++;
  return at;
}

/** The number of three digits; -1 where something else stands there. */
function threeDigits(buf: Uint8Array, at: number): number {
  if (digitsEnd(buf, at, at + 3) !== at + 3) return -1;
  return (buf[at]! - 48) * 100 + (buf[at + 1]! - 48) * 10 + buf[at + 2]! - 48;
}

/** The columns in front of the name of the event take no more bytes than that. */
const REACH = 160;
const TAB = 9;

/**
 * `[VM: N] [VCPU:NNN] comm tid | pid/tid [cpu] [flags] time: [period] system:event: `. The name of a task may hold blanks, and a number at its end:
 * `CPU 0/KVM  699876`. Without -F comm or tid the line begins with what is left.
 */
const HEAD =
  /^\s*(?:VM:\s*\d+ )?(?:VCPU:\d+ )?\s*(?:(?<comm>\S.*?)? +(?<pid>-?\d+)(?:\/(?<tid>-?\d+))? *)?\[(?<cpu>\d+)\] +(?:[.a-zA-Z\d]{3,9} +)?(?<time>\d+\.\d{6}(?:\d{3})?): +(?:\d+ +)?(?<system>[\w-]+):(?=\w+:)/;
/** The head of a record of another kind: perf itself lost samples. */
const LOST = /\[(\d+)\] +\d+\.\d+: PERF_RECORD_LOST(?:_SAMPLES)? lost (\d+)/;
const OTHER_RECORD = /: PERF_RECORD_\w+/;
/** A line of a call chain: address, symbol, module; -F leaves the last ones out. */
const CHAIN = /^\s+[\da-f]{8,16}(?: .*)?$/;
/** What stands behind the address, where the symbol is one word. */
const CHAIN_TEXT = /^(?: [\w.$<>@~[\]]+(?:\+0x[\da-f]+)?(?: \([^\s()]*\))?)?$/;

/** The head of a record, read in place. */
export class PerfHead extends RecordHead {
  #task = '';
  /** Beginnings of heads, up to the bracket behind the CPU, and what they say: records are in the order of their times, and CPUs take turns. */
  readonly #known = places(() => ({ same: new Beginning(), task: '', cpu: -1 }));

  override setTask(out: TraceBuilder): void {
    if (this.#task !== '') out.setTaskText(this.#task);
  }

  override normal(buf: Uint8Array, start: number, end: number): boolean {
    // What the form captures in front of the bracket does not depend on what stands behind it.
    const known = this.#known[placeOf(buf, start, end)]!;
    const { same } = known;
    if (same.isAt(buf, start, end) && this.#behindCpu(buf, start + same.length, Math.min(end, start + REACH))) {
      this.#task = known.task;
      this.cpu = known.cpu;
      return true;
    }
    const m = HEAD.exec(textOf(buf, start, Math.min(end, start + REACH)));
    if (m === null) return false;
    const { comm, pid, tid, cpu, time } = m.groups!;
    const [whole, fraction] = time!.split('.') as [string, string];
    // Records of ftrace name a task like this, so that a thread has the same name in both.
    this.#task = pid === undefined ? '' : `${comm ?? ''}-${tid ?? pid}`;
    this.cpu = Number(cpu);
    this.seconds = Number(whole);
    this.digits = fraction.length;
    this.nano = Number(fraction) * (this.digits === 6 ? 1000 : 1);
    this.payload = start + m[0].length;
    // No bracket stands behind that of the CPU.
    const behind = m[0].lastIndexOf('[') + cpu!.length + 2;
    // Without a name in front, brackets farther behind are looked at first. In plain text, characters have the places of their bytes.
    if (comm !== undefined && PLAIN.test(m[0].slice(0, behind))) {
      same.keep(buf, start, start + behind);
      known.task = this.#task;
      known.cpu = this.cpu;
    }
    return true;
  }

  /** Reads what HEAD reads behind the CPU: ` [flags] time: [period] system:`; false where anything else stands there, in which nothing happened. */
  #behindCpu(buf: Uint8Array, from: number, end: number): boolean {
    let at = blanksEnd(buf, from, end);
    if (at === from) return false;
    const word = at;
    while (at < end && isFlag(buf[at]!)) at++;
    if (at - word >= 3 && at - word <= 9 && buf[at] === SPACE) at = blanksEnd(buf, at, end);
    else at = word;
    const first = at;
    let seconds = 0;
    while (at < end && at - first <= MOST_SECONDS && isDigit(buf[at])) seconds = seconds * 10 + buf[at++]! - 48;
    if (at === first || at - first > MOST_SECONDS || buf[at] !== DOT) return false;
    let nano = sixDigits(buf, at + 1) * 1000;
    let stop = at + 7;
    if (isDigit(buf[stop])) {
      const more = threeDigits(buf, stop);
      if (more < 0) return false;
      nano += more;
      stop += 3;
    }
    if (nano < 0 || stop >= end || buf[stop] !== COLON) return false;
    let system = blanksEnd(buf, stop + 1, end);
    if (system === stop + 1) return false;
    const period = digitsEnd(buf, system, end);
    if (period > system && buf[period] === SPACE) system = blanksEnd(buf, period, end);
    let name = system;
    while (name < end && (isNameByte(buf[name]!) || buf[name] === MINUS)) name++;
    if (name === system || buf[name] !== COLON) return false;
    let nameEnd = name + 1;
    while (nameEnd < end && isNameByte(buf[nameEnd]!)) nameEnd++;
    if (nameEnd === name + 1 || nameEnd >= end || buf[nameEnd] !== COLON) return false;
    this.seconds = seconds;
    this.digits = stop - at - 1;
    this.nano = nano;
    this.payload = name + 1;
    return true;
  }

  override latency(): boolean {
    return false;
  }

  override bare(): boolean {
    return false;
  }

  override glued(): boolean {
    return false;
  }
}

/** Lines of `perf script --header` (tools/perf/util/header.c, perf_header__fprintf_info and the features that print one value). */
const HEADER =
  /^# (?:captured on|header version|data offset|data size|feat offset|hostname|os release|perf version|arch|nrcpus online|nrcpus avail|cpudesc|cpuid|total memory|cmdline) *: /;

/** Whether a line may begin a record: digits in brackets, a time, and a name of two parts. */
function native(buf: Uint8Array, start: number): boolean {
  // Lines of call chains begin with one.
  if (buf[start] === TAB) return false;
  const stop = start + REACH;
  let at = start;
  while (at < stop && !(buf[at] === 91 && isDigit(buf[at + 1]))) at++;
  while (at < stop && buf[at] !== COLON) at++;
  if (at >= stop || !isDigit(buf[at - 1]) || buf[at + 1] !== SPACE) return false;
  at++;
  while (buf[at] === SPACE) at++;
  while (isNameByte(buf[at]!) || buf[at] === 45) at++;
  return buf[at] === COLON || buf[at] === SPACE;
}

/** What a line between records says. */
function note(line: string): Loss | string | undefined {
  const lost = LOST.exec(line);
  if (lost) return { cpu: Number(lost[1]), count: lost[2] };
  if (OTHER_RECORD.test(line)) return 'record of perf';
  if (HEADER.test(line)) return 'header';
  return CHAIN.test(line) ? 'stack trace' : undefined;
}

/** A line of a call chain, told from its bytes. */
function beside(buf: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  while (at < end && (buf[at] === TAB || buf[at] === SPACE)) at++;
  const address = at;
  while (at < end && hexDigit(buf[at]) >= 0) at++;
  const digits = at - address;
  if (address === start || digits < 8 || digits > 16) return undefined;
  return CHAIN_TEXT.test(textOf(buf, at, end)) ? 'stack trace' : undefined;
}

const PERF: Dialect = { format: 'perf-script', head: () => new PerfHead(), native, note, beside };

/** Reads what perf script prints. */
export class PerfImporter extends FtraceImporter {
  constructor(out: TraceBuilder) {
    super(out, PERF);
  }
}

export { native as isPerfRecord };
