/**
 * ftrace text: /sys/kernel/tracing/trace and trace_pipe, dumps on oops, and what trace-cmd report prints in the same form.
 * Source of the format: kernel/trace/trace.c and trace_output.c; the events are in the TP_printk lines of their headers.
 * What the text cannot tell: its clock (only whether it is a counter), what happened on a CPU while it was marked offline
 * (tracepoints do not fire there), and whose virtual machine a KVM event is about.
 */
import { BRACKET_OPEN, bytesAt, bytesOf, COLON, HASH, SPACE, textOf } from '../../base/bytes.ts';
import type { ObjectId } from '../../base/ids.ts';
import { cpuSeen } from '../../model/events/cpu.ts';
import { bufferStart, lost } from '../../model/events/notes.ts';
import { cpu } from '../../model/things/irq.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { MOST_CPU } from '../../trace/row.ts';
import type { LineReader } from '../importer.ts';
import { isNameByte } from '../pattern.ts';
import { Dispatcher, RuleSet } from '../rules.ts';
import { Ftrace } from './context.ts';
import { iommuRules } from './iommu.ts';
import { irqRules } from './irq.ts';
import { SILENT } from './known.ts';
import { isPrintk, takeMark } from './printk.ts';
import { isProbe, takeProbe } from './probes.ts';
import { withRaw } from './raw.ts';
import { afterLogStamp, RecordHead } from './record.ts';
import { virtRules } from './virt.ts';

const events = new RuleSet<Ftrace>([...irqRules, ...withRaw(virtRules), ...iommuRules], SILENT);
/** The one event of which blanks at the start belong to the payload. */
const MARK = events.names.indexOf('tracing_mark_write');

const knows = (buf: Uint8Array, start: number, end: number): boolean => events.find(buf, start, end) >= 0;

const NANO = 1_000_000_000;
const text = (t: string): Uint8Array => bytesOf(t);
const LATENCY = text(' latency trace v');
const ENTRIES = text('# entries-in-buffer/entries-written: ');
const TRACER = text('# tracer: ');
const CPU = text('CPU:');
const STARTED = text('##### CPU ');
const CPUS = text('cpus=');
const STACK = text(' => ');

