/**
 * The log of a kernel: what dmesg, journalctl -k, /dev/kmsg, netconsole and a serial console show. A record is a line that tells of an
 * interrupt; the others are lines of the log. What the log cannot tell: the processor on which something happened, unless the message says
 * so; with the stamps of `dmesg -T` and of syslog, the clock of the kernel.
 */
import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  bytesOf,
  DOT,
  isDigit,
  LESS,
  SPACE,
  sixDigits,
  textOf,
} from '../../base/bytes.ts';
import { lost } from '../../model/events/notes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { isEventName } from '../event-names.ts';
import {
  FOREIGN,
  type Form,
  NO_RECORD,
  type Outcome,
  PART_OF_RECORD,
  type RecordReader,
  TAKEN,
  WHOLE_RECORD,
} from '../importer.ts';
import type { Block } from '../lines.ts';
import { keepLogLine, keepsLogLines } from '../log-lines.ts';
import { RuleContext } from '../rules.ts';
import type { Heard } from '../text/headings.ts';
import { type Bare, isMessage } from './bare.ts';
import { type Clock, type Head, hasHead, headOf } from './head.ts';
import { fieldOf, journalLine } from './journal.ts';
import { KernelLog } from './log.ts';
import { type Found, messageIn, takeMessage } from './messages.ts';
import { isSilent } from './silent.ts';

/** Bytes of a line that are looked at. */
const MOST = 2000;
const NANO = 1e9;

