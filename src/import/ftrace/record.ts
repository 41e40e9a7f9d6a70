import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DOT,
  isDigit,
  MINUS,
  PAREN_CLOSE,
  PAREN_OPEN,
  SPACE,
  sixDigits,
  textOf,
} from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { Beginning } from '../beginning.ts';
import { isNameByte } from '../names.ts';

/** Most bytes of a task's name (TASK_COMM_LEN in include/linux/sched.h, less the NUL). */
const LONGEST_COMM = 15;

/** Digits that the kernel prints of the number of a CPU, at least (`%03d`). */
const CPU_DIGITS = 3;

/** A time of a record, somewhere. */
const SECONDS = /\d\.\d{6}(?:\d{3})?: /;

/** See RecordHead.bare. */
const BARE =
  /^\s*(?:(?<comm>\S.{0,15}?)-(?<pid>\d+) +(?<glued>\d+)[^\s\d]\S{2,8} +|(?<cut>[^[\]]{1,24}? +)?\[(?<cpu>\d+)\] +(?:\S{3,9} +)?|\d*\] +(?:\S{3,9} +)?|\S{1,9} +)?(?<time>\d+\.(?:\d{6}|\d{9})): +(?<name>\w+):(?=\s|$)/;

/** The head of a record line, read in place: byte positions of its parts. */
export class RecordHead {
  /** Start and end of `comm-pid`. */
  taskStart = 0;
  taskEnd = 0;
  cpu = -1;
  /** Process of the task (TGID column, option record-tgid), or -1. */
  process = -1;
  /** Whole seconds, or the count of a counter clock. */
  seconds = 0;
  /** Fraction of the time in nanoseconds; 0 for counters. */
  nano = 0;
  /** Fraction digits; 0 for counters. */
  digits = 0;
  /** Where the payload begins, after the time and its colon. */
  payload = 0;
  /** Start and end of the flag columns; the same where the line has none. */
  flagsStart = 0;
  flagsEnd = 0;

  /** The beginning of the last head in the normal format, up to the byte behind its CPU column. */
  readonly #same = new Beginning();
  /** What it says: where the task stands in it, the process, and the CPU. */
  #sameTask = 0;
  #sameTaskEnd = 0;
  #sameProcess = -1;
  #sameCpu = 0;
  /** The head that was read last begins like the one before. */
  #again = false;
  /** The builder was told the task of a head that begins like that. */
  #told = false;

