/**
 * ftrace text: /sys/kernel/tracing/trace and trace_pipe, dumps on oops, and what trace-cmd report prints in the same form.
 * Source of the format: kernel/trace/trace.c and trace_output.c; the events are in the TP_printk lines of their headers.
 * What the text cannot tell: its clock (only whether it is a counter), what happened on a CPU while it was marked offline
 * (tracepoints do not fire there), and whose virtual machine a KVM event is about; threads tell virtual CPUs apart (vcpus.ts).
 */
import { bytesAt, bytesOf, COLON, EQUALS, HASH, SPACE, textOf, ZERO } from '../../base/bytes.ts';
import { bufferStart } from '../../model/events/notes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { MOST_CPU } from '../../trace/row.ts';
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
import { kernelLine } from '../kernel-lines.ts';
import { isNameByte } from '../names.ts';
import { Dispatcher } from '../rules.ts';
import { Ftrace } from './context.ts';
import { Cpus } from './cpus.ts';
import { events } from './events.ts';
import { isPrintk, takeMark } from './printk.ts';
import { isProbe, takeProbe } from './probes.ts';
import { isNative, RecordHead } from './record.ts';

/** The one event of which blanks at the start belong to the payload. */
const MARK = events.names.indexOf('tracing_mark_write');

const names = events.table;

const knows = (buf: Uint8Array, start: number, end: number): boolean => events.find(buf, start, end) >= 0;

const NANO = 1_000_000_000;
const text = (t: string): Uint8Array => bytesOf(t);
const LATENCY = ' latency trace v';
const TRACER = '# tracer: ';
/** What the function tracer prints, and the line before a stack. */
const WITHOUT_NAME = /^(?:\S+( \[\w+\])? <-\S+|<(user )?stack (trace|unwound))/;
/** Lines of the headers (print_trace_header, print_func_help_header_irq, print_lat_help_header in kernel/trace/trace.c). */
const HEADER =
  /^#(?:$| *$| tracer: | entries-in-buffer|.* latency trace v|.*TASK-PID|.*CMD| *-{3,}| *\|? *(?:[_/|\\]|=>)| latency: | +[|/\\ _-]| WARNING| MAY BE| *[=#]{3,}| +=> )/;
/** Where a header names the kernel: that of a latency tracer (print_trace_header), and that of perf (tools/perf/util/header.c print_osrelease). */
const KERNEL = /^# (?:\S+ latency trace v\S+ on|os release :) (\S+)\s*$/;
const CPU = text('CPU:');
const STARTED = text('##### CPU ');
const CPUS = text('cpus=');
const STACK = text(' => ');

/** Whether a text of trace_printk() stands there whose place of the call is a number. Names of events may begin with a digit too. */
const isNumbered = (buf: Uint8Array, start: number, end: number): boolean =>
  buf[start] === ZERO && isPrintk(buf, start, end);

/** What differs between the texts that print the events of the kernel with their print formats. */
export interface Dialect {
  readonly format: string;
  /** Makes a reader of the heads of records. */
  readonly head: () => RecordHead;
  /** Whether a line begins exactly as the text prints a record. */
  readonly native: (buf: Uint8Array, start: number) => boolean;
  /** What a line says that is no record: a loss on a CPU, or what the line is called. */
  readonly note?: (line: string) => Loss | string | undefined;
  /** See RecordReader. */
  readonly beside?: (buf: Uint8Array, start: number, end: number) => string | undefined;
}

/** Events that the recorder lost. */
export interface Loss {
  /** CPU that lost them, or -1. */
  readonly cpu: number;
  /** How many; undefined where that is not told. */
  readonly count: string | undefined;
}

/** A line of a stack trace, in plain characters. */
const FRAME = /^ => [ -~]+$/;

/** A line of a stack trace, told from its bytes. */
const frame = (buf: Uint8Array, start: number, end: number): string | undefined =>
  bytesAt(buf, start, end, STACK) && FRAME.test(textOf(buf, start, end)) ? 'stack trace' : undefined;

const FTRACE: Dialect = { format: 'ftrace-text', head: () => new RecordHead(), native: isNative, beside: frame };

