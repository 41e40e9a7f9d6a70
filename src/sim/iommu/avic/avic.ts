import type { ObjectId } from '../../../base/ids.ts';
import { merged } from '../../../model/events/outcome.ts';
import { avicDoorbell, avicEntry, avicIncompleteIpi, avicPost, avicWake } from '../../../model/events/platform/avic.ts';
import { packRegister } from '../../../model/register.ts';
import { avicPhysicalId } from '../../../model/registers/amd.ts';
import { avic as avicType } from '../../../model/things/avic.ts';
import type { Design } from '../../design.ts';
import type { Message } from '../../device/message.ts';
import { placeOfVcpu, type Vm } from '../../kvm/vm.ts';
import type { Actions, Machine } from '../../machine.ts';
import type { AmdUnit, GuestEntry, GuestPages, GuestState } from '../amd-unit.ts';
import type { PostedInterrupts, PostingTarget, RunState } from '../posted-interrupts.ts';
import type { GaLog } from './ga-log.ts';

/** Where the APIC backing pages lie in memory. */
const PAGES = 0x150000000;
/** Nanoseconds that a doorbell needs, that KVM needs to emulate an ICR write, and until a woken virtual CPU is loaded. */
const FLIGHT = 250;
const EMULATE = 900;
const WAKE = 400;
/** AVIC_PHYSICAL_MAX_INDEX_MASK of Linux 7.2: so many bits of a GATag are the number of the virtual CPU in its machine. */
const INDEX_BITS = 12;
/** AVIC_IPI_FAILURE_TARGET_NOT_RUNNING. */
const TARGET_NOT_RUNNING = 1;

/** A virtual CPU with its APIC backing page. */
interface AvicVcpu extends PostingTarget {
  readonly n: number;
  readonly object: ObjectId;
  readonly tag: number;
  run: RunState;
  cpu: number;
  /** Where the first request stands that came since it was put; -1: none did. */
  since: number;
  /** What the entries of the remapping table say. */
  entry: GuestState;
  /** The cause behind each request of the page; 0: none known. */
  readonly causes: Map<number, number>;
}

/**
 * AVIC and the AMD IOMMU (arch/x86/kvm/svm/avic.c): backing pages, IsRunning of the physical APIC ID table, guest entries of the remapping table, doorbells,
 * the GA log. With AVIC off KVM emulates the local APICs, and virtual CPUs only come and go.
 */
export class Avic implements PostedInterrupts, GuestPages {
  readonly machine: Machine;
  readonly #unit: AmdUnit;
  readonly #log: GaLog;
  readonly #all: ReadonlyMap<number, Vm>;
  readonly #mode: Design['avic'];
  readonly #logsAlways: boolean;
  readonly #known = new Map<number, AvicVcpu>();

  constructor(unit: AmdUnit, log: GaLog, all: ReadonlyMap<number, Vm>, mode: Design['avic'], logsAlways: boolean) {
    this.machine = unit.machine;
    this.#unit = unit;
    this.#log = log;
    this.#all = all;
    this.#mode = mode;
    this.#logsAlways = logsAlways;
  }

