import type { ObjectId } from '../../base/ids.ts';
import { sysEntry, sysExit } from '../../model/events/cpu.ts';
import { merged } from '../../model/events/outcome.ts';
import { vectorObject } from '../../model/events/places.ts';
import { piPost, piWrite } from '../../model/events/posted.ts';
import { packRegister } from '../../model/register.ts';
import { postedControl } from '../../model/registers/posted.ts';
import { apicIdOf, destinationOf } from '../../model/registers/vtd.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import type { Message } from '../device/message.ts';
import type { Cpus } from '../irq/cpus.ts';
import { host } from '../irq/host.ts';
import { placeOfVcpu, type Vm, vms } from '../kvm/vm.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { vtdUnit } from './remap-domain.ts';

/** Vector that notifies a CPU whose virtual CPU runs (POSTED_INTR_VECTOR), and one whose virtual CPU is blocked (wakeup). */
export const NOTIFY = 0xf2;
export const WAKEUP = 0xf1;

/** Where the descriptors lie in memory, 64 bytes each. */
const DESCRIPTORS = 0x140000000;
/** Nanoseconds that a notification needs from the unit to the CPU, and that its handlers take. */
const FLIGHT = 250;
const HANDLER = 400;

const P = piDescriptor.at;

/** Whether a virtual CPU runs, was put off its CPU while it could run, or waits for an interrupt. */
export type RunState = 'running' | 'preempted' | 'blocked';

/** What is written into the control word of a descriptor. */
interface Control {
  readonly nv: number;
  readonly sn: boolean;
  readonly on: boolean;
  readonly cpu?: number;
}

/** Virtual CPUs to which a remapping unit posts: by VT-d through descriptors, by AMD-Vi through APIC backing pages. */
export interface PostedInterrupts {
  /** A virtual CPU (`vcpu/<n>`) and the address to which entries lead that post to it; undefined: there is none. */
  of(vcpu: number): PostingTarget | undefined;
  has(vcpu: number): boolean;
  /** The virtual CPU to which entries post that lead to an address. */
  at(address: number): PostingTarget | undefined;
  /** The host runs it on one of its CPUs, takes it off its CPU, or the guest halts. */
  run(vcpu: number, cpu: number): Actions;
  preempt(vcpu: number): Actions;
  block(vcpu: number): Actions;
}

/** A virtual CPU to which a remapping unit can post. */
export interface PostingTarget {
  readonly vm: Vm;
  /** Number in `vcpu/<n>`. */
  readonly vcpu: number;
  readonly address: number;
}

/** A virtual CPU with its posted-interrupt descriptor. */
export interface PostedVcpu extends PostingTarget {
  /** Number in its machine. */
  readonly n: number;
  readonly object: ObjectId;
  run: RunState;
  /** CPU of the host that it runs on, or ran on last. */
  cpu: number;
  /** The cause behind each bit of the PIR; 0: none known. */
  readonly causes: Map<number, number>;
}

/**
 * Posted interrupts: what the remapping unit does with entries of the posted kind, what KVM does with the descriptors
 * when virtual CPUs come and go (arch/x86/kvm/vmx/posted_intr.c), and the two notification vectors on the host.
 */
export class VtdPostedInterrupts implements PostedInterrupts {
  readonly machine: Machine;
  readonly #cpus: Cpus;
  readonly #all: ReadonlyMap<number, Vm>;
  readonly #wide: boolean;
  readonly #known = new Map<number, PostedVcpu>();

  /** `wide`: x2APIC ids, 32 bits; else the destination is in bits 15:8. */
  constructor(machine: Machine, cpus: Cpus, all: ReadonlyMap<number, Vm>, wide: boolean) {
    this.machine = machine;
    this.#cpus = cpus;
    this.#all = all;
    this.#wide = wide;
    const before = cpus.handler;
    cpus.handler = (cpu, vector, eoi) => {
      // Handlers of system vectors end their interrupt first (apic_eoi in the entry code).
      if (vector === NOTIFY || vector === WAKEUP) eoi();
      if (vector === NOTIFY) return this.#notified(cpu);
      if (vector === WAKEUP) return this.#wake(cpu);
      return before ? before(cpu, vector, eoi) : nothing();
    };
  }

