/** The records of all rings that have one clock, read in order of time into one source. */
import type { TextId } from '../../base/ids.ts';
import { tally } from '../../trace/accounting.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { Ftrace } from '../ftrace/context.ts';
import { Cpus } from '../ftrace/cpus.ts';
import type { StampClock } from './clock.ts';
import type { KnownEvent, KnownEvents } from './known.ts';
import type { Loss, Ordered, Rings } from './merge.ts';
import type { RecordAt } from './ring.ts';

const NANO = 1_000_000_000n;
/** Records that are read between two pauses. */
const SLICE = 1 << 15;
/** What the kernel calls the process that runs when no other does, and one whose name it does not know any more. */
const IDLE = '<idle>';
const NAMELESS = '<...>';

export class Recording {
  readonly out: TraceBuilder;
  readonly #f: Ftrace;
  readonly #cpus: Cpus;
  readonly #known: KnownEvents;
  readonly #rings: Rings;
  #records: Ordered | undefined;
  readonly #clock: StampClock;
  /** Names of processes by their numbers, and the text numbers of `name-pid`. */
  readonly #names: ReadonlyMap<number, string>;
  readonly #tasks = new Map<number, TextId>();
  /** Records that were counted, but are not in the accounting yet: by the events they are of. */
  readonly #counts: number[] = [];
  readonly #events: KnownEvent[] = [];
  /** The stamp that times of rings count from, and the one that those of the source count from, in nanoseconds. */
  #from = 0n;
  #base = 0n;
  /** The number of the last record. */
  line: number;

  /** `line`: how many records of the file were numbered before. */
  /** What the pages of each CPU say of lost events: how many, and how often without a number. */
  readonly #missed = new Map<number, { events: number; gaps: number }>();

  constructor(
    out: TraceBuilder,
    known: KnownEvents,
    rings: Rings,
    clock: StampClock,
    names: ReadonlyMap<number, string>,
    line: number,
  ) {
    this.out = out;
    this.#f = new Ftrace(out);
    this.#cpus = new Cpus(out);
    this.#known = known;
    this.#rings = rings;
    this.#clock = clock;
    this.#names = names;
    this.line = line;
  }

  /** How many CPUs recorded something. */
  get cpus(): number {
    return this.#cpus.count;
  }

  /** A thread of this system runs a CPU of a guest. */
  runsOn(thread: number, vcpu: number): void {
    this.#f.runsOn(thread, vcpu);
  }