export class FtraceImporter implements LineReader {
  readonly #out: TraceBuilder;
  readonly #f: Ftrace;
  readonly #head = new RecordHead();
  readonly #dispatcher: Dispatcher<Ftrace>;
  readonly #online = new Set<number>();
  /** The object of each CPU that recorded something. */
  readonly #cpus: ObjectId[] = [];
  #base = -1;
  #digits = 0;
  #latency = false;
  #tgid = false;
  #flags = -1;
  #headerLost = 0;
  /** Events that loss markers count. */
  #markedLost = 0;
  #headerCpus = 0;
  #tracer = '';
  #backwards = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#f = new Ftrace(out);
    this.#dispatcher = new Dispatcher(this.#f, events);
    out.source.format = 'ftrace-text';
  }

  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    let from = start;
    while (from < end && buf[from] === 0) from++;
    if (from === end) {
      out.other(from > start ? 'NUL bytes' : 'blank');
      return;
    }
    const head = this.#head;
    let isRecord = this.#isRecord(buf, from, end);
    if (!isRecord && buf[from] === BRACKET_OPEN) {
      // A dump on oops goes through the kernel log, which puts its own stamp in front.
      from = afterLogStamp(buf, from, end);
      isRecord = this.#isRecord(buf, from, end);
    }
    if (!isRecord) {
      this.#noRecord(buf, from, end, cut, open);
      return;
    }
    if (cut) {
      out.skipped('line longer than 1 MiB');
      return;
    }
    if (head.cpu > MOST_CPU) {
      out.skipped(`CPU number beyond ${MOST_CPU}`);
      return;
    }
    this.#stamp(head);
    out.cpu = head.cpu;
    const f = this.#f;
    f.buf = buf;
    let at = head.payload;
    while (at < end && buf[at] === SPACE) at++;
    const nameStart = at;
    while (at < end && isNameByte(buf[at]!)) at++;
    if (at === nameStart || buf[at] !== COLON) {
      if (isPrintk(buf, nameStart, end)) {
        out.setTask(buf, head.taskStart, head.taskEnd);
        takeMark(f, nameStart, end);
        out.understood();
        return;
      }
      this.#unnamed(buf, nameStart, at, end, open);
      return;
    }
    const nameEnd = at++;
    if (buf[at] === SPACE) at++;
    // trace-cmd pads event names so that the texts align.
    let payload = at;
    while (payload < end && buf[payload] === SPACE) payload++;
    out.setTask(buf, head.taskStart, head.taskEnd);
    if (head.cpu >= 0) this.#seen(head.cpu);
    if (isProbe(buf, payload, end)) {
      takeProbe(f, nameStart, nameEnd, payload, end);
      out.understood();
      return;
    }
    const id = events.find(buf, nameStart, nameEnd);
    if (id < 0) out.unknown(textOf(buf, nameStart, Math.min(nameEnd, nameStart + 100)));
    else this.#dispatcher.take(id, id === MARK ? at : payload, end, open);
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
    const parts = [
      this.#latency ? 'latency format' : 'default format',
      this.#tracer === '' || this.#tracer === 'nop' ? '' : `tracer ${this.#tracer}`,
      this.#flags > 0 ? `${this.#flags} flag columns` : this.#flags === 0 ? 'no flag columns' : '',
      this.#tgid ? 'TGID' : '',
      this.#f.fields ? 'fields option' : '',
      this.#backwards > 0 ? `${this.#backwards} stamps older than the one before` : '',
    ];
    meta.variant = parts.filter((p) => p !== '').join(', ');
    meta.cpus = Math.max(this.#headerCpus, this.#online.size);
    meta.clock = this.#base < 0 ? 'none' : meta.time.ticks ? 'counter' : 'not told';
  }

  /** A record of this CPU: it is online, until something says otherwise. */
  #seen(n: number): void {
    this.#cpus[n] ??= this.#out.world.object(cpu, `cpu/${n}`);
    const object = this.#cpus[n];
    if (this.#out.state.flag(object, cpu.at.online) === true) return;
    this.#online.add(n);
    this.#f.emit(cpuSeen.put(), object);
  }

  /** A record without an event name: the function tracer, or something this importer does not know. */
  #unnamed(buf: Uint8Array, start: number, at: number, end: number, open: boolean): void {
    const rest = textOf(buf, start, Math.min(end, start + 200));
    if (/^\S+( \[\w+\])? <-\S+/.test(rest)) this.#out.withoutEffect('function');
    else if (/^<(user )?stack (trace|unwound)/.test(rest)) this.#out.withoutEffect('stack trace');
    else if (open) this.#out.skipped('cut off at the end of the file');
    else if (at === end || rest === '') this.#out.skipped('no event behind the time');
    else this.#out.skipped('no event name behind the time');
  }

  #noRecord(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    if (buf[start] === HASH && !bytesAt(buf, start, end, STARTED)) {
      this.#header(buf, start, end);
      out.other('header');
      return;
    }
    const line = textOf(buf, start, Math.min(end, start + 300));
    const gap = bytesAt(buf, start, end, CPU)
      ? /^CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED)\]/.exec(line)
      : null;
    if (gap) {
      this.#gap(Number(gap[1]), gap[2] ?? gap[3]);
      out.other('loss marker');
    } else if (bytesAt(buf, start, end, STARTED)) {
      const n = Number(/^##### CPU (\d+)/.exec(line)?.[1] ?? -1);
      out.cpu = n;
      this.#f.emit(bufferStart.put(), this.#cpuMention(n));
      out.other('buffer start');
    } else if (bytesAt(buf, start, end, CPUS)) {
      this.#headerCpus = Number(/^cpus=(\d+)/.exec(line)?.[1] ?? 0);
      out.other('header');
    } else if (bytesAt(buf, start, end, STACK) || /^\s*(<stack trace>|=> )/.test(line)) {
      out.other('stack trace');
    } else if (/^\s*$/.test(line)) {
      out.other('blank');
    } else if (/^\s*(\d+\)|-{3,}|[ =]+$)/.test(line)) {
      out.other('function graph');
    } else if (/^\[LINE TOO BIG\]|^Unknown type \d+/.test(line)) {
      out.skipped(line.startsWith('[') ? 'the kernel printed [LINE TOO BIG]' : 'the kernel printed Unknown type');
    } else if (cut) {
      out.skipped('line longer than 1 MiB');
    } else if (open) {
      out.skipped('cut off at the end of the file');
    } else if (/^\s*(--+|Dumping ftrace buffer|CPU:\d+ \[SUBBUFFER START\])/.test(line)) {
      out.other('separator');
    } else {
      out.skipped(line.includes('\0') ? 'NUL bytes in the line' : 'not a trace record');
    }
  }

  #cpuMention(n: number): number {
    return this.#f.object(`buffer/${n}`);
  }

  #gap(n: number, count: string | undefined): void {
    const out = this.#out;
    out.cpu = n;
    if (count === undefined) out.accounting.gaps++;
    else this.#markedLost += Number(count);
    const event = lost.put();
    if (count !== undefined) event.count(Number(count));
    this.#f.emit(event, this.#cpuMention(n));
  }

  #header(buf: Uint8Array, start: number, end: number): void {
    const line = textOf(buf, start, Math.min(end, start + 200));
    if (bytesAt(buf, start, end, ENTRIES)) {
      const m = /: (\d+)\/(\d+)\s+#P:(\d+)/.exec(line);
      if (m) {
        this.#headerLost = Math.max(0, Number(m[2]) - Number(m[1]));
        this.#headerCpus = Number(m[3]);
      }
    } else if (bytesAt(buf, start, end, TRACER)) {
      this.#tracer = line.slice(TRACER.length).trim();
    } else if (line.includes(textOf(LATENCY))) {
      this.#latency = true;
    } else if (/TASK-PID/.test(line)) {
      this.#tgid = line.includes('TGID');
      this.#flags = /\|{3,}/.exec(line)?.[0].length ?? 0;
    } else {
      const m = /#P:(\d+)\)/.exec(line);
      if (m) this.#headerCpus = Number(m[1]);
    }
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
    if (time < this.#last) this.#backwards++;
    this.#last = time;
    this.#out.time = time;
  }
}