export class FtraceImporter implements RecordReader {
  readonly #out: TraceBuilder;
  readonly #f: Ftrace;
  readonly #dialect: Dialect;
  readonly #head: RecordHead;
  readonly #dispatcher: Dispatcher<Ftrace>;
  readonly #cpus: Cpus;
  #base = -1;
  #digits = 0;
  #latency = false;
  /** Records have CPU and flags glued together in front of seconds (`trace-cmd report -l`). */
  #glued = false;
  #tgid = false;
  #flags = -1;
  #headerLost = 0;
  /** Events that loss markers count. */
  #markedLost = 0;
  #headerCpus = 0;
  #tracer = '';
  #backwards = 0;
  /** A line that only trace-cmd report prints was there. */
  #report = false;
  #lastTime = Number.NEGATIVE_INFINITY;
  /** The event of the record at hand, -1 without a name, and where its arguments begin. */
  #id = -1;
  #payload = 0;
  /** The event of the record before, and for each event, by its number plus one, the event that came behind it last. */
  #last = -1;
  readonly #behind = new Int16Array(events.names.length + 1);
  evidence = 0;
  stamp = Number.NaN;

  constructor(out: TraceBuilder, dialect = FTRACE) {
    this.#out = out;
    this.#dialect = dialect;
    this.#head = dialect.head();
    this.#f = new Ftrace(out);
    this.#cpus = new Cpus(out);
    this.#dispatcher = new Dispatcher(this.#f, events);
    out.source.format = dialect.format;
  }