  /** Reads all records, in slices. `stated`: events that the kernel says it lost, by CPU; -1: of all CPUs. `open` must have been called. */
  *read(stated: ReadonlyMap<number, number> = new Map()): Generator<void, void> {
    const records = this.#records!;
    const { out } = this;
    const { accounting } = out;
    for (let ring = records.first; ring !== undefined; ring = records.first) {
      this.line++;
      if (ring.missed !== 0) this.#lost(ring);
      this.#take(ring);
      accounting.lines++;
      records.next();
      if (accounting.lines % SLICE !== 0) continue;
      this.settle();
      yield;
    }
    // What was lost behind the last record of a CPU.
    for (const loss of this.#rings.behind()) this.#lost(loss);
    for (const [cpu, count] of stated) this.#state(cpu, count);
    out.noteTime();
    this.settle();
  }

  /** Brings the accounting up to date. */
  settle(): void {
    const { accounting } = this.out;
    for (const [i, count] of this.#counts.entries()) {
      const event = this.#events[i];
      if (count === undefined || count === 0 || event === undefined) continue;
      const { how, name } = event.reading;
      accounting.records += count;
      if (how === 'unknown') tally(accounting.unknown, name, count);
      else {
        accounting.understood += count;
        tally(accounting.withoutEffect, name, count);
      }
      this.#counts[i] = 0;
    }
  }

  /** Opens the rings, with one stamp that the times of their records count from. */
  open(): void {
    const first = this.#rings.open();
    const { ticks, scale, shift, name } = this.#clock;
    const { source } = this.out;
    const start = first ?? 0n;
    if (ticks) {
      this.#from = start;
      source.time = { base: start, ticks: true, digits: 0 };
    } else {
      const time = (scale === undefined ? start : (start * scale.mult) >> scale.shift) + shift;
      const seconds = time / NANO - (time < 0n && time % NANO !== 0n ? 1n : 0n);
      this.#base = seconds * NANO - shift;
      this.#from = scale === undefined ? this.#base : start;
      source.time = { base: seconds, ticks: false, digits: 9 };
    }
    source.clock = first === undefined ? 'none' : name === '' ? 'not told' : name;
    this.#records = this.#rings.from(this.#from);
  }

  #time(ring: RecordAt): number {
    const { scale } = this.#clock;
    if (scale === undefined) return ring.time;
    return Number((((this.#from + BigInt(ring.time)) * scale.mult) >> scale.shift) - this.#base);
  }

  /** Events were lost in front of the record at hand. */
  #lost({ cpu, offset, missed }: Loss): void {
    const { out } = this;
    let known = this.#missed.get(cpu);
    if (known === undefined) this.#missed.set(cpu, (known = { events: 0, gaps: 0 }));
    if (missed > 0) known.events += missed;
    else known.gaps++;
    out.begin(this.line, offset);
    if (missed > 0) out.accounting.lost += missed;
    if (this.line === 0) {
      // Without a record there is no place for an event.
      if (missed < 0) out.accounting.gaps++;
      return;
    }
    this.#cpus.lost(cpu, this.#f.object(`buffer/${cpu < 0 ? 'unknown' : cpu}`), missed);
  }

  /** The kernel says how many events of a CPU it lost: more than the pages tell, or the sizes of losses that they do not tell. */
  #state(cpu: number, count: number): void {
    const { out } = this;
    const own = [...this.#missed].filter(([on]) => cpu < 0 || on === cpu).map(([, missed]) => missed);
    const more = count - own.reduce((sum, { events }) => sum + events, 0);
    if (more <= 0) return;
    out.accounting.lost += more;
    const gaps = own.reduce((sum, missed) => sum + missed.gaps, 0);
    if (gaps > 0) out.accounting.gaps -= gaps;
    // Nobody tells where they are missing: the records so far may lack them.
    else if (this.line > 0) this.#cpus.lost(cpu, this.#f.object(`buffer/${cpu < 0 ? 'unknown' : cpu}`), more);
  }

  #take(ring: RecordAt): void {
    const { out } = this;
    const { record, cpu } = ring;
    const id = ring.event;
    const told = id < 0 ? undefined : this.#known.of(id);
    const event = told?.instead === undefined ? told : (told.instead(record) ?? told);
    const time = this.#time(ring);
    if (event?.isQuiet === true && (cpu < 0 || this.#cpus.isOnline(cpu))) {
      out.saw(time);
      this.#count(event);
      return;
    }
    out.begin(this.line, ring.offset);
    out.time = time;
    out.cpu = cpu;
    if (id < 0) {
      out.skipped('a record too short to tell its event');
      return;
    }
    if (event === undefined) {
      if (cpu >= 0) this.#cpus.seen(cpu);
      out.skipped(`event ${id}, which the file does not describe`);
      return;
    }
    this.#read(event, ring);
  }

  #read(event: KnownEvent, { record, cpu }: RecordAt): void {
    const { out } = this;
    const { reading, pid, flags } = event;
    if (pid !== undefined && record.number(pid)) out.row.task = this.#task(record.lo | 0);
    this.#f.flags = flags !== undefined && record.number(flags) ? record.lo : -1;
    if (cpu >= 0) this.#cpus.seen(cpu);
    switch (reading.how) {
      case 'quiet':
      case 'unknown':
        this.#count(event);
        break;
      case 'odd':
        out.skipped(`${reading.name}: fields not as expected`);
        break;
      case 'probe':
        reading.probe.take(record, this.#f);
        out.understood();
        break;
      case 'rule': {
        const done = reading.binding.take(record, this.#f);
        if (done === null) out.skipped(`${reading.name}: fields not as expected`);
        else if (done) out.understood();
        else this.#count(event);
      }
    }
  }

  #count(event: KnownEvent): void {
    const { how, name } = event.reading;
    const { unknownAt } = this.out.accounting;
    if (how === 'unknown' && this.#counts[event.index] === undefined && !unknownAt.has(name))
      unknownAt.set(name, this.line);
    this.#events[event.index] = event;
    this.#counts[event.index] = (this.#counts[event.index] ?? 0) + 1;
  }

  /** The text number of `name-pid`. */
  #task(pid: number): TextId {
    let task = this.#tasks.get(pid);
    if (task === undefined) {
      const name = this.#names.get(pid) ?? (pid === 0 ? IDLE : NAMELESS);
      task = this.out.world.strings.intern(`${name}-${pid}`);
      this.#tasks.set(pid, task);
    }
    return task;
  }
}
