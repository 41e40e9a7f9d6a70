import type { ObjectId } from '../../base/ids.ts';
import { sysEntry, sysExit } from '../../model/events/cpu.ts';
import { merged } from '../../model/events/outcome.ts';
import { cpuObject, vectorObject } from '../../model/events/places.ts';
import { piPost, piWrite } from '../../model/events/posted.ts';
import { packRegister } from '../../model/register.ts';
import { postedControl } from '../../model/registers/posted.ts';
import { destinationOf } from '../../model/registers/vtd.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import type { Message } from '../device/message.ts';
import type { Cpus, VectorHandler } from '../irq/cpus.ts';
import { host } from '../irq/host.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Setup } from '../setup.ts';
import { remapDomain, vtdUnit } from './remap-domain.ts';

/** POSTED_MSI_NOTIFICATION_VECTOR, and MAX_POSTED_MSI_COALESCING_LOOP (arch/x86/kernel/irq.c). */
const NOTIFICATION = 0xeb;
const PASSES = 3;
const NAME = 'posted_msi_notification';
/** Where the descriptors of CPUs lie in memory. */
const DESCRIPTORS = 0x160000000;
/** Nanoseconds that a notification needs, and a look at the PIR. */
const FLIGHT = 250;
const HARVEST = 100;

/** A CPU with its descriptor. */
interface PostedCpu {
  readonly cpu: number;
  readonly object: ObjectId;
  /** The cause behind each bit of the PIR. */
  readonly causes: Map<number, number>;
  on: boolean;
}

/** Posted MSI of the host: a descriptor for each CPU, one notification vector, and a handler that serves what the PIR holds. */
class PostedMsi {
  readonly machine: Machine;
  readonly #cpus: Cpus;
  readonly #wide: boolean;
  readonly #served: VectorHandler | undefined;
  readonly #known = new Map<number, PostedCpu>();

  constructor(machine: Machine, cpus: Cpus, wide: boolean) {
    this.machine = machine;
    this.#cpus = cpus;
    this.#wide = wide;
    const { handler } = cpus;
    this.#served = handler;
    cpus.handler = (cpu, vector, eoi) =>
      vector === NOTIFICATION ? this.#demultiplex(cpu, eoi) : (handler?.(cpu, vector, eoi) ?? nothing());
  }

  /** Address of the descriptor of a CPU; it is set up when it is asked for first. */
  descriptor(cpu: number): number {
    const { machine } = this;
    if (!this.#known.has(cpu)) {
      const object = machine.world.child(piDescriptor, cpuObject(machine.state, cpu), 'pi');
      const one: PostedCpu = { cpu, object, causes: new Map(), on: false };
      this.#known.set(cpu, one);
      this.#control(one, false);
    }
    return DESCRIPTORS + cpu * 64;
  }

  #control(one: PostedCpu, on: boolean): void {
    one.on = on;
    const ndst = destinationOf(one.cpu, this.#wide);
    const control = packRegister(postedControl, { nv: NOTIFICATION, on: on ? 1 : 0, ndst });
    this.machine.emit(piWrite, one.object, { control });
  }

  /** The unit posts: false where the address is that of no CPU. */
  post(address: number, vector: number, message: Message): boolean {
    const { machine } = this;
    const one = this.#known.get((address - DESCRIPTORS) / 64);
    if (one === undefined) return false;
    const { cause } = message;
    const before = one.causes.get(vector);
    const notified = !one.on;
    machine.emit(piPost, one.object, { vector, set: true, notified });
    if (before === undefined) one.causes.set(vector, cause);
    else if (cause !== 0) machine.emit(merged, one.object, { cause, ...(before === 0 ? {} : { into: before }) });
    machine.ledger.note(cause, before === undefined ? 'inFlight' : 'merged', machine.now);
    if (!notified) return true;
    one.on = true;
    machine.after(FLIGHT, machine.actor, () => this.#cpus.accept(one.cpu, NOTIFICATION, 0));
    return true;
  }

  /** sysvec_posted_msi_notification: looks up to three times, clears ON before the last look, and ends all with one EOI. */
  *#demultiplex(cpu: number, eoi: () => void): Actions {
    const { machine } = this;
    const one = this.#known.get(cpu);
    const object = vectorObject(machine.state, cpu, NOTIFICATION);
    machine.emit(sysEntry, object, { name: NAME });
    if (one) {
      for (let pass = 1; pass < PASSES; pass++) if (!(yield* this.#harvest(one))) break;
      this.#control(one, false);
      yield* this.#harvest(one);
    }
    eoi();
    machine.emit(sysExit, object, { name: NAME });
  }

  /** Takes all bits of the PIR at once and serves their vectors; false: there was none. */
  *#harvest(one: PostedCpu): Actions<boolean> {
    const { machine } = this;
    yield HARVEST;
    const found = [...one.causes].sort((a, b) => a[0] - b[0]);
    one.causes.clear();
    for (const [vector] of found) machine.emit(piPost, one.object, { vector, set: false, notified: false });
    for (const [vector, cause] of found) {
      machine.ledger.take(cause, machine.now, one.cpu);
      // The flow of an edge-triggered interrupt without its EOI: the chip INTEL-IR-POST has none.
      if (this.#served) yield* this.#served(one.cpu, vector, () => {});
      machine.ledger.leave(one.cpu);
    }
    return found.length > 0;
  }
}

function* nothing(): Actions {}

/** Lets the VT-d unit of a host post the interrupts of the host itself. */
export function installPostedMsi(setup: Setup): void {
  const [unit, domain, at] = [setup.find(vtdUnit), setup.find(remapDomain), setup.find(host)];
  if (!unit || !domain || !at || setup.design.postedMsi === 'off') return;
  const part = new PostedMsi(setup.machine, at.cpus, unit.spec.eim);
  const before = unit.poster;
  unit.poster = (address, vector, urgent, message) =>
    part.post(address, vector, message) || before?.(address, vector, urgent, message) === true;
  domain.hostDescriptor = (cpu) => part.descriptor(cpu);
}