  /** The descriptor of a virtual CPU (`vcpu/<n>`); set up when it is asked for first. Undefined: there is no such virtual CPU. */
  of(vcpu: number): PostedVcpu | undefined {
    const known = this.#known.get(vcpu);
    if (known) return known;
    const place = placeOfVcpu(this.#all, vcpu);
    return place && this.#setUp(place.vm, place.n, vcpu);
  }

  #setUp(vm: Vm, n: number, vcpu: number): PostedVcpu {
    const { machine } = this;
    const one: PostedVcpu = {
      vm,
      vcpu,
      n,
      object: machine.world.child(piDescriptor, vm.vcpus.object(n), 'pi'),
      address: DESCRIPTORS + vcpu * 64,
      run: 'running',
      cpu: vm.vcpus.kvm(n).cpu,
      causes: new Map(),
    };
    this.#known.set(vcpu, one);
    const before = vm.vcpus.onEntry;
    vm.vcpus.onEntry = (entering) => {
      before?.(entering);
      if (entering === n) this.#synchronise(one);
    };
    machine.as(vm.vcpus.kvm(n), () => {
      this.#control(one, { nv: NOTIFY, sn: false, on: false });
    });
    return one;
  }

  /** Whether there is such a virtual CPU. */
  has(vcpu: number): boolean {
    return placeOfVcpu(this.#all, vcpu) !== undefined;
  }

  /** The virtual CPU whose descriptor lies at an address. */
  at(address: number): PostedVcpu | undefined {
    return [...this.#known.values()].find((one) => one.address === address);
  }

  /** Writes the control word. `cpu`: where notifications go, the CPU of the virtual CPU unless it is told. */
  #control(one: PostedVcpu, { nv, sn, on, cpu = one.cpu }: Control): void {
    const ndst = destinationOf(cpu, this.#wide);
    const control = packRegister(postedControl, { nv, sn: sn ? 1 : 0, on: on ? 1 : 0, ndst });
    this.machine.emit(piWrite, one.object, { control });
  }

  #read(one: PostedVcpu): { readonly on: boolean; readonly sn: boolean; readonly nv: number; readonly ndst: number } {
    const { state } = this.machine;
    const { on, sn, nv, ndst } = postedControl.f;
    const low = state.get(one.object, P.control);
    return {
      on: on.in(low),
      sn: sn.in(low),
      nv: nv.of(low),
      ndst: apicIdOf(ndst.of(state.get(one.object, P.control + ndst.word)), this.#wide),
    };
  }

  /** The unit posts: it sets the bit in the PIR and notifies, unless ON or SN prevents that. False: there is no such descriptor. */
  post(address: number, vector: number, urgent: boolean, message: Message): boolean {
    const { machine } = this;
    const one = this.at(address);
    if (!one) return false;
    const { on, sn, nv, ndst } = this.#read(one);
    const notified = (urgent || !sn) && !on;
    const before = one.causes.get(vector);
    machine.emit(piPost, one.object, { vector, set: true, notified });
    if (before === undefined) {
      one.causes.set(vector, message.cause);
      machine.ledger.note(message.cause, 'pending', machine.now);
    } else {
      if (message.cause !== 0)
        machine.emit(merged, one.object, { cause: message.cause, ...(before === 0 ? {} : { into: before }) });
      machine.ledger.note(message.cause, 'merged', machine.now);
    }
    const lost = notified && machine.tamper?.strikes('F56', one.object, machine.recorder.length - 1) === true;
    if (notified && !lost) machine.after(FLIGHT, machine.actor, () => this.#arrive(one, nv, ndst));
    return true;
  }

  /** A notification reaches a CPU. When the virtual CPU runs there, the processor serves it: the host sees nothing. */
  #arrive(one: PostedVcpu, vector: number, cpu: number): void {
    if (vector === NOTIFY && one.run === 'running' && one.cpu === cpu && !one.vm.vcpus.out(one.n))
      this.machine.as(one.vm.vcpus.kvm(one.n), () => this.#synchronise(one));
    else this.#cpus.accept(cpu, vector, 0);
  }

  /** Clears ON and moves what the PIR holds into the IRR of the virtual CPU. */
  #synchronise(one: PostedVcpu): void {
    const { machine } = this;
    const { on, sn, nv, ndst } = this.#read(one);
    if (on) this.#control(one, { nv, sn, on: false, cpu: ndst });
    for (const [vector, cause] of [...one.causes].sort((a, b) => b[0] - a[0])) {
      one.causes.delete(vector);
      machine.emit(piPost, one.object, { vector, set: false, notified: false });
      machine.ledger.note(cause, 'inFlight', machine.now);
      one.vm.vcpus.accept(one.n, vector, cause, true);
    }
  }

  /** The notification vector arrived while no virtual CPU ran there: the handler has nothing to do; the next entry takes the interrupt. */
  *#notified(cpu: number): Actions {
    const { machine } = this;
    const object = vectorObject(machine.state, cpu, NOTIFY);
    machine.emit(sysEntry, object, { name: 'kvm_posted_intr_ipi' });
    yield HANDLER;
    machine.emit(sysExit, object, { name: 'kvm_posted_intr_ipi' });
  }

  /** The wakeup handler: every virtual CPU that blocks on this CPU and has a notification outstanding runs again. */
  *#wake(cpu: number): Actions {
    const { machine } = this;
    const object = vectorObject(machine.state, cpu, WAKEUP);
    machine.emit(sysEntry, object, { name: 'kvm_posted_intr_wakeup_ipi' });
    yield HANDLER;
    for (const [vcpu, one] of this.#known)
      if (one.run === 'blocked' && one.cpu === cpu && this.#read(one).on)
        machine.spawn(one.vm.vcpus.kvm(one.n), this.run(vcpu, cpu), HANDLER);
    machine.emit(sysExit, object, { name: 'kvm_posted_intr_wakeup_ipi' });
  }

  /** vcpu_load and entry: notifications go to this CPU from now on; what was posted meanwhile is taken at entry. */
  *run(vcpu: number, cpu: number): Actions {
    const one = this.of(vcpu);
    if (!one) return;
    const { vm, n } = one;
    if (one.run === 'running') {
      if (one.cpu === cpu) return;
      yield* this.preempt(vcpu);
    }
    const before = one.cpu;
    one.cpu = cpu;
    vm.vcpus.place(n, cpu);
    one.run = 'running';
    const { tamper } = this.machine;
    // Planted faults: vmx_vcpu_pi_load does not clear SN, or leaves NDST as it is.
    const sn = tamper?.spoils('F55', one.object) === true;
    const ndst = before !== cpu && tamper?.spoils('F57', one.object) === true ? before : cpu;
    this.machine.as(vm.vcpus.kvm(n), () =>
      this.#control(one, { nv: NOTIFY, sn, on: one.causes.size > 0 || this.#read(one).on, cpu: ndst }),
    );
    yield* vm.vcpus.enter(n);
  }

  /** The scheduler of the host takes the virtual CPU off its CPU: posts are recorded, but no notification is sent. */
  *preempt(vcpu: number): Actions {
    const one = this.of(vcpu);
    if (one?.run !== 'running') return;
    const { vm, n } = one;
    yield* vm.vcpus.exit(n, 'EXTERNAL_INTERRUPT');
    one.run = 'preempted';
    this.machine.as(vm.vcpus.kvm(n), () => this.#control(one, { nv: NOTIFY, sn: true, on: this.#read(one).on }));
  }

  /** The guest halts: notifications come as the wakeup vector. One that is outstanding already is sent again, to this CPU itself. */
  *block(vcpu: number): Actions {
    const one = this.of(vcpu);
    if (one?.run !== 'running') return;
    const { vm, n } = one;
    yield* vm.vcpus.ask(n, 'HLT');
    const { on } = this.#read(one);
    one.run = 'blocked';
    this.machine.as(vm.vcpus.kvm(n), () => this.#control(one, { nv: WAKEUP, sn: false, on }));
    if (on) this.#cpus.accept(one.cpu, WAKEUP, 0);
  }
}

function* nothing(): Actions {}

/** Posted interrupts of the system, where it has a remapping unit that posts and virtual machines. */
export const postedInterrupts: Service<PostedInterrupts> = service<PostedInterrupts>('posted interrupts');

/** Lets the remapping unit post to virtual CPUs. */
export function installPosted(setup: Setup): void {
  const unit = setup.find(vtdUnit);
  const all = setup.find(vms);
  const at = setup.find(host);
  if (!unit || !all || !at) return;
  const part = new VtdPostedInterrupts(setup.machine, at.cpus, all, unit.spec.eim);
  setup.provide(postedInterrupts, part);
  unit.poster = (address, vector, urgent, message) => part.post(address, vector, urgent, message);
}