/** Beginnings of messages of which the rest is missing: a mail program broke the line, or the file ends there. */
const BEGINNING =
  /INTR-REMAP\] Request device\b|\[DMA (?:Read|Write)\b[^\]]*\] ?Request device\b|Event logged \[[A-Z]|^irq \d+: nobody\b|^nvme \S+: I\/O (?:tag )?\d+\b.*\bQID$/;
/** Lines that the kernel or a logger left out. */
const SUPPRESSED =
  /\b(\d+) (?:callbacks|output lines) suppressed\b|\b(\d+) printk messages dropped\b|^(?:systemd-journald\S* )?Missed (\d+) kernel messages|^(?:last )?message repeated (\d+) times/;
/** A dump of the ring buffer of ftrace stands in the log (ftrace_dump): its records are those of another format. */
const TRACE_RECORD =
  /-\d+ +(?:\( *[\d-]+\) +)?\[\d{3,}\] |-\d+ +\d+[^\s\d]\S{2,8} +\d+us|\d\.\d{6}: +\w+: |^\w+@\d+\.\d+:/;
/** Words in plain characters. */
const PROSE = /^[A-Za-z][ -~]*$/;
/** A word that may be the name of an event. */
const NAME = /[a-z]\w*_\w+/g;
/** What records of other formats hold, besides names of events: stamps of QEMU, CPUs in brackets, flags of lspci, hexadecimal bytes, entities and escapes. */
const FOREIGN_TEXT =
  /@|\[\d+\](?:[ -]|$)|[+-](?:[ ,]|$)|-\d+ +\d|&\w|\\|"|: *$|^CPU\d|^\w+: +\d|: {2}|^(?:IR table|Servicing|SMI:) /;
const KERNEL_LOG = 'kernel log';

/** Whether a word of a text is the name of an event of another format. */
const namesEvent = (plain: string): boolean =>
  plain.includes('_') &&
  (plain.match(NAME) ?? []).some((name) => {
    const bytes = bytesOf(name);
    return isEventName(bytes, 0, bytes.length);
  });

/** Boots begin with it. */
const BOOT = /^Linux version \d+\.\d/;

const CLOCKS: Readonly<Record<Clock, string>> = {
  boot: 'boot',
  wall: 'wall',
  year: 'wall, without the year',
  first: 'since the first line',
};

/** What a line says. */
interface Line {
  readonly head: Head;
  readonly plain: string;
  /** The message that it is; undefined for one that tells of no interrupt. */
  readonly found: Found | undefined;
}

export class DmesgReader implements RecordReader {
  readonly #out: TraceBuilder;
  readonly #c: RuleContext;
  readonly #log: KernelLog;
  evidence = 0;
  stamp = Number.NaN;
  /** The lines have nothing in front. */
  #bare: Bare | undefined;
  /** What the stamps count from; that of the first line with one. */
  #clock: Clock | undefined;
  #base = 0;
  #digits = 0;
  /** Time of the line before, in seconds and nanoseconds since the base; for stamps that are differences. */
  #last = 0;
  /** First and last stamp of all lines, and how many lines of a log were seen. */
  #first = Number.NaN;
  #end = Number.NaN;
  #backwards = 0;
  #boots = 0;
  #lines = 0;
  #sequence = -1;
  #lost = 0;
  /** The text that was looked at last, and the line that it is. */
  #text: string | undefined;
  #known: Line | undefined;
  /** The stamp of the entry of a journal at hand, whose fields stand on lines of their own. */
  #entry: Head = { at: 0 };

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#c = new RuleContext(out);
    this.#log = new KernelLog(this.#c, true);
    out.source.format = 'dmesg';
  }

  /** Lines of a kernel log that were seen, those that tell of no interrupt, too. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether a line is one of a kernel log, whatever it says. */
  isLine(buf: Uint8Array, start: number, end: number): boolean {
    return this.#read(buf, start, end) !== undefined;
  }

  line(buf: Uint8Array, start: number, end: number): Outcome {
    const line = this.#read(buf, start, end);
    if (line?.found === undefined) return FOREIGN;
    this.#take(line, line.found);
    return TAKEN;
  }

  form(buf: Uint8Array, start: number, end: number): Form {
    const line = this.#read(buf, start, end);
    this.evidence = 0;
    this.stamp = Number.NaN;
    if (line === undefined) return NO_RECORD;
    const { found } = line;
    if (found === undefined) return BEGINNING.test(line.plain) ? PART_OF_RECORD : NO_RECORD;
    this.evidence = 1 + found.captures.filter((text) => text !== undefined && text !== '').length;
    const { clock, seconds, nano } = line.head;
    // Only stamps of one clock can tell that another excerpt begins.
    if (clock === 'boot' && seconds !== undefined) this.stamp = seconds + nano! / NANO;
    return WHOLE_RECORD;
  }

  record(buf: Uint8Array, start: number, end: number, open: boolean): boolean {
    const line = this.#read(buf, start, end);
    if (line?.found !== undefined) this.#take(line, line.found);
    else {
      if (line !== undefined) this.#time(line.head);
      this.#out.skipped(open ? 'cut off at the end of the file' : 'a message that is not as the kernel prints it');
    }
    return false;
  }

  note(buf: Uint8Array, start: number, end: number): string | undefined {
    const text = textOf(buf, start, Math.min(end, start + MOST));
    const field = fieldOf(text, this.#entry);
    if (field !== undefined) {
      this.#entry = field;
      this.#text = undefined;
      return 'journal field';
    }
    if (this.#lines > 0 && this.#sequence >= 0 && /^ [A-Z_]+=/.test(text)) return 'continuation';
    const line = this.#read(buf, start, end);
    if (line === undefined || (this.#bare !== undefined && text.trim() === '')) return undefined;
    this.#time(line.head);
    this.#keep(line);
    this.#lines++;
    if (BOOT.test(line.plain)) this.#boots++;
    const left = SUPPRESSED.exec(line.plain);
    if (left === null) return KERNEL_LOG;
    this.#loss(Number(left.slice(1).find((n) => n !== undefined)));
    return 'loss marker';
  }

  /** A line of the kernel that tells of no interrupt, and that no other format has, whatever a program printed into the log. */
  beside(buf: Uint8Array, start: number, end: number): string | undefined {
    if (buf[start] !== BRACKET_OPEN && buf[start] !== LESS) return undefined;
    const line = this.#read(buf, start, end);
    if (line === undefined || line.found !== undefined || line.head.clock !== 'boot') return undefined;
    const only =
      end - start < MOST && PROSE.test(line.plain) && !FOREIGN_TEXT.test(line.plain) && !namesEvent(line.plain);
    return only && !BEGINNING.test(line.plain) ? this.note(buf, start, end) : undefined;
  }

  block(block: Block): Outcome {
    const out = this.#out;
    while (block.next()) {
      const { buf, start, end } = block;
      out.begin(block.line, block.offset);
      if (this.#saysNothing(buf, start, end)) continue;
      const outcome = this.line(buf, start, end);
      if (outcome !== TAKEN) return outcome;
    }
    return TAKEN;
  }

  /** Takes a line with a stamp of the kernel of which the bytes show that it says nothing: what `beside` does, in less time. */
  #saysNothing(buf: Uint8Array, start: number, end: number): boolean {
    if (end - start >= MOST || buf[start] !== BRACKET_OPEN) return false;
    let at = start + 1;
    while (at < end && buf[at] === SPACE) at++;
    const first = at;
    let seconds = 0;
    while (at < end && isDigit(buf[at])) seconds = seconds * 10 + buf[at++]! - 48;
    if (at === first || at - first > 10 || buf[at] !== DOT) return false;
    const micros = sixDigits(buf, at + 1);
    if (micros < 0 || at + 9 >= end || buf[at + 7] !== BRACKET_CLOSE || buf[at + 8] !== SPACE) return false;
    if (!isSilent(buf, at + 9, end, isEventName)) return false;
    const head: Head = { at: at + 9 - start, clock: 'boot', seconds, nano: micros * 1000, digits: 6 };
    this.#time(head);
    if (keepsLogLines(this.#out)) this.#keep({ head, plain: textOf(buf, at + 9, end).trimEnd() });
    this.#lines++;
    this.#out.other(KERNEL_LOG);
    return true;
  }

  hear({ kernelLog }: Heard): void {
    this.#bare = kernelLog ?? this.#bare;
    this.#text = undefined;
  }

  follow(before: DmesgReader): void {
    this.#bare = before.#bare;
    this.#first = before.#first;
    this.#end = before.#end;
    this.#clock = before.#clock;
    this.#base = before.#base;
    this.#digits = before.#digits;
    this.#boots = before.#boots;
    this.#lines = before.#lines;
    this.#entry = before.#entry;
    this.#setClock();
  }

  settle(): void {
    const { source, accounting } = this.#out;
    accounting.lost = this.#lost;
    if (!Number.isNaN(this.#first)) {
      source.start = this.#first;
      source.end = this.#end;
    }
    source.clock = this.#clock === undefined ? 'none' : CLOCKS[this.#clock];
    source.variant = [
      this.#boots > 1 ? `${this.#boots} boots` : '',
      this.#backwards > 0 ? `${this.#backwards} stamps older than the one before` : '',
    ]
      .filter((part) => part !== '')
      .join(', ');
  }

  /** A line of a kernel log; undefined when it is none. It is asked for several times: as the next record, as one behind a prefix, as text. */
  #read(buf: Uint8Array, start: number, end: number): Line | undefined {
    const text = textOf(buf, start, Math.min(end, start + MOST));
    if (text === this.#text) return this.#known;
    this.#text = text;
    const line = this.#parse(text, () => textOf(buf, start, end));
    const trace = line !== undefined && TRACE_RECORD.test(line.plain);
    this.#known = line && { ...line, found: trace ? undefined : messageIn(this.#log, line.plain, 'all') };
    return this.#known;
  }

  #parse(text: string, whole: () => string): Omit<Line, 'found'> | undefined {
    // A record of a journal may be as long as it likes.
    const journal = journalLine(text, this.#entry, whole);
    if (journal !== undefined) {
      const inner = headOf(journal.message);
      const head = inner.clock === 'boot' ? inner : { ...journal.head, at: inner.at };
      return { head, plain: journal.message.slice(inner.at).trimEnd() };
    }
    const head = headOf(text);
    const stands = this.#bare === 'log' || (this.#bare === 'messages' && isMessage(this.#log, text));
    return hasHead(head) || stands ? { head, plain: text.slice(head.at).trimEnd() } : undefined;
  }

  #take({ head, plain }: Line, found: Found): void {
    const out = this.#out;
    this.#time(head);
    const taken = this.#keep({ head, plain });
    this.#lines++;
    out.cpu = head.cpu ?? -1;
    if (head.thread !== undefined) out.setTaskText(String(head.thread));
    const before = out.emitted;
    takeMessage(this.#log, found, plain, plain);
    taken?.();
    this.#text = undefined;
    if (out.emitted > before) out.understood();
    else out.withoutEffect('part of a message');
  }

  /** Sets the time of the line at hand. */
  #time(head: Head): void {
    const out = this.#out;
    const { clock, seconds = 0, nano = 0, digits = 0, since, sequence } = head;
    if (sequence !== undefined) {
      if (this.#sequence >= 0 && sequence > this.#sequence + 1) this.#loss(sequence - this.#sequence - 1);
      this.#sequence = sequence;
    }
    if (clock === undefined) return;
    if (this.#clock === undefined) {
      this.#clock = clock;
      this.#base = since === undefined ? seconds : 0;
      this.#digits = digits;
      this.#setClock();
    }
    // A line of another clock has a time that cannot be compared.
    if (clock !== this.#clock || !Number.isSafeInteger(seconds)) return;
    if (digits > this.#digits) {
      this.#digits = digits;
      this.#setClock();
    }
    const own = (seconds - this.#base) * NANO + nano;
    const time =
      since !== undefined ? this.#last + Math.round(since * NANO) : clock === 'first' ? Math.max(own, this.#last) : own;
    if (time < this.#last) this.#backwards++;
    this.#last = time;
    if (!(this.#first <= time)) this.#first = time;
    if (!(this.#end >= time)) this.#end = time;
    out.time = time;
  }

  #keep({ head, plain }: Omit<Line, 'found'>): (() => void) | undefined {
    return head.clock === 'boot' && this.#clock === 'boot' ? keepLogLine(this.#out, plain) : undefined;
  }

  #setClock(): void {
    if (this.#clock === undefined) return;
    this.#out.source.time = { base: BigInt(this.#base), ticks: false, digits: this.#digits };
  }

  #loss(count: number): void {
    if (!Number.isSafeInteger(count) || count <= 0) return;
    this.#lost += count;
    this.#c.emit(lost.put().count(Math.min(count, 0xffffffff)), this.#c.object('log'));
  }
}

/** Whether a line begins as one of a kernel log does: nothing that must be undone stands in front. */
export function isDmesgLine(buf: Uint8Array, start: number): boolean {
  const first = buf[start];
  if (first === undefined || first === SPACE) return false;
  if (
    first !== BRACKET_OPEN &&
    first !== LESS &&
    first !== CURLY &&
    !isDigit(first) &&
    !(first >= 65 && first <= 90) &&
    !(first >= 97 && first <= 122)
  )
    return false;
  const text = textOf(buf, start, Math.min(buf.length, start + 200));
  return first === CURLY || hasHead(headOf(text));
}

const CURLY = 123;