  of(vcpu: number): AvicVcpu | undefined {
    const known = this.#known.get(vcpu);
    if (known) return known;
    const place = placeOfVcpu(this.#all, vcpu);
    return place && this.#setUp(place.vm, place.n, vcpu);
  }

  has(vcpu: number): boolean {
    return placeOfVcpu(this.#all, vcpu) !== undefined;
  }

  at(address: number): AvicVcpu | undefined {
    return [...this.#known.values()].find((one) => one.address === address);
  }

  stateOf(page: number): GuestState | undefined {
    return this.at(page)?.entry;
  }

  #setUp(vm: Vm, n: number, vcpu: number): AvicVcpu {
    const { cpu } = vm.vcpus.kvm(n);
    // KVM numbers its machines from 1 for tags.
    const tag = (vm.id + 1) * 2 ** INDEX_BITS + n;
    const one: AvicVcpu = {
      vm,
      vcpu,
      n,
      tag,
      address: PAGES + vcpu * 0x1000,
      object: this.machine.world.child(avicType, vm.vcpus.object(n), 'avic'),
      run: 'running',
      cpu,
      since: -1,
      entry: { isRun: true, dest: cpu, logs: this.#logsAlways, tag },
      causes: new Map(),
    };
    this.#known.set(vcpu, one);
    const { onEntry, onAccept } = vm.vcpus;
    vm.vcpus.onEntry = (entering) => {
      onEntry?.(entering);
      if (entering === n) this.#evaluate(one);
    };
    vm.vcpus.onAccept = (accepting) => {
      onAccept?.(accepting);
      if (accepting === n) this.#wake(one);
    };
    if (this.#mode !== 'off') this.machine.as(vm.vcpus.kvm(n), () => this.#table(one, true));
    return one;
  }

  /** Writes the entry of the physical APIC ID table. */
  #table(one: AvicVcpu, runs: boolean): void {
    const isRunning = runs && this.#mode === 'on' ? 1 : 0;
    const value = packRegister(avicPhysicalId, {
      host: one.cpu,
      page: one.address / 0x1000,
      isRunning,
      valid: 1,
    });
    this.machine.emit(avicEntry, one.object, { value });
  }

  /** Writes IsRun, Destination and GALogIntr into the table entries of a virtual CPU. */
  #entries(one: AvicVcpu, isRun: boolean, logs: boolean): void {
    one.entry = { ...one.entry, isRun, dest: isRun ? one.cpu : one.entry.dest, logs: logs || this.#logsAlways };
    this.#unit.update(one.address);
  }

  #request(one: AvicVcpu, vector: number, cause: number, signal: string): void {
    const { machine } = this;
    const before = one.causes.get(vector);
    machine.emit(avicPost, one.object, { vector, set: true, signal });
    if (one.since < 0) one.since = machine.recorder.length - 1;
    if (before === undefined) one.causes.set(vector, cause);
    else if (cause !== 0) machine.emit(merged, one.object, { cause, ...(before === 0 ? {} : { into: before }) });
    machine.ledger.note(cause, before === undefined ? 'pending' : 'merged', machine.now);
  }

  post({ page, vector, isRun, dest, logs, tag }: GuestEntry, message: Message): void {
    const one = this.at(page);
    if (one === undefined) return;
    this.#request(one, vector, message.cause, isRun ? 'doorbell' : logs ? 'galog' : 'none');
    if (isRun) this.#ring(one, dest);
    else if (logs) this.#log.write(tag);
  }

  #ring(one: AvicVcpu, cpu: number): void {
    this.machine.after(FLIGHT, this.machine.actor, () => this.#arrive(one, cpu));
  }

  /** A doorbell reaches a CPU: one that does not run the virtual CPU ignores it. */
  #arrive(one: AvicVcpu, cpu: number): void {
    const { vcpus } = one.vm;
    const actor = { ...vcpus.kvm(one.n), cpu };
    this.machine.as(actor, () => {
      this.machine.emit(avicDoorbell, vcpus.object(one.n), { apicId: cpu });
      if (one.run === 'running' && one.cpu === cpu && !vcpus.out(one.n)) this.#evaluate(one);
    });
  }

  /** The processor evaluates the IRR of the page: at a doorbell, and when it enters the guest. */
  #evaluate(one: AvicVcpu): void {
    const { machine } = this;
    for (const [vector, cause] of [...one.causes].sort((a, b) => b[0] - a[0])) {
      one.causes.delete(vector);
      machine.emit(avicPost, one.object, { vector, set: false });
      machine.ledger.note(cause, 'inFlight', machine.now);
      one.vm.vcpus.accept(one.n, vector, cause, true);
    }
  }

