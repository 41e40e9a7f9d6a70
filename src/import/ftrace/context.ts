import { bytesOf, EQUALS, PAREN_CLOSE, PAREN_OPEN, Scanner, SPACE, textOf } from '../../base/bytes.ts';
import type { ObjectId } from '../../base/ids.ts';
import { kvmSeveral } from '../../model/events/virt.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { isNameByte } from '../names.ts';
import { type Captures, captures, hasRemark } from '../pattern.ts';
import { rule as makeRule, patternsOf, type RecordRule, RuleContext, type Slots, type Use } from '../rules.ts';
import { Joined } from './joined.ts';
import { VirtualCpus } from './vcpus.ts';

/** KVM's records name no virtual machine: what belongs to one and not to a virtual CPU is that of this one. */
export const VM = 'kvm/0';

/** Flags of a record that was made in an interrupt: as text prints them, and as the ring buffer holds them (TRACE_FLAG_HARDIRQ, SOFTIRQ, NMI of include/linux/trace_events.h). */
const IN_INTERRUPT: ReadonlySet<number> = new Set(bytesOf('hHszZ'));
const INTERRUPT_BITS = 0x08 | 0x10 | 0x40;

/** What the rules of the ftrace text share: the line at hand, and who runs which virtual CPU. */
export class Ftrace extends RuleContext {
  /** Some payload was printed by the `fields` option. */
  fields = false;
  /** CPUs whose map in the vector matrix is online, as the records of the matrix tell. */
  readonly maps = new Set<number>();
  /** The LPI that the interrupt controller handed to the irq core last, by CPU, until a handler runs there. */
  readonly handed = new Map<number, number>();
  /** Virtual CPUs that entered the guest at the reset vector last. */
  readonly atReset = new Set<number>();
  /** Virtual CPUs by their threads. */
  readonly vcpus: VirtualCpus;
  /** Texts of several words. */
  readonly joined = new Joined((text) => this.intern(text));
  /** Thread number by task (text number of `comm-pid`). */
  readonly #threads = new Map<number, number>();
  /** Inputs 0 to 15 of the virtual PICs that were driven or acknowledged and of which no vector was injected yet. */
  readonly #pic = new Set<number>();

  /** The process (TGID) of each thread, where records tell it. */
  readonly #processes = new Map<number, number>();
  /** The vector that each virtual CPU ended last. */
  readonly #ended = new Map<ObjectId, number>();
  /** It was told that there are several virtual machines. */
  #several = false;
  /** The process of the task at hand (TGID column), or -1. */
  process = -1;

  /** Start and end of the flag columns of the record at hand; the same where it has none. */
  flagsStart = 0;
  flagsEnd = 0;
  /** The flags of a record of the ring buffer; -1 for one of a text. */
  flags = -1;

  #lastTask = -1;
  #lastThread = -1;

  /**
   * Whether the record at hand was made in an interrupt (hard, soft or NMI), whose task is only the one that it interrupted. The column
   * has h, H, s, z or Z then, letters that no other flag has (print_lat_fmt of kernel/trace/trace_output.c). Undefined where the text
   * has no flags.
   */
  get inInterrupt(): boolean | undefined {
    const { buf, flagsStart, flagsEnd, flags } = this;
    if (flags >= 0) return (flags & INTERRUPT_BITS) !== 0;
    if (flagsStart === flagsEnd) return undefined;
    for (let at = flagsStart; at < flagsEnd; at++) if (IN_INTERRUPT.has(buf[at]!)) return true;
    return false;
  }

