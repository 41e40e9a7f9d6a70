/**
 * QEMU's log of trace events (`-trace … -D file`, log backend), with or without `-msg timestamp=on`.
 * Source of the format: scripts/tracetool/backend/log.py and util/log.c of QEMU; the events are in its trace-events files.
 * What the log cannot tell: which thread is which before it prints a CPU; the size of a config access without the memory
 * access beside it; the function behind `msix_write_config` other than by the config write before it.
 */
import { AT, COLON, DOT, isDigit, SPACE, sixDigits, textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { Beginning } from '../beginning.ts';
import {
  BROKEN,
  FOREIGN,
  type Form,
  NO_RECORD,
  type Outcome,
  PART_OF_RECORD,
  type RecordReader,
  TAKEN,
  UNKNOWN_RECORD,
  WHOLE_RECORD,
} from '../importer.ts';
import type { Block } from '../lines.ts';
import { Dispatcher } from '../rules.ts';
import { Qemu } from './context.ts';
import { interruptLine, isInterruptLine } from './dint.ts';
import { events } from './events.ts';
import { Iso8601 } from './iso.ts';
import { sendRest } from './send.ts';
import { textLine } from './text.ts';

const names = events.table;

/** Names of QEMU's trace events that become events of the model. */
export const QEMU_EVENTS: readonly string[] = [...new Set(events.rules.map(({ name }) => name))].sort();

/** Kinds of stamps: none, the thread and the time, or the time of day of `-msg timestamp=on`. */
const UNSTAMPED = 0;
const THREAD = 1;
const ISO = 2;

const NANO = 1_000_000_000;
/** Nanoseconds of the last digit of a fraction with so many digits. */
const NANOS = Float64Array.from({ length: 10 }, (_, places) => 10 ** (9 - places));

/** Digits of the fraction that QEMU prints. */
const MICROS = 6;

/** Digits of a run of digits as a number, from `start`; `digitsEnd` tells where the run ends. */
let digitsEnd = 0;
function digits(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  let value = 0;
  while (at < end && isDigit(buf[at])) value = value * 10 + buf[at++]! - 48;
  digitsEnd = at;
  return value;
}

export class QemuImporter implements RecordReader {
  readonly #out: TraceBuilder;
  readonly #q: Qemu;
  readonly #dispatcher: Dispatcher<Qemu>;
  readonly #iso8601 = new Iso8601();
  /** Which kinds of stamp were seen, by their number. */
  readonly #seenPrefix = new Uint8Array(3);
  #base = -1;
  #fraction = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** Records whose stamp is more than a second older than that of the record before. */
  #backwards = 0;
  /** The record that `find` looked at last: its bytes, stamp and name. */
  #buf: Uint8Array = new Uint8Array(0);
  #lineStart = 0;
  #prefix: typeof UNSTAMPED | typeof THREAD | typeof ISO = UNSTAMPED;
  #seconds = 0;
  #nano = 0;
  #places = 0;
  #thread = 0;
  #tidEnd = 0;
  /** The beginning of the last stamp, up to the point in its seconds, and what it says. */
  readonly #same = new Beginning();
  #sameSeconds = 0;
  #sameThread = 0;
  #sameTid = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #id = -1;
  /** For each event, by its number plus one, the event that came behind it last. */
  readonly #behind = new Int16Array(events.names.length + 1);
  evidence = 0;
  stamp = Number.NaN;

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#q = new Qemu(out);
    this.#dispatcher = new Dispatcher(this.#q, events);
    out.source.format = 'qemu-log';
  }

  line(buf: Uint8Array, start: number, end: number): Outcome {
    if (!this.#find(buf, start, end, true)) return FOREIGN;
    return this.#take(end) ? TAKEN : BROKEN;
  }

  block(block: Block): Outcome {
    const out = this.#out;
    const q = this.#q;
    const { buf } = block;
    while (block.next()) {
      const found = this.#find(buf, block.start, block.end, true);
      if (found && this.#prefix !== UNSTAMPED && events.isQuiet(this.#id) && this.#seconds <= Number.MAX_SAFE_INTEGER) {
        // Most records of an unfiltered log. They say when they were printed, and by which thread.
        out.saw(this.#time());
        this.#seenPrefix[this.#prefix] = 1;
        q.onThread(this.#thread);
        q.thread.records++;
        this.#dispatcher.takeQuiet(this.#id);
        continue;
      }
      out.begin(block.line, block.offset);
      if (!found) return FOREIGN;
      if (!this.#take(block.end)) return BROKEN;
    }
    return TAKEN;
  }

  form(buf: Uint8Array, start: number, end: number): Form {
    this.evidence = 0;
    this.stamp = Number.NaN;
    if (!this.#find(buf, start, end, false)) return isInterruptLine(buf, start, end) ? WHOLE_RECORD : NO_RECORD;
    if (this.#prefix !== UNSTAMPED) this.stamp = this.#seconds + this.#nano / NANO;
    if (this.#nameEnd === this.#nameStart) return this.#prefix === THREAD ? UNKNOWN_RECORD : NO_RECORD;
    if (this.#id < 0) return UNKNOWN_RECORD;
    this.#q.buf = buf;
    this.evidence = this.#dispatcher.reads(this.#id, Math.min(end, this.#nameEnd + 1), end);
    // Many events without effect have no arguments at all.
    return this.evidence > 0 || events.isQuiet(this.#id) ? WHOLE_RECORD : PART_OF_RECORD;
  }

  record(buf: Uint8Array, start: number, end: number, open: boolean): boolean {
    const out = this.#out;
    if (!this.#find(buf, start, end, false)) {
      this.#q.buf = buf;
      if (interruptLine(this.#q, start, end) === true) out.understood();
      else out.withoutEffect('-d int');
      return false;
    }
    if (open && this.#id < 0 && this.#nameEnd === end) {
      out.skipped('cut off at the end of the file');
      return false;
    }
    if (this.#take(end)) return false;
    if (this.#id >= 0) return this.#dispatcher.takeHead(this.#id, Math.min(end, this.#nameEnd + 1), end, open);
    out.skipped(open ? 'cut off at the end of the file' : 'no event name behind the stamp');
    return false;
  }

  note(buf: Uint8Array, start: number, end: number): string | undefined {
    this.#q.buf = buf;
    return textLine(this.#q, start, end) ? 'message' : undefined;
  }

  /**
   * Finds stamp and name of a record, without any effect. A line without a stamp, or with one that other programs print
   * too, is a record only when it names a known event. `native`: exactly as QEMU prints it.
   */
  #find(buf: Uint8Array, start: number, end: number, native: boolean): boolean {
    this.#buf = buf;
    this.#lineStart = start;
    let at = this.#readPrefix(buf, start, end);
    if (at < 0) return false;
    this.#nameStart = at;
    const before = this.#id + 1;
    const guess = this.#behind[before]!;
    const guessed = names.isAt(guess, buf, at, end);
    if (guessed > 0 && (guessed === end || buf[guessed] === SPACE)) {
      this.#nameEnd = guessed;
      this.#id = guess;
      return true;
    }
    const id = names.read(buf, at, end);
    at = names.end;
    const named = at > this.#nameStart && (at === end || buf[at] === SPACE);
    this.#id = named ? id : -1;
    this.#nameEnd = named ? at : this.#nameStart;
    if (this.#id >= 0) {
      this.#behind[before] = this.#id;
      return true;
    }
    if (this.#prefix === THREAD) return !native || named;
    const seen = this.#seenPrefix;
    const fits =
      seen[this.#prefix] === 1 || !native ? this.#prefix === ISO || (seen[THREAD] === 0 && seen[ISO] === 0) : false;
    return named && fits && this.#looksLikeEvent();
  }

  /** Reads the record that `find` found, counts it; false when it has no event name, or arguments of no known form. */
  #take(end: number): boolean {
    const buf = this.#buf;
    const out = this.#out;
    const q = this.#q;
    q.buf = buf;
    if (this.#seconds > Number.MAX_SAFE_INTEGER) {
      out.skipped('a stamp that is no time');
      return true;
    }
    if (this.#prefix === UNSTAMPED) {
      this.#seenPrefix[UNSTAMPED] = 1;
      q.onThread(0);
    } else {
      out.time = this.#time();
      this.#seenPrefix[this.#prefix] = 1;
      q.onThread(this.#thread);
      if (this.#prefix === THREAD) out.setTask(buf, this.#lineStart, this.#tidEnd);
    }
    q.thread.records++;
    if (this.#id >= 0) return this.#dispatcher.take(this.#id, Math.min(end, this.#nameEnd + 1), end);
    if (this.#nameEnd === this.#nameStart) return false;
    out.unknown(textOf(buf, this.#nameStart, Math.min(this.#nameEnd, this.#nameStart + 100)));
    return true;
  }

  end(): void {
    sendRest(this.#q);
  }

  settle(): void {
    this.#dispatcher.settle();
    const [none, thread, iso] = this.#seenPrefix;
    const forms = [
      thread ? 'thread id and time stamp' : '',
      iso ? 'ISO 8601 time stamp' : '',
      none ? 'no time stamps' : '',
      this.#backwards > 0 ? `${this.#backwards} times a stamp more than a second older than the one before` : '',
    ];
    this.#out.source.variant = forms.filter((f) => f !== '').join(', ') || 'no records';
    this.#out.source.clock = thread || iso ? 'realtime' : 'none';
    const vcpus = this.#out.world.find('vcpu')?.children.size ?? 0;
    this.#out.source.cpus = vcpus;
  }

  /** Whether the name has the form of an event's: lower case, with an underscore. */
  #looksLikeEvent(): boolean {
    const buf = this.#buf;
    let underscores = 0;
    for (let i = this.#nameStart; i < this.#nameEnd; i++) {
      if (buf[i] === 95) underscores++;
      else if (buf[i]! >= 65 && buf[i]! <= 90) return false;
    }
    return underscores > 0 && !isDigit(buf[this.#nameStart]);
  }

  /** Reads `TID@SEC.USEC:` as of the record before, from another microsecond of the same second on the same thread; returns where the name starts, or -1. */
  #sameSecond(buf: Uint8Array, start: number, end: number): number {
    const at = start + this.#same.length;
    if (at + MICROS >= end || buf[at + MICROS] !== COLON || !this.#same.isAt(buf, start, end)) return -1;
    const micros = sixDigits(buf, at);
    if (micros < 0) return -1;
    this.#prefix = THREAD;
    this.#seconds = this.#sameSeconds;
    this.#thread = this.#sameThread;
    this.#tidEnd = start + this.#sameTid;
    this.#places = MICROS;
    this.#nano = micros * 1000;
    return at + MICROS + 1;
  }

  /** Keeps what `sameSecond` compares: bytes `start` to `end`, with the point. */
  #keepSecond(buf: Uint8Array, start: number, end: number): void {
    this.#same.keep(buf, start, end);
    this.#sameSeconds = this.#seconds;
    this.#sameThread = this.#thread;
    this.#sameTid = this.#tidEnd - start;
  }

  /** Reads `TID@SEC.USEC:` or an ISO 8601 time and a blank; returns where the event name starts, or -1. */
  #readPrefix(buf: Uint8Array, start: number, end: number): number {
    const same = this.#sameSecond(buf, start, end);
    if (same >= 0) return same;
    this.#prefix = UNSTAMPED;
    this.#seconds = 0;
    if (!isDigit(buf[start])) return start;
    const first = digits(buf, start, end);
    const tidEnd = digitsEnd;
    let at = tidEnd;
    if (buf[at] === AT) {
      const seconds = digits(buf, at + 1, end);
      if (digitsEnd === at + 1 || buf[digitsEnd] !== DOT) return -1;
      at = digitsEnd + 1;
      const fraction = digits(buf, at, end);
      const places = digitsEnd - at;
      if (places === 0 || places > 9 || buf[digitsEnd] !== COLON) return -1;
      this.#seconds = seconds;
      this.#places = places;
      this.#nano = fraction * NANOS[places]!;
      this.#thread = first;
      this.#tidEnd = tidEnd;
      this.#prefix = THREAD;
      const name = digitsEnd + 1;
      this.#keepSecond(buf, start, at);
      return name;
    }
    return at - start === 4 && buf[at] === 45 ? this.#iso(buf, start, end) : -1;
  }

  #iso(buf: Uint8Array, start: number, end: number): number {
    const whole = this.#iso8601.read(buf, start, end);
    if (whole < 0) return -1;
    this.#seconds = whole;
    this.#places = this.#iso8601.places;
    this.#nano = this.#iso8601.fraction * NANOS[this.#places]!;
    this.#thread = 0;
    this.#prefix = ISO;
    return Math.min(this.#iso8601.end + 1, end);
  }

  /** The time of the record at hand. */
  #time(): number {
    const meta = this.#out.source;
    if (this.#base < 0) {
      this.#base = this.#seconds;
      meta.time = { base: BigInt(this.#seconds), ticks: false, digits: this.#places };
    }
    if (this.#places > this.#fraction) {
      this.#fraction = this.#places;
      meta.time = { ...meta.time, digits: this.#places };
    }
    const time = (this.#seconds - this.#base) * NANO + this.#nano;
    // Threads print a little out of order; pieces of logs in a wrong order, and clocks that are set, go back farther.
    if (time < this.#last - NANO) this.#backwards++;
    this.#last = time;
    return time;
  }
}
