import type { ObjectId, TextId } from '../../base/ids.ts';
import type { StringTable } from '../../base/strings.ts';
import { cpuAccept, cpuTake } from '../../model/events/cpu.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { dropped, illegal, untold } from '../../model/events/outcome.ts';
import { piPost } from '../../model/events/posted.ts';
import { kvmEntry, kvmExit, kvmUserspace, vcpuSched } from '../../model/events/virt.ts';
import { sourceOfIrq } from '../../model/irq-source.ts';
import type { State } from '../../model/state.ts';
import { cpu, vector } from '../../model/things/irq.ts';
import { msi } from '../../model/things/pci.ts';
import type { World } from '../../model/world.ts';
import { maskBits } from '../../query/statistics/masks.ts';
import { argumentOf, type EventRow } from '../../trace/row.ts';
import { errno } from '../irq/domain.ts';
import type { Recorder } from '../recorder.ts';
import type { Simulation } from '../simulation.ts';

/** What a run cost, and the fates of its causes: each cause is one, and has one fate. */
export interface Measures {
  readonly events: number;
  /** Model time of the last event in nanoseconds. */
  readonly time: number;
  /** Interrupt causes that arose in devices: the sum of the eight fates that follow. */
  readonly causes: number;
  /** A handler served it: that of the guest, where one stands behind it, else that of the host. */
  readonly delivered: number;
  /** Causes that were combined with another one into one interrupt. */
  readonly merged: number;
  /** Causes that software served without an interrupt. */
  readonly withdrawn: number;
  /** Causes that still wait behind a mask. */
  readonly pending: number;
  /** Causes that ended undelivered. */
  readonly lost: number;
  /** Causes that were on their way when the run ended. */
  readonly inFlight: number;
  /** Causes whose fate the trace cannot tell. */
  readonly untold: number;
  /** Causes delivered more than once. */
  readonly duplicated: number;
  /** Causes that reached another irq than the one of their vector. */
  readonly misdelivered: number;
  /** Interrupts that CPUs of the host took. */
  readonly taken: number;
  /** Whether some of them came by posted MSI. */
  readonly postedMsi: boolean;
  /** Exits of virtual CPUs, and how many of them went on to user space. */
  readonly exits: number;
  readonly userExits: number;
  /** Nanoseconds that virtual CPUs spent outside of the guest, all together. */
  readonly exitTime: number;
  /**
   * Nanoseconds that virtual CPUs were in the guest while no handler ran there: what is left for its programs. Null where no virtual CPU shares
   * a CPU of the host: programs are not simulated there.
   */
  readonly guestTime: number | null;
  /** Exits by their reason, and returns to user space by theirs. */
  readonly exitReasons: Readonly<Record<string, number>>;
  readonly userExitReasons: Readonly<Record<string, number>>;
  /** How often software set a mask bit that was not set. */
  readonly masks: number;
  /** From raise to the first processor that took it in nanoseconds, which may be one of the host: median, 99th percentile; null when none did. */
  readonly latency: number | null;
  readonly latency99: number | null;
  /** From raise to the handler that served it: that of the guest, where one stands behind it; null when nothing was delivered. */
  readonly guestLatency: number | null;
  readonly guestLatency99: number | null;
  /** How often causes ended undelivered, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Accesses that a specification forbids, by the rule that they break. */
  readonly illegal: Readonly<Record<string, number>>;
  /** What was refused with an error number, as `dom.create EFAULT`. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Names of error numbers by their value. */
const ERRNO: ReadonlyMap<number, string> = new Map(Object.entries(errno).map(([name, n]) => [n, name]));

/** How often texts came, by their number. */
class Tally {
  readonly #times = new Map<TextId, number>();
  sum = 0;

  add(text: TextId): void {
    this.#times.set(text, (this.#times.get(text) ?? 0) + 1);
    this.sum++;
  }

