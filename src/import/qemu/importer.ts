/**
 * QEMU's log of trace events (`-trace … -D file`, log backend), with or without `-msg timestamp=on`.
 * Source of the format: scripts/tracetool/backend/log.py and util/log.c of QEMU; the events are in its trace-events files.
 * What the log cannot tell: which thread is which before it prints a CPU; the size of a config access without the memory
 * access beside it; the function behind `msix_write_config` other than by the config write before it.
 */
import { AT, COLON, DOT, isDigit, SPACE, textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { LineReader } from '../importer.ts';
import { isNameByte } from '../pattern.ts';
import { Dispatcher, RuleSet } from '../rules.ts';
import { Qemu } from './context.ts';
import { interruptLine } from './dint.ts';
import { itsRules } from './its.ts';
import { KNOWN_WITHOUT_EFFECT } from './known.ts';
import { memoryRules } from './memory.ts';
import { modelRules } from './models.ts';
import { pciRules } from './pci.ts';
import { remapRules } from './remap.ts';
import { textLine } from './text.ts';
import { vfioConfigRules } from './vfioconfig.ts';
import { virtRules } from './virt.ts';

const events = new RuleSet<Qemu>(
  [...pciRules, ...vfioConfigRules, ...memoryRules, ...modelRules, ...remapRules, ...itsRules, ...virtRules],
  KNOWN_WITHOUT_EFFECT,
);

/** Whether a name (bytes `start` to `end`) is a trace event that this importer knows. */
export function isKnownEvent(buf: Uint8Array, start: number, end: number): boolean {
  return events.find(buf, start, end) >= 0;
}

const NANO = 1_000_000_000;
/** Nanoseconds of the last digit of a fraction with so many digits. */
const NANOS = Float64Array.from({ length: 10 }, (_, places) => 10 ** (9 - places));

/** Digits of a run of digits as a number, from `start`; `digitsEnd` tells where the run ends. */
let digitsEnd = 0;
function digits(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  let value = 0;
  while (at < end && isDigit(buf[at])) value = value * 10 + buf[at++]! - 48;
  digitsEnd = at;
  return value;
}

export class QemuImporter implements LineReader {
  readonly #out: TraceBuilder;
  readonly #q: Qemu;
  readonly #dispatcher: Dispatcher<Qemu>;
  readonly #seenPrefix = { thread: false, iso: false, none: false };
  #base = -1;
  #fraction = 0;

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#q = new Qemu(out);
    this.#dispatcher = new Dispatcher(this.#q, events);
    out.source.format = 'qemu-log';
  }

  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    let from = start;
    while (from < end && buf[from] === 0) from++;
    if (from === end) {
      out.other(from > start ? 'NUL bytes' : 'blank');
      return;
    }
    let at = this.#prefix(buf, from, end);
    const prefixed = at > from;
    const nameStart = at;
    while (at < end && isNameByte(buf[at]!)) at++;
    const nameEnd = at;
    const isEvent = nameEnd > nameStart && (nameEnd === end || buf[nameEnd] === SPACE);
    const q = this.#q;
    q.buf = buf;
    if (!isEvent || (!prefixed && !this.#looksLikeEvent(buf, nameStart, nameEnd))) {
      if (prefixed && open) out.skipped('cut off at the end of the file');
      else if (prefixed) out.skipped('no event name behind the stamp');
      else this.#text(from, end);
      return;
    }
    if (!prefixed) {
      this.#seenPrefix.none = true;
      q.onThread(0);
    }
    if (cut) {
      out.skipped('line longer than 1 MiB');
      return;
    }
    const id = events.find(buf, nameStart, nameEnd);
    if (id < 0) {
      if (open) out.skipped('cut off at the end of the file');
      else out.unknown(textOf(buf, nameStart, Math.min(nameEnd, nameStart + 100)));
      return;
    }
    this.#dispatcher.take(id, Math.min(end, nameEnd + 1), end, open);
  }

  settle(): void {
    this.#dispatcher.settle();
    const { thread, iso, none } = this.#seenPrefix;
    const forms = [
      thread ? 'thread id and time stamp' : '',
      iso ? 'ISO 8601 time stamp' : '',
      none ? 'no time stamps' : '',
    ];
    this.#out.source.variant = forms.filter((f) => f !== '').join(', ') || 'no records';
    this.#out.source.clock = thread || iso ? 'realtime' : 'none';
    const vcpus = this.#out.world.find('vcpu')?.children.size ?? 0;
    this.#out.source.cpus = vcpus;
  }

  /** Without a stamp a line is a record when its first word is a known event or at least has the form of one. */
  #looksLikeEvent(buf: Uint8Array, start: number, end: number): boolean {
    if (events.find(buf, start, end) >= 0) return true;
    if (this.#seenPrefix.thread || this.#seenPrefix.iso) return false;
    let underscores = 0;
    for (let i = start; i < end; i++) {
      if (buf[i] === 95) underscores++;
      else if (buf[i]! >= 65 && buf[i]! <= 90) return false;
    }
    return underscores > 0 && !isDigit(buf[start]);
  }

  #text(start: number, end: number): void {
    const out = this.#out;
    const taken = interruptLine(this.#q, start, end);
    if (taken === true) out.understood();
    else if (taken === false) out.withoutEffect('-d int');
    else out.other(textLine(this.#q, start, end) ? 'message' : 'text');
  }

  /** Reads `TID@SEC.USEC:` or an ISO 8601 time and a blank; returns where the event name starts. */
  #prefix(buf: Uint8Array, start: number, end: number): number {
    if (!isDigit(buf[start])) return start;
    const first = digits(buf, start, end);
    const tidEnd = digitsEnd;
    let at = tidEnd;
    if (buf[at] === AT) {
      const seconds = digits(buf, at + 1, end);
      if (digitsEnd === at + 1 || buf[digitsEnd] !== DOT) return start;
      at = digitsEnd + 1;
      const fraction = digits(buf, at, end);
      const places = digitsEnd - at;
      if (places === 0 || places > 9 || buf[digitsEnd] !== COLON) return start;
      this.#stamp(seconds, fraction, places);
      this.#q.onThread(first);
      this.#out.setTask(buf, start, tidEnd);
      this.#seenPrefix.thread = true;
      return digitsEnd + 1;
    }
    return at - start === 4 && buf[at] === 45 ? this.#iso(buf, start, end) : start;
  }

  #iso(buf: Uint8Array, start: number, end: number): number {
    let stop = start;
    while (stop < end && buf[stop] !== SPACE) stop++;
    const m = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/.exec(
      textOf(buf, start, stop),
    );
    if (!m) return start;
    const days = daysSinceEpoch(Number(m[1]), Number(m[2]), Number(m[3]));
    const zone =
      m[8] === 'Z' ? 0 : (m[8]![0] === '-' ? -1 : 1) * (Number(m[8]!.slice(1, 3)) * 60 + Number(m[8]!.slice(-2)));
    const seconds = days * 86400 + Number(m[4]) * 3600 + Number(m[5]) * 60 + Number(m[6]) - zone * 60;
    this.#stamp(seconds, Number(m[7] ?? 0), m[7]?.length ?? 0);
    this.#q.onThread(0);
    this.#seenPrefix.iso = true;
    return Math.min(stop + 1, end);
  }

  #stamp(seconds: number, fraction: number, places: number): void {
    const meta = this.#out.source;
    if (this.#base < 0) {
      this.#base = seconds;
      meta.time = { base: BigInt(seconds), ticks: false, digits: places };
    }
    if (places > this.#fraction) {
      this.#fraction = places;
      meta.time = { ...meta.time, digits: places };
    }
    this.#out.time = (seconds - this.#base) * NANO + fraction * NANOS[places]!;
  }
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const yearOfEra = y - era * 400;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}