  line(buf: Uint8Array, start: number, end: number): Outcome {
    const head = this.#head;
    if (
      this.#latency
        ? !head.latency(buf, start, end)
        : !(this.#glued && head.glued(buf, start, end)) &&
          (!this.#dialect.native(buf, start) || !head.normal(buf, start, end))
    )
      return FOREIGN;
    return this.#take(buf, end) ? TAKEN : BROKEN;
  }

  form(buf: Uint8Array, start: number, end: number): Form {
    const head = this.#head;
    this.evidence = 0;
    // Behind the time of a record stands a colon, if nothing else.
    let colon = start;
    while (colon < end && buf[colon] !== COLON) colon++;
    if (colon === end || !this.#isRecord(buf, start, end)) return NO_RECORD;
    this.stamp = head.seconds + head.nano / NANO;
    this.#f.buf = buf;
    let at = head.payload;
    while (at < end && buf[at] === SPACE) at++;
    const nameStart = at;
    while (at < end && isNameByte(buf[at]!)) at++;
    if (at === end) return PART_OF_RECORD;
    if (at === nameStart || buf[at] !== COLON || isNumbered(buf, nameStart, end))
      return isPrintk(buf, nameStart, end) || WITHOUT_NAME.test(textOf(buf, nameStart, Math.min(end, nameStart + 200)))
        ? WHOLE_RECORD
        : UNKNOWN_RECORD;
    const id = events.find(buf, nameStart, at);
    at++;
    while (at < end && buf[at] === SPACE) at++;
    if (at === end) return PART_OF_RECORD;
    if (isProbe(buf, at, end)) {
      for (let i = at; i < end; i++) if (buf[i] === EQUALS) this.evidence++;
      return WHOLE_RECORD;
    }
    if (id < 0) return UNKNOWN_RECORD;
    this.evidence = this.#dispatcher.reads(id, at, end);
    return this.evidence > 0 ? WHOLE_RECORD : PART_OF_RECORD;
  }

  beside(buf: Uint8Array, start: number, end: number): string | undefined {
    return this.#dialect.beside?.(buf, start, end);
  }

  record(buf: Uint8Array, start: number, end: number, open: boolean): boolean {
    this.#glued ||= this.#head.glued(buf, start, end);
    if (!this.#isRecord(buf, start, end) || this.#take(buf, end)) return false;
    const out = this.#out;
    if (this.#id >= 0) return this.#dispatcher.takeHead(this.#id, this.#payload, end, open);
    if (open) out.skipped('cut off at the end of the file');
    else out.skipped(this.#payload === end ? 'no event behind the time' : 'no event name behind the time');
    return false;
  }

  /** Reads the record whose head was read last; false when its arguments have no known form. */
  #take(buf: Uint8Array, end: number): boolean {
    const out = this.#out;
    const head = this.#head;
    if (head.cpu > MOST_CPU) {
      out.skipped(`CPU number beyond ${MOST_CPU}`);
      return true;
    }
    if (head.seconds > Number.MAX_SAFE_INTEGER) {
      out.skipped('a stamp that is no time');
      return true;
    }
    this.#stamp(head);
    out.cpu = head.cpu;
    const f = this.#f;
    f.buf = buf;
    f.flagsStart = head.flagsStart;
    f.flagsEnd = head.flagsEnd;
    f.process = head.process;
    let at = head.payload;
    while (at < end && buf[at] === SPACE) at++;
    const nameStart = at;
    const before = this.#last + 1;
    let id = this.#behind[before]!;
    at = names.isAt(id, buf, nameStart, end);
    if (at === 0 || buf[at] !== COLON) {
      id = names.read(buf, nameStart, end);
      at = names.end;
      if (id >= 0) this.#behind[before] = id;
    }
    this.#last = id;
    this.#id = -1;
    this.#payload = at;
    if (at === nameStart || buf[at] !== COLON || isNumbered(buf, nameStart, end)) {
      if (!isPrintk(buf, nameStart, end)) return this.#unnamed(buf, nameStart, end);
      this.#setTask(buf);
      takeMark(f, nameStart, end);
      out.understood();
      return true;
    }
    const nameEnd = at++;
    if (buf[at] === SPACE) at++;
    // trace-cmd pads event names so that the texts align.
    let payload = at;
    while (payload < end && buf[payload] === SPACE) payload++;
    this.#setTask(buf);
    if (head.cpu >= 0) this.#cpus.seen(head.cpu);
    if (isProbe(buf, payload, end)) {
      takeProbe(f, nameStart, nameEnd, payload, end);
      out.understood();
      return true;
    }
    if (id < 0) {
      out.unknown(textOf(buf, nameStart, Math.min(nameEnd, nameStart + 100)));
      return true;
    }
    this.#id = id;
    this.#payload = id === MARK ? at : payload;
    return this.#dispatcher.take(id, this.#payload, end);
  }

  #isRecord(buf: Uint8Array, start: number, end: number): boolean {
    const head = this.#head;
    return this.#latency
      ? head.latency(buf, start, end) || head.normal(buf, start, end) || head.bare(buf, start, end, knows)
      : head.normal(buf, start, end) || head.latency(buf, start, end) || head.bare(buf, start, end, knows);
  }

  settle(): void {
    this.#dispatcher.settle();
    this.#out.accounting.lost = Math.max(this.#markedLost, this.#headerLost);
    const meta = this.#out.source;
    if (this.#report) meta.format = 'trace-cmd-report';
    const parts = [
      this.#latency ? 'latency format' : this.#dialect.format === 'ftrace-text' ? 'default format' : '',
      this.#tracer === '' || this.#tracer === 'nop' ? '' : `tracer ${this.#tracer}`,
      this.#flags > 0 ? `${this.#flags} flag columns` : this.#flags === 0 ? 'no flag columns' : '',
      this.#tgid ? 'TGID' : '',
      this.#f.fields ? 'fields option' : '',
      this.#backwards > 0 ? `${this.#backwards} stamps older than the one before` : '',
    ];
    meta.variant = parts.filter((p) => p !== '').join(', ');
    meta.cpus = Math.max(this.#headerCpus, this.#cpus.count);
    meta.clock = this.#base < 0 ? 'none' : meta.time.ticks ? 'counter' : 'not told';
  }

  /** Tells who recorded the record at hand. */
  #setTask(buf: Uint8Array): void {
    this.#head.setTask(this.#out, buf);
    this.#f.belongs();
  }

  /** A record without an event name: the function tracer, or something this importer does not know (false). */
  #unnamed(buf: Uint8Array, start: number, end: number): boolean {
    const rest = textOf(buf, start, Math.min(end, start + 200));
    if (!WITHOUT_NAME.test(rest)) return false;
    this.#out.withoutEffect(rest.startsWith('<') ? 'stack trace' : 'function');
    return true;
  }

  note(buf: Uint8Array, start: number, end: number): string | undefined {
    const line = textOf(buf, start, Math.min(end, start + 300));
    const kernel = buf[start] === HASH ? KERNEL.exec(line)?.[1] : undefined;
    if (kernel !== undefined) this.#out.source.kernel = kernel;
    const own = this.#dialect.note?.(line);
    if (typeof own === 'object') {
      this.#gap(own.cpu, own.count);
      return 'loss marker';
    }
    if (own !== undefined) return own;
    if (buf[start] === HASH && !bytesAt(buf, start, end, STARTED)) return this.#header(line) ? 'header' : undefined;
    const gap = bytesAt(buf, start, end, CPU)
      ? /^CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED)\]/.exec(line)
      : null;
    if (gap) {
      if (gap[0].endsWith('DROPPED]')) this.#report = true;
      this.#gap(Number(gap[1]), gap[2] ?? gap[3]);
      return 'loss marker';
    }
    if (bytesAt(buf, start, end, STARTED)) {
      const n = Number(/^##### CPU (\d+)/.exec(line)?.[1] ?? -1);
      this.#out.cpu = n;
      this.#f.emit(bufferStart.put(), this.#cpuMention(n));
      return 'buffer start';
    }
    if (bytesAt(buf, start, end, CPUS)) {
      this.#report = true;
      this.#headerCpus = Number(/^cpus=(\d+)/.exec(line)?.[1] ?? 0);
      return 'header';
    }
    if (bytesAt(buf, start, end, STACK) || /^\s*(<stack trace>|=> )/.test(line)) return 'stack trace';
    if (/^\[LINE TOO BIG\]|^Unknown type \d+/.test(line)) {
      this.#out.skipped(line.startsWith('[') ? 'the kernel printed [LINE TOO BIG]' : 'the kernel printed Unknown type');
      return '';
    }
    if (/^\s*(?:\d+\)|-{3,}|=[ =]*$)|^ +$/.test(line)) return 'function graph';
    if (/^\s*(--+|Dumping ftrace buffer|CPU:\d+ \[SUBBUFFER START\])/.test(line)) return 'separator';
    this.#out.cpu = -1;
    this.#f.buf = buf;
    return kernelLine(this.#f, start, end, false) ? 'kernel log' : undefined;
  }

  #cpuMention(n: number): number {
    return this.#f.object(`buffer/${n}`);
  }

  #gap(n: number, count: string | undefined): void {
    const known = count === undefined ? -1 : Number(count);
    if (known >= 0) this.#markedLost += known;
    this.#cpus.lost(n, this.#cpuMention(n), known);
  }

  /** A line that begins with `#`; false when it is no line of a header that the kernel or trace-cmd prints. */
  #header(line: string): boolean {
    const entries = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)\s+#P:(\d+)/.exec(line);
    if (entries) {
      this.#headerLost = Math.max(0, Number(entries[2]) - Number(entries[1]));
      this.#headerCpus = Number(entries[3]);
    } else if (line.startsWith(TRACER)) {
      this.#tracer = line.slice(TRACER.length).trim();
    } else if (line.includes(LATENCY)) {
      this.#latency = true;
    } else if (/TASK-PID/.test(line)) {
      this.#tgid = line.includes('TGID');
      this.#flags = /\|{3,}/.exec(line)?.[0].length ?? 0;
    } else {
      const m = /#P:(\d+)\)/.exec(line);
      if (m) this.#headerCpus = Number(m[1]);
    }
    return HEADER.test(line);
  }

  #stamp(head: RecordHead): void {
    const meta = this.#out.source;
    if (this.#base < 0) {
      this.#base = head.seconds;
      this.#digits = head.digits;
      meta.time = { base: BigInt(head.seconds), ticks: head.digits === 0, digits: head.digits };
    } else if (head.digits > this.#digits && this.#digits > 0) {
      this.#digits = head.digits;
      meta.time = { ...meta.time, digits: head.digits };
    }
    const time = meta.time.ticks ? head.seconds - this.#base : (head.seconds - this.#base) * NANO + head.nano;
    if (time < this.#lastTime) this.#backwards++;
    this.#lastTime = time;
    this.#out.time = time;
  }
}
