import { vcpuSched } from '../../model/events/virt.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { nanoseconds, type VmSpec } from '../scenario-schema.ts';

/** Nanoseconds that a CPU of the host takes to go from one thread to another. */
const SWITCH = 1000;
/** Nanoseconds between two looks of a thread that waits for its turn. */
const LOOK = 500;
/** Nanoseconds until a guest that has nothing to do executes HLT. */
const IDLE = 200;

/** Virtual CPUs that share CPUs of the host. */
export interface VcpuShare {
  /** How many CPUs of the host they share: the first ones. */
  readonly cpus: number;
  /** Nanoseconds that one of them runs while another one waits. */
  readonly slice: number;
  /** Until when a program of the guest computes on each of them; then they halt, and only interrupts wake them. */
  readonly until: number;
}

/** How the virtual CPUs of a machine share CPUs of the host; undefined where each has its own. */
export const shareOf = ({ share }: VmSpec): VcpuShare | undefined =>
  share && { cpus: share.cpus, slice: nanoseconds(share.slice), until: nanoseconds(share.until) };

/** What the scheduler needs of the virtual CPUs of a machine. */
interface Threads {
  readonly machine: Machine;
  readonly count: number;
  object(n: number): number;
  kvm(n: number): Actor;
  /** Whether it is out of the guest. */
  out(n: number): boolean;
  /** Whether a handler of the guest runs on it, and whether one has to. */
  serves(n: number): boolean;
  waits(n: number): boolean;
  exit(n: number, reason: string): Actions;
  enter(n: number): Actions;
}

/** A CPU of the host that virtual CPUs share. */
interface HostCpu {
  readonly actor: Actor;
  /** Those that wait for their turn, in order. */
  readonly queue: number[];
  /** The one whose thread is on the CPU. */
  current: number | undefined;
  /** Counts turns: the end of a slice is that of its own turn. */
  turn: number;
  /** The slice has ended: the thread gives up the CPU before it enters the guest again. */
  over: boolean;
  armed: boolean;
}

/**
 * The scheduler of the host for the threads of virtual CPUs that share CPUs: in turns, a slice each. A thread has the CPU in the guest and in its
 * exits, so what exits take is missing from the time of the guest. A thread whose slice has ended leaves the guest, as the timer of the host
 * interrupts it, and gives up the CPU when KVM would enter the guest again.
 */
export class VcpuScheduler {
  readonly #vcpus: Threads;
  readonly #share: VcpuShare;
  readonly #cpus: readonly HostCpu[];
  /** Threads that wait in the middle of what they do: they go on by themselves when it is their turn. */
  readonly #parked = new Set<number>();
  /** Threads that sleep, in HLT. */
  readonly #asleep = new Set<number>();
  readonly #halting = new Set<number>();

  constructor(vcpus: Threads, share: VcpuShare) {
    this.#vcpus = vcpus;
    this.#share = share;
    this.#cpus = Array.from({ length: share.cpus }, (_, cpu) => ({
      actor: { layer: 'cpu', name: `cpu${cpu}`, cpu },
      queue: [],
      current: undefined,
      turn: 0,
      over: false,
      armed: false,
    }));
  }

  #cpu(n: number): HostCpu {
    return this.#cpus[n % this.#cpus.length]!;
  }

  /** All threads want to run; the first of each CPU does. */
  start(): void {
    const { count, machine } = this.#vcpus;
    for (let n = 0; n < count; n++) this.#cpu(n).queue.push(n);
    for (const cpu of this.#cpus) {
      this.#next(cpu);
      machine.at(this.#share.until, cpu.actor, () => {
        if (cpu.current !== undefined) this.settled(cpu.current);
      });
    }
  }

  /** Whether the guest has something to do on a virtual CPU. */
  #works(n: number): boolean {
    const vcpus = this.#vcpus;
    return vcpus.machine.now < this.#share.until || vcpus.serves(n) || vcpus.waits(n);
  }

  /** The next thread in the queue gets the CPU. */
  #next(cpu: HostCpu): void {
    const n = cpu.queue.shift();
    cpu.current = n;
    cpu.over = false;
    cpu.turn++;
    cpu.armed = false;
    if (n === undefined) return;
    this.#arm(cpu);
    if (!this.#parked.has(n)) this.#vcpus.machine.start(this.#vcpus.kvm(n), this.#resume(n));
  }

  #arm(cpu: HostCpu): void {
    const { machine } = this.#vcpus;
    const { turn } = cpu;
    cpu.armed = true;
    machine.at(machine.now + this.#share.slice, cpu.actor, () => this.#tick(cpu, turn));
  }

  /** The slice ends: where another thread waits, the timer of the host takes the virtual CPU out of the guest. */
  #tick(cpu: HostCpu, turn: number): void {
    const n = cpu.current;
    if (cpu.turn !== turn || n === undefined) return;
    cpu.armed = false;
    if (cpu.queue.length === 0) {
      if (this.#vcpus.machine.now < this.#share.until) this.#arm(cpu);
      return;
    }
    cpu.over = true;
    if (!this.#vcpus.out(n)) this.#vcpus.machine.start(this.#vcpus.kvm(n), this.#interrupted(n));
  }

  *#interrupted(n: number): Actions {
    yield* this.#vcpus.exit(n, 'EXTERNAL_INTERRUPT');
    yield* this.#vcpus.enter(n);
  }

  #tell(n: number, on: boolean, sleeps?: boolean): void {
    const vcpus = this.#vcpus;
    vcpus.machine.as(vcpus.kvm(n), () =>
      vcpus.machine.emit(vcpuSched, vcpus.object(n), { on, ...(sleeps === undefined ? {} : { sleeps }) }),
    );
  }

  *#resume(n: number): Actions {
    this.#tell(n, true);
    yield SWITCH;
    yield* this.#vcpus.enter(n);
  }

  /** Before KVM enters the guest: a thread whose slice has ended waits for its next turn. */
  *gate(n: number): Actions {
    const cpu = this.#cpu(n);
    if (cpu.current !== n || !cpu.over) return;
    this.#tell(n, false, false);
    cpu.queue.push(n);
    this.#parked.add(n);
    this.#next(cpu);
    while (cpu.current !== n) yield LOOK;
    this.#parked.delete(n);
    this.#tell(n, true);
    yield SWITCH;
  }

  /** A virtual CPU is in the guest and no handler runs: without a program it halts. */
  settled(n: number): void {
    const { machine } = this.#vcpus;
    if (this.#cpu(n).current !== n || this.#works(n) || this.#halting.has(n)) return;
    this.#halting.add(n);
    machine.spawn(this.#vcpus.kvm(n), this.#halt(n), IDLE);
  }

  *#halt(n: number): Actions {
    const vcpus = this.#vcpus;
    if (!this.#works(n)) {
      yield* vcpus.exit(n, 'HLT');
      if (this.#works(n)) yield* vcpus.enter(n);
      else {
        this.#asleep.add(n);
        this.#tell(n, false, true);
        this.#next(this.#cpu(n));
      }
    }
    this.#halting.delete(n);
  }

  /** A local APIC accepted a vector: a thread that sleeps wants to run. */
  wake(n: number): void {
    if (!this.#asleep.delete(n)) return;
    const cpu = this.#cpu(n);
    this.#tell(n, false, false);
    cpu.queue.push(n);
    if (cpu.current === undefined) this.#next(cpu);
    else if (!cpu.armed) this.#arm(cpu);
  }
}