  /** Tells who recorded the record that was read last. */
  setTask(out: TraceBuilder, buf: Uint8Array): void {
    if (!this.#again || !this.#told || !out.setTaskAgain()) out.setTask(buf, this.taskStart, this.taskEnd);
    this.#told = true;
  }

  /** Reads the head of a line in the normal format (kernel/trace/trace_output.c trace_print_context). */
  normal(buf: Uint8Array, start: number, end: number): boolean {
    if (this.#begunAgain(buf, start, end)) return true;
    this.#again = false;
    this.#told = false;
    this.#same.forget();
    // A task's name may look like the columns after it; the reading that makes the whole line a head is the right one.
    const first = this.#cpuColumn(buf, start, start, end);
    let open = first;
    while (open >= 0 && !this.#behindCpu(buf, open, end)) open = this.#cpuColumn(buf, start, open + 1, end);
    if (open >= 0 && open === first) this.#keepBeginning(buf, start, open, end);
    return open >= 0;
  }

  /** Reads a head that begins like the one before: most do, for a CPU records several events of a task. */
  #begunAgain(buf: Uint8Array, start: number, end: number): boolean {
    if (!this.#same.isAt(buf, start, end) || !this.#behindColumn(buf, start + this.#same.length - 1, end)) return false;
    this.taskStart = start + this.#sameTask;
    this.taskEnd = start + this.#sameTaskEnd;
    this.process = this.#sameProcess;
    this.cpu = this.#sameCpu;
    this.#again = true;
    return true;
  }

  /** Keeps what `begunAgain` compares: the first CPU column of the line is the right one, and stands at `open`. */
  #keepBeginning(buf: Uint8Array, start: number, open: number, end: number): void {
    const stop = digitsEnd(buf, open + 1) + 2;
    if (stop > end) return;
    this.#same.keep(buf, start, stop);
    this.#sameTask = this.taskStart - start;
    this.#sameTaskEnd = this.taskEnd - start;
    this.#sameProcess = this.process;
    this.#sameCpu = this.cpu;
  }

  /** Reads the part between the CPU column (its `[` is at `open`) and the payload. */
  #behindCpu(buf: Uint8Array, open: number, end: number): boolean {
    let at = open + 1;
    let cpu = 0;
    while (isDigit(buf[at])) cpu = cpu * 10 + buf[at++]! - 48;
    if (!this.#behindColumn(buf, at + 1, end)) return false;
    this.cpu = cpu;
    return true;
  }

  /** Reads the part between the `]` of the CPU column, behind which `from` is, and the payload. */
  #behindColumn(buf: Uint8Array, from: number, end: number): boolean {
    let at = from;
    // trace-cmd report -R prints the flags as `-0x1` right after the bracket.
    if (buf[at] === MINUS) while (at < end && buf[at] !== SPACE) at++;
    while (at < end && buf[at] === SPACE) at++;
    const word = at;
    this.flagsStart = 0;
    this.flagsEnd = 0;
    while (at < end && buf[at] !== SPACE && buf[at] !== COLON) at++;
    if (buf[at] === COLON) {
      // No flag columns (irq-info off): the word is the time.
      if (!this.#time(buf, word, end)) return false;
    } else {
      if (at - word < 3 || at - word > 9) return false;
      this.flagsStart = word;
      this.flagsEnd = at;
      while (at < end && buf[at] === SPACE) at++;
      if (!this.#time(buf, at, end)) return false;
    }
    return true;
  }

  /** Reads the head of a line in the latency format: relative microseconds, CPU and flags glued together. */
  latency(buf: Uint8Array, start: number, end: number): boolean {
    const text = textOf(buf, start, Math.min(end, start + 160));
    const plain = /^\s*(.{1,16}?)-(\d+)\s+(\d+)[^\s\d]\S{2,8}\s+(\d+)us[ +!#*@$]?\s*:(?: |$)/.exec(text);
    if (plain) return this.#take(start, text, plain[1]!, plain[2]!, plain[3]!, Number(plain[4]), plain[0].length);
    const verbose =
      /^\s*(.{1,16}?)\s+(\d+)\s+(\d+)\s+(\d+)\s+([0-9a-f]{8})\s+([0-9a-f]{8})\s+(?:\[[0-9a-f]{8}\]\s+)?(\d+)\.(\d{3})ms \(\+\d+\.\d{3}ms\):(?: |$)/.exec(
        text,
      );
    if (!verbose) return false;
    const micro = Number(verbose[7]) * 1000 + Number(verbose[8]);
    return this.#take(start, text, verbose[1]!, verbose[2]!, verbose[3]!, micro, verbose[0].length);
  }

  /**
   * Reads what is left of a head of which the beginning was cut off: `[cpu] flags time: event`, `[cpu] time: event`, `flags time: event`,
   * `time: event`; and what `trace-cmd report -l` prints, which has CPU and flags glued together in front of seconds. `knows` tells
   * whether a name is that of a known event: nothing else shows that a number with a colon is the time of a record.
   */
  bare(
    buf: Uint8Array,
    start: number,
    end: number,
    knows: (buf: Uint8Array, start: number, end: number) => boolean,
  ): boolean {
    const text = String.fromCharCode(...buf.subarray(start, Math.min(end, start + 120)));
    // Most lines hold no time at all; the form below takes long to find that out.
    const m = SECONDS.test(text) ? BARE.exec(text) : null;
    if (m === null) return false;
    const { comm, pid, glued, cut, cpu, time, name } = m.groups!;
    // A whole task stands there, behind something that is no part of the line.
    if (cut !== undefined && /-\d+ *$/.test(cut)) return false;
    const nameStart = start + m[0].length - (name!.length + 1);
    const whole = glued !== undefined || (cpu?.length === CPU_DIGITS && cut === undefined);
    if (!whole && !knows(buf, nameStart, nameStart + name!.length)) return false;
    this.flagsStart = 0;
    this.flagsEnd = 0;
    this.process = -1;
    this.taskStart = comm === undefined ? start : start + text.indexOf(comm);
    this.taskEnd = comm === undefined ? start : this.taskStart + comm.length + 1 + pid!.length;
    this.cpu = Number(glued ?? cpu ?? -1);
    return this.#time(buf, start + m[0].lastIndexOf(time!), end);
  }

  /**
   * Reads the head of a line of `trace-cmd report -l`, in plain characters: `comm-pid CPU`, flags glued to it, then seconds. The name of the
   * task ends at the first `-` behind which all that follows.
   */
  glued(buf: Uint8Array, start: number, end: number): boolean {
    let first = start;
    while (first < end && buf[first] === SPACE) first++;
    const stop = Math.min(end, first + LONGEST_COMM + 2);
    for (let dash = first + 1; dash < stop; dash++) {
      const byte = buf[dash]!;
      if (byte < SPACE || byte >= 127) return false;
      if (byte === MINUS && this.#gluedAt(buf, dash, end)) {
        this.taskStart = first;
        return true;
      }
    }
    return false;
  }

  /** The same, behind the name of the task; `dash`: where the pid begins. */
  #gluedAt(buf: Uint8Array, dash: number, end: number): boolean {
    const pidEnd = digitsEnd(buf, dash + 1);
    const cpuStart = blanksEnd(buf, pidEnd);
    const cpuEnd = digitsEnd(buf, cpuStart);
    if (pidEnd === dash + 1 || cpuStart === pidEnd || cpuEnd === cpuStart) return false;
    let flagsEnd = cpuEnd;
    while (flagsEnd < end && buf[flagsEnd]! > SPACE && buf[flagsEnd]! < 127) flagsEnd++;
    const flags = flagsEnd - cpuEnd;
    if (flags < 3 || flags > 9) return false;
    const time = blanksEnd(buf, flagsEnd);
    if (time === flagsEnd || !this.#time(buf, time, end) || (this.digits !== 6 && this.digits !== 9)) return false;
    if (buf[this.payload - 1] !== SPACE) return false;
    const name = blanksEnd(buf, this.payload);
    let nameEnd = name;
    while (nameEnd < end && isNameByte(buf[nameEnd]!)) nameEnd++;
    if (nameEnd === name || buf[nameEnd] !== COLON) return false;
    if (nameEnd + 1 < end && buf[nameEnd + 1] !== SPACE) return false;
    this.flagsStart = 0;
    this.flagsEnd = 0;
    this.process = -1;
    this.taskEnd = pidEnd;
    let cpu = 0;
    for (let at = cpuStart; at < cpuEnd; at++) cpu = cpu * 10 + buf[at]! - 48;
    this.cpu = cpu;
    return true;
  }

  #take(start: number, text: string, comm: string, pid: string, cpu: string, micro: number, length: number): boolean {
    this.flagsStart = 0;
    this.flagsEnd = 0;
    this.process = -1;
    const at = text.indexOf(`${comm}-${pid}`);
    this.taskStart = start + Math.max(0, at);
    this.taskEnd = this.taskStart + (at < 0 ? 0 : comm.length + 1 + pid.length);
    this.cpu = Number(cpu);
    this.seconds = Math.floor(micro / 1e6);
    this.nano = (micro % 1e6) * 1000;
    this.digits = 6;
    this.payload = start + length;
    return true;
  }

  /** The position, `from` or later, of `[` of a CPU column: `comm-pid [cpu]` or `comm-pid (tgid) [cpu]`; -1 for none. */
  #cpuColumn(buf: Uint8Array, start: number, from: number, end: number): number {
    // Almost every line: comm in 16 columns, '-', pid in 7 columns, a blank.
    if (
      from === start &&
      buf[start + 25] === BRACKET_OPEN &&
      buf[start] === SPACE &&
      buf[start + 16] === MINUS &&
      isDigit(buf[start + 26])
    ) {
      let at = start + 17;
      while (isDigit(buf[at])) at++;
      const pidEnd = at;
      while (buf[at] === SPACE) at++;
      let close = start + 27;
      while (isDigit(buf[close])) close++;
      if (pidEnd > start + 17 && at === start + 25 && buf[close] === BRACKET_CLOSE && buf[close + 1] === SPACE) {
        let first = start;
        while (buf[first] === SPACE) first++;
        if (!hasGap(buf, first, start + 16)) {
          this.taskStart = first;
          this.taskEnd = pidEnd;
          this.process = -1;
          return start + 25;
        }
      }
    }
    const stop = Math.min(end, start + 120);
    for (let open = from; open < stop; open++) {
      if (buf[open] !== BRACKET_OPEN || !isDigit(buf[open + 1])) continue;
      let close = open + 1;
      while (isDigit(buf[close])) close++;
      if (buf[close] !== BRACKET_CLOSE || (buf[close + 1] !== SPACE && buf[close + 1] !== MINUS)) continue;
      let at = open - 1;
      this.process = -1;
      while (at > start && buf[at] === SPACE) at--;
      if (buf[at] === PAREN_CLOSE) {
        const close = at;
        while (at > start && buf[at] !== PAREN_OPEN) at--;
        this.process = numberIn(buf, at + 1, close);
        at--;
        while (at > start && buf[at] === SPACE) at--;
      }
      const pidEnd = at + 1;
      while (at > start && isDigit(buf[at])) at--;
      if (buf[at] !== MINUS || at + 1 === pidEnd) continue;
      let first = start;
      while (first < at && buf[first] === SPACE) first++;
      if (at - first > LONGEST_COMM || hasGap(buf, first, at)) continue;
      this.taskStart = first;
      this.taskEnd = pidEnd;
      return open;
    }
    return -1;
  }

  #time(buf: Uint8Array, start: number, end: number): boolean {
    let at = start;
    let whole = 0;
    while (isDigit(buf[at])) whole = whole * 10 + buf[at++]! - 48;
    if (at === start) return false;
    this.seconds = whole;
    this.nano = 0;
    this.digits = 0;
    // Almost every time has microseconds.
    const micros = buf[at] === DOT && buf[at + 7] === COLON && at + 7 < end ? sixDigits(buf, at + 1) : -1;
    if (micros >= 0) {
      this.nano = micros * 1000;
      this.digits = 6;
      at += 7;
    } else if (buf[at] === DOT) {
      const first = ++at;
      let fraction = 0;
      while (isDigit(buf[at])) fraction = fraction * 10 + buf[at++]! - 48;
      this.digits = at - first;
      if (this.digits === 0 || this.digits > 9) return false;
      this.nano =
        this.digits === 6 ? fraction * 1000 : this.digits === 9 ? fraction : fraction * 10 ** (9 - this.digits);
    }
    if (buf[at] !== COLON || at >= end) return false;
    at++;
    this.payload = buf[at] === SPACE ? at + 1 : at;
    return true;
  }
}

function digitsEnd(buf: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(buf[at])) at++;
  return at;
}

function blanksEnd(buf: Uint8Array, start: number): number {
  let at = start;
  while (buf[at] === SPACE) at++;
  return at;
}

/** The number that stands between blanks in bytes `start` to `end`; -1 for none (the kernel prints dashes for a process that it does not know). */
function numberIn(buf: Uint8Array, start: number, end: number): number {
  const text = textOf(buf, start, end).trim();
  return /^\d+$/.test(text) ? Number(text) : -1;
}

/** Whether two blanks stand in a row: a name that is not right-aligned has a mark in front of it rather than blanks in it. */
function hasGap(buf: Uint8Array, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) if (buf[at] === SPACE && buf[at - 1] === SPACE) return true;
  return false;
}

/**
 * Whether a line begins as the kernel prints a record: the name of the task right-aligned in 16 columns, `-`, the pid
 * (kernel/trace/trace_output.c, `%16s-%-7d`): a name has at most 15 bytes, so the line begins with a blank. In front of such a line
 * stands nothing that must be undone.
 */
export function isNative(buf: Uint8Array, start: number): boolean {
  return buf[start] === SPACE && buf[start + 16] === MINUS && isDigit(buf[start + 17]);
}
