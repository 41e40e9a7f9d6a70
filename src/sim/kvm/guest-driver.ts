import type { ObjectId } from '../../base/ids.ts';
import { vecConfig } from '../../model/events/vector.ts';
import { x86AddressFor } from '../../model/registers/x86.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { type AffinityResult, type Composed, type Destination, type Domain, errno, type Irq } from '../irq/domain.ts';
import type { IrqCore } from '../irq/irq-core.ts';
import { type FlushRead, type MsixDomain, maskEntry, type TableAccess } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';

/** First vector that a guest kernel hands out. */
const FIRST_GUEST_VECTOR = 0x21;
const LAST_GUEST_VECTOR = 0xeb;
/** Nanoseconds that a guest handler works between its accesses. */
const HANDLER = 1500;

/** The vector domain of a guest kernel: one vector of one virtual CPU for each irq, handed out in turn. */
export class GuestVectors implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent = undefined;
  readonly machine: Machine;
  readonly vcpus: number;
  readonly #targets = new Map<Irq, Destination>();
  readonly #used = new Map<string, Irq>();
  /** The vector that an irq had before: what is under way to it is still handled, until the irq moves again. */
  readonly #previous = new Map<Irq, Destination>();
  #turn = 0;

  constructor(machine: Machine, prefix: string, vcpus: number) {
    this.machine = machine;
    this.vcpus = vcpus;
    this.name = 'VECTOR';
    this.object = machine.world.object(domainType, `${prefix}domain/VECTOR`);
  }

  /** The irq that a vector of a virtual CPU stands for. */
  irqAt(vcpu: number, vector: number): Irq | undefined {
    return this.#used.get(`${vcpu} ${vector}`);
  }

  /** Where an irq goes. */
  target(irq: Irq): Destination {
    return this.#targets.get(irq) ?? { cpu: 0, vector: 0 };
  }

  *alloc(irq: Irq): Actions<number> {
    if (irq.affinity.length > 0) return this.#place(irq, this.#best(irq.affinity));
    return this.#place(irq, this.#turn++ % this.vcpus);
  }

  /** The virtual CPU of a mask with most vectors left; the first of several (irq_matrix_alloc). -1: none of them is there. */
  #best(mask: readonly number[]): number {
    const used = new Map(mask.filter((n) => n < this.vcpus).map((n) => [n, 0]));
    for (const key of this.#used.keys()) {
      const n = Number.parseInt(key, 10);
      const count = used.get(n);
      if (count !== undefined) used.set(n, count + 1);
    }
    const [best] = [...used].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    return best?.[0] ?? -1;
  }

  #place(irq: Irq, vcpu: number): number {
    if (vcpu < 0 || vcpu >= this.vcpus) return errno.EINVAL;
    for (let vector = FIRST_GUEST_VECTOR; vector <= LAST_GUEST_VECTOR; vector++) {
      if (this.#used.has(`${vcpu} ${vector}`)) continue;
      this.#leave(irq);
      this.#used.set(`${vcpu} ${vector}`, irq);
      this.#targets.set(irq, { cpu: vcpu, vector });
      this.machine.emit(vecConfig, irq.object, { vector, cpu: vcpu, apicDest: vcpu });
      return 0;
    }
    return errno.ENOSPC;
  }

  /** The vector at hand becomes the previous one; the one before it is free. */
  #leave(irq: Irq): void {
    const before = this.#previous.get(irq);
    if (before) this.#used.delete(`${before.cpu} ${before.vector}`);
    const now = this.#targets.get(irq);
    if (now) this.#previous.set(irq, now);
  }

  *free(irq: Irq): Actions {
    for (const map of [this.#targets, this.#previous]) {
      const at = map.get(irq);
      if (at) this.#used.delete(`${at.cpu} ${at.vector}`);
      map.delete(irq);
    }
  }

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(): Actions {}

  compose(irq: Irq): Composed {
    const target = this.target(irq);
    return { address: x86AddressFor(target.cpu), data: target.vector };
  }

  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const at = this.#targets.get(irq);
    if (at && cpus.includes(at.cpu)) return 'done';
    const ret = this.#place(irq, this.#best(cpus));
    return ret < 0 ? ret : 'ok';
  }
}

/** What the code of a guest's kernel needs. */
export interface GuestKernel {
  readonly core: IrqCore;
  readonly guestAccess: TableAccess;
  /** How it makes sure that a mask bit has reached the table. */
  readonly flushRead: FlushRead;
  msixDomain(fn: PciFunction): MsixDomain;
  guestControl(fn: PciFunction, enable: boolean, fmask: boolean): Actions;
}

/** How a driver of the guest behaves. */
export interface GuestDriver {
  readonly name: string;
  /** Vectors that it uses. */
  readonly irqs: number;
  /** Masks and unmasks its entry at every interrupt, each with a read back, as Linux 2.6 did under load (S2-42, S2-43). */
  readonly maskEach: boolean;
}

/** The guest kernel enables MSI-X, allocates, programs the table and requests its interrupts. The virqs, or a negative errno. */
export function* driveGuest(vm: GuestKernel, fn: PciFunction, driver: GuestDriver): Actions<number[] | number> {
  const { core } = vm;
  const domain = vm.msixDomain(fn);
  yield* vm.guestControl(fn, true, true);
  const virqs: number[] = [];
  for (let i = 0; i < driver.irqs; i++) {
    const virq = yield* core.alloc({ domain, hwirq: i, device: fn, owner: driver.name });
    if (virq < 0) return virq;
    const irq = core.irq(virq)!;
    const ret = yield* core.activate(irq, true);
    if (ret < 0) return ret;
    virqs.push(virq);
  }
  yield* vm.guestControl(fn, true, false);
  for (const [i, virq] of virqs.entries()) {
    const handler = driver.maskEach ? () => maskingHandler(vm, fn, i) : undefined;
    yield* core.request(virq, `${driver.name}-${i}`, handler);
  }
  return virqs;
}

/** A flow that masks at the device, works and unmasks: every step a write and what flushes it. */
function* maskingHandler(vm: GuestKernel, fn: PciFunction, index: number): Actions {
  for (const masked of [true, false]) {
    yield* maskEntry(vm.guestAccess, fn, index, masked, vm.flushRead);
    if (masked) yield HANDLER;
  }
}