  constructor(out: TraceBuilder) {
    super(out);
    this.vcpus = new VirtualCpus(out, (shows) => {
      if (this.#several) return;
      this.#several = true;
      this.emit(kvmSeveral.put().by(this.intern(shows)), this.object(VM));
    });
  }

  /** The task at hand runs the virtual CPU of this number; its object, or -1 where the record names no task and several have the number. */
  runs(vcpu: number): ObjectId {
    return this.vcpus.runs(vcpu & 0xffffff, this.thread, this.process);
  }

  /** A thread, by its number, runs this virtual CPU. */
  runsOn(thread: number, vcpu: number): void {
    this.vcpus.runs(vcpu & 0xffffff, thread, this.process);
  }

  /** The virtual CPU that the task at hand runs, or -1. */
  get vcpu(): ObjectId {
    return this.vcpus.of(this.thread);
  }

  /** The virtual CPU that the record at hand names by its number, in any context; -1 where several have it. */
  named(vcpu: number): ObjectId {
    return this.vcpus.named(vcpu & 0xffffff, this.inInterrupt === false ? this.thread : -1);
  }

  /** A record of KVM is at hand that names no virtual machine: its task may tell that there are several. */
  notes(): void {
    const { task } = this.out;
    if (task !== 0 && !this.#threads.has(task))
      this.vcpus.sees(this.out.world.strings.text(task), this.thread, this.process);
  }

  /** A virtual CPU ended the interrupt of a vector. */
  ended(vcpu: ObjectId, vector: number): void {
    this.#ended.set(vcpu, vector);
  }

  /**
   * Whether `kvm_pv_eoi` tells of the end that `kvm_eoi` told before: KVM prints both for one end, one directly after the
   * other (apic_sync_pv_eoi_from_guest of arch/x86/kvm/lapic.c). Takes the end back.
   */
  toldEnd(vcpu: ObjectId, vector: number): boolean {
    if (this.#ended.get(vcpu) !== vector) return false;
    this.#ended.delete(vcpu);
    return true;
  }

  /** An input of a virtual PIC was driven while it was not masked, or was acknowledged. */
  picInput(input: number): void {
    if (input < 16) this.#pic.add(input);
  }

  /** Whether a vector can be that of such an input: the PIC puts the number of the input into bits 2:0. Takes the input back. */
  picVector(vector: number): boolean {
    const low = vector % 8;
    const master = this.#pic.delete(low);
    return this.#pic.delete(low + 8) || master;
  }

  /** Keeps the process of the thread at hand, where the record tells it. */
  belongs(): void {
    if (this.process < 0) return;
    const { thread } = this;
    if (thread >= 0) this.#processes.set(thread, this.process);
  }

  /** The process of a thread, or -1 where no record tells it. */
  processOf(thread: number): number {
    return this.#processes.get(thread) ?? -1;
  }

  /** The number of the thread at hand, or -1 where the record does not name it. Its name may change: `<...>-77`, `CPU 0/KVM-77`. */
  get thread(): number {
    const { task } = this.out;
    if (task === this.#lastTask) return this.#lastThread;
    let thread = this.#threads.get(task);
    if (thread === undefined) {
      thread = Number(/-(\d+)$/.exec(this.out.world.strings.text(task))?.[1] ?? -1);
      this.#threads.set(task, thread);
    }
    this.#lastTask = task;
    this.#lastThread = thread;
    return thread;
  }
}

/** One event of the text: its name, its print formats, and what it means. */
export type FtraceRule = RecordRule<Ftrace>;

/**
 * Makes the rule of one event. Print formats are tried in order. When none fits, the payload is read as the `fields`
 * option prints it (` name=value` pairs): names are those of the captures, or given by `fields` as {field: capture}. A record that comes as
 * fields (trace.dat) fills the captures by the same names. `ready` says, from which captures are there, whether they are enough.
 */
export function rule<const F extends string>(
  name: string,
  formats: F | readonly F[],
  use: Use<Ftrace, F>,
  fields: Readonly<Record<string, string>> = {},
  ready?: (c: Captures, s: Slots<F>, named: ReadonlyMap<string, number>) => boolean,
): FtraceRule {
  const { slot, numbers, words } = patternsOf(formats)[0]!;
  const slotOf = (field: string): number | undefined => own<number>(slot, own(fields, field) ?? field);
  const all = Object.values<number>(slot);
  const enough = (named: ReadonlyMap<string, number>): boolean =>
    ready ? ready(captures, slot, named) : all.every((i) => captures.got[i] === 1);
  const reader = new FieldsReader(slotOf, numbers, words);
  const otherwise = (f: Ftrace, start: number, end: number): boolean => {
    const named = reader.read(f.buf, start, end);
    if (named === undefined || !enough(named)) return false;
    f.fields = true;
    return true;
  };
  return makeRule(name, formats, use, otherwise, { slotOf, enough });
}

/** Captures above this number hold fields that no print format has. */
const EXTRA = 12;
const scanner = new Scanner();

/** A member by a name that the trace gives: `__proto__` and `constructor` are names like others. */
const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined;

/** Reads ` name=value` pairs as the `fields` option prints them: `0xhex (dec)`, `'c'(dec)`, `symbol (dec)`, or text. */
class FieldsReader {
  readonly #slotOf: (field: string) => number | undefined;
  readonly #numbers: ReadonlySet<number>;
  readonly #words: ReadonlySet<number>;

  constructor(slotOf: (field: string) => number | undefined, numbers: ReadonlySet<number>, words: ReadonlySet<number>) {
    this.#slotOf = slotOf;
    this.#numbers = numbers;
    this.#words = words;
  }

  /** The capture number of each field that was there; undefined when the payload is no list of fields as expected. */
  read(buf: Uint8Array, start: number, end: number): Map<string, number> | undefined {
    const named = new Map<string, number>();
    let extra = EXTRA;
    let at = start;
    captures.got.fill(0);
    if (hasRemark(buf, start, end)) return undefined;
    while (at < end) {
      while (at < end && buf[at] === SPACE) at++;
      const nameStart = at;
      while (at < end && isNameByte(buf[at]!)) at++;
      if (at === nameStart || buf[at] !== EQUALS) break;
      const name = textOf(buf, nameStart, at);
      const valueStart = at + 1;
      at = this.#valueEnd(buf, valueStart, end);
      const slot = this.#slotOf(name) ?? (extra < captures.got.length ? extra++ : -1);
      if (slot >= 0) {
        const isNumber = this.#value(buf, valueStart, at, slot);
        if (!isNumber && this.#numbers.has(slot)) return undefined;
        // More than a word: something stands behind it.
        if (this.#words.has(slot) && buf.subarray(captures.start[slot], captures.end[slot]).includes(SPACE))
          return undefined;
        named.set(name, slot);
      }
    }
    return named.size > 0 ? named : undefined;
  }

  /** A value ends where the next ` name=` begins. */
  #valueEnd(buf: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (buf[at] !== SPACE) continue;
      let next = at + 1;
      while (next < end && isNameByte(buf[next]!)) next++;
      if (next > at + 1 && buf[next] === EQUALS) return at;
    }
    return end;
  }

  /** Takes a value over into a capture; says whether it is a number. */
  #value(buf: Uint8Array, start: number, end: number, slot: number): boolean {
    captures.start[slot] = start;
    captures.end[slot] = end;
    captures.got[slot] = 1;
    captures.lo[slot] = 0;
    captures.hi[slot] = 0;
    if (buf[end - 1] === PAREN_CLOSE) {
      let open = end - 1;
      while (open > start && buf[open] !== PAREN_OPEN) open--;
      if (scanner.on(buf, open + 1, end - 1).dec() && scanner.pos === end - 1) {
        captures.lo[slot] = scanner.lo;
        captures.hi[slot] = scanner.hi;
        captures.end[slot] = buf[open - 1] === SPACE ? open - 1 : open;
        return true;
      }
    }
    if (!scanner.on(buf, start, end).number() || scanner.pos !== end) return false;
    captures.lo[slot] = scanner.lo;
    captures.hi[slot] = scanner.hi;
    return true;
  }
}
