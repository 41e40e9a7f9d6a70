/**
 * Which thread runs which virtual CPU. Records of KVM print the number of a virtual CPU and not its machine, and every machine has a virtual
 * CPU 0. A thread runs one virtual CPU of one machine, so that two threads with the same number are two virtual CPUs: the first one is
 * `vcpu/<n>`, others are `vcpu/<n>@<thread>`. Threads of one process (TGID column) with the same number are one virtual CPU that changed its thread.
 */
import type { ObjectId } from '../../base/ids.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { vcpuObject } from '../objects.ts';

/** What shows that there are several virtual machines. */
export type Shows = 'thread' | 'process' | 'descriptor';

/** The names that VMMs give the threads of virtual CPUs: QEMU, Firecracker, cloud-hypervisor and crosvm. */
const NAMED = /^(?:CPU (\d+)\/KVM|(?:fc_vcpu |(?:crosvm_)?vcpu)(\d+))-\d+$/;

/** A thread, and the process that it is of; -1 where the text does not tell that. */
interface Runner {
  readonly thread: number;
  readonly process: number;
  readonly object: ObjectId;
}

export class VirtualCpus {
  readonly #out: TraceBuilder;
  readonly #several: (shows: Shows) => void;
  /** The virtual CPU that each thread runs. */
  readonly #current = new Map<number, { readonly n: number; readonly object: ObjectId }>();
  /** The threads that ran the virtual CPUs of a number. */
  readonly #runners = new Map<number, Runner[]>();
  /** The first thread of the virtual CPUs of a number: one that ran it, or has its name. */
  readonly #first = new Map<number, { readonly thread: number; readonly process: number }>();
  /** Address of the posted-interrupt descriptor of a virtual CPU, by its number: it never changes. */
  readonly #descriptors = new Map<number, string>();
  /** The process of virtual machines that was seen first; -1: none yet. */
  #process = -1;

  /** `several`: called when a record shows that there is another virtual machine. */
  constructor(out: TraceBuilder, several: (shows: Shows) => void) {
    this.#out = out;
    this.#several = several;
  }

  /** A thread runs a virtual CPU of that number, as a record of its own says; its object. */
  runs(n: number, thread: number, process: number): ObjectId {
    const current = this.#current.get(thread);
    if (current?.n === n) return current.object;
    if (thread < 0) return this.named(n);
    const runners = this.#runners.get(n) ?? [];
    let runner = runners.find((one) => one.thread === thread || (process >= 0 && one.process === process));
    if (runner === undefined) {
      const { world } = this.#out;
      this.#knows(n, thread, process);
      const object = runners.length === 0 ? vcpuObject(world, n) : world.object(vcpu, `vcpu/${n}@${thread}`);
      runner = { thread, process, object };
      this.#runners.set(n, [...runners, runner]);
    }
    this.belongsTo(process);
    this.#current.set(thread, { n, object: runner.object });
    return runner.object;
  }

  /** The virtual CPU that a thread runs; -1 where that is not known. */
  of(thread: number): ObjectId {
    return this.#current.get(thread)?.object ?? -1;
  }

  /**
   * The virtual CPU of that number that a record of any context names; -1 where several have it. `thread`: the thread in whose own context
   * (not in an interrupt) the record was made: KVM acts for its machine there.
   */
  named(n: number, thread = -1): ObjectId {
    const current = this.#current.get(thread);
    if (current?.n === n) return current.object;
    const runners = this.#runners.get(n);
    if (runners === undefined) return vcpuObject(this.#out.world, n);
    return runners.length === 1 ? runners[0]!.object : -1;
  }

  /** A task was seen (`comm-pid`): its name may be that of a virtual CPU. */
  sees(task: string, thread: number, process: number): void {
    const m = NAMED.exec(task);
    if (m === null || thread < 0) return;
    this.#knows(Number(m[1] ?? m[2]), thread, process);
  }

  #knows(n: number, thread: number, process: number): void {
    const known = this.#first.get(n);
    if (known === undefined) this.#first.set(n, { thread, process });
    else if (known.thread !== thread && !(process >= 0 && known.process === process)) this.#several('thread');
  }

  /** A process acts for a virtual machine. */
  belongsTo(process: number): void {
    if (process < 0) return;
    if (this.#process < 0) this.#process = process;
    else if (this.#process !== process) this.#several('process');
  }

  /** The descriptor of a virtual CPU lies at an address. */
  liesAt(n: number, address: string): void {
    const known = this.#descriptors.get(n);
    if (known === undefined) this.#descriptors.set(n, address);
    else if (known !== address) this.#several('descriptor');
  }
}
