import { untold } from '../../model/events/outcome.ts';
import { queueComplete, queueDma, queueSubmit } from '../../model/events/queue.ts';
import { checkHandle, EXECUTION, type HandleCheck, STATUS } from '../device/completion-handles.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { drop } from '../drop.ts';
import { errno } from '../irq/domain.ts';
import type { ImsFunction } from '../irq/ims-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { HandleTable } from './handle-table.ts';
import { PASID_NOT_PRESENT, type PasidTable } from './pasid-table.ts';

/** A descriptor, as far as interrupts go. */
export interface Descriptor {
  /** PASID that its submission carries. */
  readonly pasid: number;
  /** Interrupt handle that it names; undefined: it asks for no completion interrupt. */
  readonly handle: number | undefined;
  /** Where its completion record lies, in the address space of the PASID. */
  readonly record: number;
}

/** What the work of queues needs of their function. */
export interface WorkPlace {
  readonly machine: Machine;
  readonly fn: PciFunction;
  readonly pasids: PasidTable;
  readonly ims: ImsFunction | undefined;
  readonly handles: HandleTable;
  readonly limits: { readonly depth: number };
  object(n: number): number;
  state(n: number): string;
  front(n: number): string;
  /** The handle that a user of a queue has now; -1 none. */
  handle(n: number, pasid: number): number;
}

/** Nanoseconds until the driver submits a descriptor with an invalid handle again. */
const RETRY = 10_000;

const UNIT: Actor = { layer: 'remap-unit', name: 'dma', cpu: -1 };

/**
 * What queues do with descriptors: hold them, carry them out, write completion records with the PASID of the
 * descriptor, and raise the interrupt that the handle names, if the PASID may use it.
 */
export class QueueWork {
  readonly machine: Machine;
  readonly #queues: WorkPlace;
  readonly #held = new Map<number, number>();
  /** Descriptors that wait, of queues whose submitters the driver stopped. */
  readonly #stopped = new Map<number, Descriptor[]>();

  constructor(queues: WorkPlace) {
    this.machine = queues.machine;
    this.#queues = queues;
  }

  /** Descriptors that a queue holds. */
  held(n: number): number {
    return this.#held.get(n) ?? 0;
  }

  /** Forgets a queue that was destroyed. */
  forget(n: number): void {
    this.#held.delete(n);
    this.#stopped.delete(n);
  }

  /** The driver stops the submitters of a queue: what they submit waits. */
  stop(n: number): void {
    if (!this.#stopped.has(n)) this.#stopped.set(n, []);
  }

  /** They go on. Each descriptor names the handle that its user has now. */
  start(n: number): void {
    const waiting = this.#stopped.get(n) ?? [];
    this.#stopped.delete(n);
    for (const descriptor of waiting) this.submit(n, this.#current(n, descriptor));
  }

  #current(n: number, descriptor: Descriptor): Descriptor {
    const handle = this.#queues.handle(n, descriptor.pasid);
    return descriptor.handle === undefined || handle < 0 ? descriptor : { ...descriptor, handle };
  }

  /** Waits until a queue holds nothing. */
  *drain(n: number): Actions {
    while (this.held(n) > 0) yield EXECUTION / 4;
  }

  /** Takes a descriptor that a user writes to the portal of a queue: 0; -EINVAL before it is enabled, -EAGAIN when it is full. */
  submit(n: number, descriptor: Descriptor): number {
    const { machine } = this;
    const queues = this.#queues;
    const { pasid, handle } = descriptor;
    const stopped = this.#stopped.get(n);
    if (stopped !== undefined) {
      stopped.push(descriptor);
      return 0;
    }
    const enabled = queues.state(n) === 'enabled';
    const ret = !enabled ? errno.EINVAL : this.held(n) >= queues.limits.depth ? errno.EAGAIN : 0;
    machine.emit(queueSubmit, queues.object(n), { pasid, handle, ...(ret < 0 ? { ret } : {}) });
    if (ret < 0) return ret;
    this.#held.set(n, this.held(n) + 1);
    machine.after(EXECUTION, queues.fn.actor, () => this.#complete(n, descriptor));
    return 0;
  }

  #complete(n: number, descriptor: Descriptor): void {
    const { pasid, handle, record } = descriptor;
    const { machine } = this;
    const queues = this.#queues;
    const object = queues.object(n);
    const { requester } = queues.fn;
    this.#held.set(n, this.held(n) - 1);
    const entry = queues.pasids.lookup(pasid);
    const access = { address: record, requester, pasid };
    if (entry) machine.emit(queueDma, object, { ...access, table: entry.table });
    else machine.as(UNIT, () => machine.emit(queueDma, object, { ...access, fault: PASID_NOT_PRESENT }));
    const checked = handle === undefined || !entry ? 'fits' : this.#check(handle, pasid);
    const status = !entry ? STATUS.translation : checked === 'differs' ? STATUS.handle : STATUS.success;
    if (checked !== 'unknown') machine.emit(queueComplete, object, { status, pasid, handle });
    if (handle === undefined) return;
    if (checked === 'fits' && entry) {
      queues.ims!.raise(queues.handles.entry(handle)!);
      return;
    }
    if (checked === 'differs' && entry && this.#again(n, descriptor)) return;
    const cause = machine.ledger.open(machine.now);
    if (checked === 'unknown') {
      machine.emit(untold, object, {
        what: 'the PASID in the IMS entry, which decides how the descriptor completes',
        cause,
      });
      machine.ledger.note(cause, 'untold', machine.now);
      return;
    }
    const reason = entry
      ? `interrupt handle ${handle} is not valid for PASID ${pasid}: completed without an interrupt`
      : `PASID ${pasid} is not in the PASID table: completion record and interrupt are not written`;
    drop(machine, object, reason, cause);
  }

  /**
   * The driver of a queue of the kernel finds status 0x19 and submits the descriptor again, with the handle that it has then (idxd/irq.c: only where it
   * can request handles). Users of other queues see the status themselves.
   */
  #again(n: number, descriptor: Descriptor): boolean {
    const { machine } = this;
    const queues = this.#queues;
    const { handles, fn } = queues;
    const { pasid, handle } = descriptor;
    if (!handles.commands || handles.entry(handle!) !== undefined) return false;
    if (queues.front(n) !== 'kernel' || queues.handle(n, pasid) < 0) return false;
    const waits = (): void => {
      const now = this.#current(n, descriptor);
      if (queues.state(n) !== 'enabled' || queues.handle(n, pasid) < 0) {
        const cause = machine.ledger.open(machine.now);
        drop(machine, queues.object(n), 'the queue went away before its descriptor was submitted again', cause);
      } else if (this.#stopped.has(n) || handles.entry(now.handle!) !== undefined) this.submit(n, now);
      else machine.after(RETRY, fn.actor, waits);
    };
    machine.after(RETRY, fn.actor, waits);
    return true;
  }

  /** Whether a handle is granted and its entry lets the PASID pass. */
  #check(handle: number, pasid: number): HandleCheck {
    const { ims, handles } = this.#queues;
    const index = handles.entry(handle);
    return ims && index !== undefined ? checkHandle(this.machine, { kind: 'ims', ims }, index, pasid) : 'differs';
  }
}