  /** The texts, the most frequent first. */
  named(strings: StringTable): Record<string, number> {
    const named = [...this.#times].map(([text, times]) => [strings.text(text), times] as const);
    return Object.fromEntries(named.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
  }
}

/** How long virtual CPUs are in the guest without a handler. */
class GuestTimes {
  /** Some of them share a CPU of the host. */
  shared = false;
  total = 0;
  readonly #inside = new Map<ObjectId, number>();
  readonly #handlers = new Set<ObjectId>();

  enter(vcpu: ObjectId, time: number): void {
    this.#inside.set(vcpu, time);
  }

  leave(vcpu: ObjectId, time: number): void {
    this.#count(vcpu, time);
    this.#inside.delete(vcpu);
  }

  handler(vcpu: ObjectId, time: number, begins: boolean): void {
    this.#count(vcpu, time);
    if (begins) this.#handlers.add(vcpu);
    else this.#handlers.delete(vcpu);
  }

  #count(vcpu: ObjectId, time: number): void {
    const since = this.#inside.get(vcpu);
    if (since === undefined) return;
    if (!this.#handlers.has(vcpu)) this.total += time - since;
    this.#inside.set(vcpu, time);
  }
}

/** Watches the events of a run on their way to another recorder and counts. */
export class Meter implements Recorder {
  readonly #inner: Recorder;
  readonly #reasons = new Tally();
  readonly #exits = new Tally();
  readonly #userExits = new Tally();
  readonly #illegal = new Tally();
  readonly #refused = new Map<string, number>();
  /** When each virtual CPU left the guest. */
  readonly #out = new Map<ObjectId, number>();
  #exitTime = 0;
  readonly #guests = new GuestTimes();
  /** The virtual CPU on which a task is code of a guest; -1: on none. */
  readonly #vcpus = new Map<TextId, ObjectId>();
  /** Mask bits of entries, as they were after the last store. */
  readonly #masked = new Map<ObjectId, number>();
  #masks = 0;
  /** Object in which each cause arose that no CPU has accepted yet. */
  readonly #raised = new Map<number, number>();
  /** Where a CPU accepted causes that it has not taken: the vector of each, and the causes of each vector. */
  readonly #accepted = new Map<number, ObjectId>();
  readonly #waiting = new Map<ObjectId, number[]>();
  #newest = 0;
  #misdelivered = 0;
  #duplicated = 0;
  #last = 0;
  #taken = 0;
  #postedMsi = false;

  constructor(inner: Recorder) {
    this.#inner = inner;
  }

  get world(): World {
    return this.#inner.world;
  }

  get state(): State {
    return this.#inner.state;
  }

  get length(): number {
    return this.#inner.length;
  }

  record(row: EventRow): void {
    this.#inner.record(row);
    const { kind, time, object, words, at } = row;
    this.#last = time;
    if (kind === kvmExit) {
      this.#exits.add(kvmExit.read(words, at).reason);
      this.#out.set(object, time);
      this.#guests.leave(object, time);
    } else if (kind === kvmEntry) {
      this.#exitTime += time - (this.#out.get(object) ?? time);
      this.#out.delete(object);
      this.#guests.enter(object, time);
    } else if (kind === vcpuSched) {
      // A thread that has no CPU of the host is in no exit.
      this.#guests.shared = true;
      if (vcpuSched.read(words, at).on) this.#out.set(object, time);
      else {
        this.#exitTime += time - (this.#out.get(object) ?? time);
        this.#out.delete(object);
      }
    } else if (kind === irqEntry || kind === irqExit) this.#handler(row, kind === irqEntry);
    else if (kind === kvmUserspace) this.#userExits.add(kvmUserspace.read(words, at).reason);
    else if (kind === dropped) this.#reasons.add(dropped.read(words, at).reason);
    else if (kind === untold) this.#reasons.add(untold.read(words, at).what);
    else if (kind === cpuTake) {
      this.#taken++;
      for (const cause of this.#waiting.get(object) ?? []) this.#accepted.delete(cause);
      this.#waiting.delete(object);
    } else if (kind === piPost)
      this.#postedMsi ||= this.world.type(this.world.node(object)?.parent?.object ?? -1) === cpu;
    else if (kind === illegal) this.#illegal.add(illegal.read(words, at).rule);
    else if (kind.role === 'store' || kind.role === 'mask') this.#mask(object);
    const ret = argumentOf(row, 'ret');
    if (ret !== undefined && (ret | 0) < 0) this.#refuse(kind.name, ret | 0);
    const cause = argumentOf(row, 'cause');
    if (cause === undefined) return;
    this.#cause(object, cause);
    if (kind === cpuAccept) this.#arrived(object, cause);
  }

  /** Something was refused: an error number is negative. */
  #refuse(kind: string, ret: number): void {
    const what = `${kind} ${ERRNO.get(ret) ?? ret}`;
    this.#refused.set(what, (this.#refused.get(what) ?? 0) + 1);
  }

  /** A handler begins or ends: one of a guest runs on the virtual CPU that its task names. */
  #handler({ task, time }: EventRow, begins: boolean): void {
    let vcpu = this.#vcpus.get(task);
    if (vcpu === undefined) {
      const n = /^guest-kernel\/vm\d+\.vcpu(\d+)$/.exec(this.world.strings.text(task))?.[1];
      vcpu = n === undefined ? -1 : this.world.objectAt(`vcpu/${n}`);
      this.#vcpus.set(task, vcpu);
    }
    if (vcpu >= 0) this.#guests.handler(vcpu, time, begins);
  }

  /** Software stored into an object: mask bits may be set now. */
  #mask(object: ObjectId): void {
    const bits = maskBits(this.state, object);
    if (bits === undefined) return;
    if ((bits & ~(this.#masked.get(object) ?? 0)) !== 0) this.#masks++;
    this.#masked.set(object, bits);
  }

  /** The first event that names a cause tells where it arose. */
  #cause(object: ObjectId, cause: number): void {
    if (cause <= this.#newest) return;
    this.#newest = cause;
    this.#raised.set(cause, object);
  }

  #arrived(object: ObjectId, cause: number): void {
    const from = this.#raised.get(cause);
    this.#raised.delete(cause);
    const before = this.#accepted.get(cause);
    this.#accepted.set(cause, object);
    const here = this.#waiting.get(object);
    if (here) here.push(cause);
    else this.#waiting.set(object, [cause]);
    if (from === undefined) {
      // It was accepted before: its origin is forgotten at the first time. A CPU that goes offline raises again elsewhere what it has not taken.
      if (before === undefined || before === object) this.#duplicated++;
      else this.#waiting.set(before, this.#waiting.get(before)?.filter((one) => one !== cause) ?? []);
      return;
    }
    const { state, world } = this;
    const virq = state.num(object, vector.at.irq);
    const target = virq < 0 ? -1 : world.objectAt(`irq/${virq}`);
    // Before 6.2 the hwirq holds function and index together.
    const source = target < 0 ? undefined : sourceOfIrq(state, target);
    // device/<bdf>/msix/<i>, device/<bdf>/ims/<i>, ntb/<bdf>/peer/<n>/desc/<i>
    const segments = world.path(from).split('/');
    const bdf = segments[1];
    // A function with MSI has one message for all of its vectors: which one it is of is told by data alone.
    const isOwn = world.type(from) === msi || String(source?.index) === segments.at(-1);
    if (source?.device !== bdf || !isOwn) this.#misdelivered++;
  }

  /** The measures of a run that this meter watched. */
  measures(simulation: Simulation): Measures {
    const { ledger } = simulation.machine;
    const tally = ledger.tally();
    const known = (ns: number): number | null => (Number.isNaN(ns) ? null : ns);
    const { strings } = this.world;
    const [exits, userExits] = [this.#exits, this.#userExits];
    return {
      events: this.length,
      time: this.#last,
      causes: ledger.causes,
      delivered: tally.delivered,
      merged: tally.merged,
      withdrawn: tally.withdrawn,
      pending: tally.pending,
      lost: tally.dropped,
      inFlight: tally.inFlight,
      untold: tally.untold,
      duplicated: this.#duplicated,
      misdelivered: this.#misdelivered,
      taken: this.#taken,
      postedMsi: this.#postedMsi,
      exits: exits.sum,
      userExits: userExits.sum,
      exitTime: this.#exitTime,
      guestTime: this.#guests.shared ? this.#guests.total : null,
      exitReasons: exits.named(strings),
      userExitReasons: userExits.named(strings),
      masks: this.#masks,
      latency: known(ledger.firstLatency(0.5)),
      latency99: known(ledger.firstLatency(0.99)),
      guestLatency: known(ledger.latency(0.5)),
      guestLatency99: known(ledger.latency(0.99)),
      reasons: this.#reasons.named(strings),
      illegal: this.#illegal.named(strings),
      refused: Object.fromEntries([...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}