  #wake(one: AvicVcpu): void {
    if (one.run !== 'blocked') return;
    this.machine.spawn(one.vm.vcpus.kvm(one.n), this.run(one.vcpu, one.cpu), WAKE);
  }

  /** avic_ga_log_notifier: KVM looks the tag up and wakes the virtual CPU. */
  notify(tag: number): void {
    for (const one of this.#known.values()) {
      if (one.tag !== tag) continue;
      // A planted fault: the tag is not found.
      if (this.machine.tamper?.strikes('R20', one.object, one.since)) return;
      const { vcpus } = one.vm;
      const event = { vm: Math.floor(tag / 2 ** INDEX_BITS), index: tag % 2 ** INDEX_BITS };
      this.machine.as({ layer: 'kvm', name: 'galog', cpu: this.machine.actor.cpu }, () =>
        this.machine.emit(avicWake, vcpus.object(one.n), event),
      );
      this.#wake(one);
    }
  }

  /** avic_vcpu_load and entry. */
  *run(vcpu: number, cpu: number): Actions {
    const one = this.of(vcpu);
    if (!one) return;
    const { vm, n } = one;
    if (one.run === 'running') {
      if (one.cpu === cpu) return;
      yield* this.preempt(vcpu);
    }
    one.cpu = cpu;
    vm.vcpus.place(n, cpu);
    one.run = 'running';
    this.#load(one, true, false);
    yield* vm.vcpus.enter(n);
  }

  *preempt(vcpu: number): Actions {
    yield* this.#put(vcpu, 'preempted', 'interrupt');
  }

  /** The guest halts. What came meanwhile keeps it from sleeping (kvm_vcpu_check_block). */
  *block(vcpu: number): Actions {
    yield* this.#put(vcpu, 'blocked', 'hlt');
    const one = this.of(vcpu);
    if (one?.run === 'blocked' && (one.causes.size > 0 || one.vm.vcpus.waits(one.n))) yield* this.run(vcpu, one.cpu);
  }

  *#put(vcpu: number, run: RunState, reason: string): Actions {
    const one = this.of(vcpu);
    if (one?.run !== 'running') return;
    yield* one.vm.vcpus.exit(one.n, reason);
    one.run = run;
    one.since = -1;
    this.#load(one, false, run === 'blocked');
  }

  #load(one: AvicVcpu, runs: boolean, blocks: boolean): void {
    if (this.#mode === 'off') return;
    this.machine.as(one.vm.vcpus.kvm(one.n), () => {
      this.#table(one, runs);
      // A planted fault: avic_vcpu_put does not tell the IOMMU.
      if (runs || !this.machine.tamper?.spoils('R21', one.object)) this.#entries(one, runs, blocks);
    });
  }

  /** A virtual CPU writes its ICR: an interprocessor interrupt to another one of its machine. */
  *ipi(from: number, to: number, vector: number): Actions {
    const [source, target] = [this.of(from), this.of(to)];
    if (!source || !target || source.run !== 'running') return;
    const { vcpus } = source.vm;
    if (this.#mode === 'off') {
      yield* vcpus.exit(source.n, 'msr');
      yield EMULATE;
      target.vm.vcpus.accept(target.n, vector, 0);
      yield* vcpus.enter(source.n);
      return;
    }
    const word = this.machine.state.get(target.object, avicType.at.entry + 1);
    const running = avicPhysicalId.f.isRunning.in(word);
    this.machine.as(vcpus.guest(source.n), () => this.#request(target, vector, 0, running ? 'doorbell' : 'none'));
    if (running) {
      this.#ring(target, target.cpu);
      return;
    }
    yield* vcpus.exit(source.n, 'avic_incomplete_ipi');
    this.machine.as(vcpus.kvm(source.n), () =>
      this.machine.emit(avicIncompleteIpi, vcpus.object(source.n), {
        high: target.n,
        low: vector,
        reason: TARGET_NOT_RUNNING,
        index: target.n,
      }),
    );
    yield EMULATE;
    // avic_kick_target_vcpus: a doorbell by software where it runs after all.
    if (target.run === 'running') this.#ring(target, target.cpu);
    else this.#wake(target);
    yield* vcpus.enter(source.n);
  }
}
