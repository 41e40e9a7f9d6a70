import { merged } from '../../model/events/outcome.ts';
import {
  imsicClaim,
  imsicEnable,
  imsicFile,
  imsicIdObject,
  imsicObject,
  imsicPend,
} from '../../model/events/platform/imsic.ts';
import { IMSIC_PAGE } from '../../model/registers/riscv.ts';
import { imsic, imsicId } from '../../model/things/riscv.ts';
import { drop } from '../drop.ts';
import type { Cpus } from '../irq/cpus.ts';
import type { Actions, Machine } from '../machine.ts';

/** Nanoseconds from the pending bit to the claim by the hart. */
const DISPATCH = 400;

/** Where the interrupt files of supervisor mode lie, and how far apart: the second page of each hart is that of a guest (QEMU, virt). */
const BASE = 0x28000000;
const STRIDE = 2 * IMSIC_PAGE;

/** Identities of a file (QEMU, virt). */
export const IDENTITIES = 255;

/** Address of the page of a hart. */
export const pageOfHart = (hart: number): number => BASE + hart * STRIDE;

/** A pending identity. */
export interface Pending {
  /** The cause that set its bit; 0: none known. */
  readonly cause: number;
  /** Requester ID of the function that wrote it; -1: none. */
  readonly requester: number;
}

/** What waits at one hart. */
interface File {
  /** Pending identities (eip). */
  readonly pending: Map<number, Pending & { readonly step: number }>;
  /** A claim is due, or a handler runs. */
  busy: boolean;
}

/** Written by software or by a rogue device: no cause is behind it. */
const NOBODY: Pending = { cause: 0, requester: -1 };

/** Runs what the kernel does for an identity at a hart. */
export type IdentityHandler = (hart: number, identity: number) => Actions;

/**
 * The interrupt files of all harts (RISC-V AIA, chapter 3): eip, eie, eidelivery and eithreshold. A message is a write of an identity to the page
 * of a hart. The lowest identity that is pending and enabled is claimed first, by a write of topei. What is pending and not enabled waits.
 */
export class Imsic {
  readonly machine: Machine;
  readonly cpus: Cpus;
  /** What the kernel does for an identity; set by the domain that owns them. */
  handler: IdentityHandler | undefined;
  readonly #files = new Map<number, File>();

  constructor(machine: Machine, cpus: Cpus) {
    this.machine = machine;
    this.cpus = cpus;
  }

  #at(hart: number): File {
    let at = this.#files.get(hart);
    if (at === undefined) this.#files.set(hart, (at = { pending: new Map(), busy: false }));
    return at;
  }

  /** Object of an identity at a hart. */
  identity(hart: number, identity: number): number {
    return imsicIdObject(this.machine.state, hart, identity);
  }

  /** The kernel sets the file of a hart up: everything is delivered, nothing is enabled. */
  boot(hart: number): void {
    this.machine.emit(imsicFile, imsicObject(this.machine.state, hart), {
      address: pageOfHart(hart),
      identities: IDENTITIES,
      delivery: 1,
      threshold: 0,
    });
  }

  /** Software writes eidelivery or eithreshold of a hart. */
  configure(hart: number, what: { readonly delivery?: number; readonly threshold?: number }): void {
    this.machine.emit(imsicFile, imsicObject(this.machine.state, hart), what);
    this.wake(hart);
  }

  /** Software sets or clears the bit of an identity in eie. */
  enable(hart: number, identity: number, enabled: boolean): void {
    this.machine.emit(imsicEnable, this.identity(hart, identity), { enabled });
    this.wake(hart);
  }

  /** Whether the bit of an identity in eie is set. */
  enabled(hart: number, identity: number): boolean {
    return this.machine.state.flag(this.identity(hart, identity), imsicId.at.enabled) === true;
  }

  /** The hart whose page a write hits; -1: none, or another word of it than seteipnum_le. */
  hartOf(address: number): number {
    const hart = (address - BASE) / STRIDE;
    return Number.isInteger(hart) && this.cpus.exists(hart) && hart >= 0 ? hart : -1;
  }

  /** An identity is written to the file of a hart: it becomes pending, or merges with itself. Values that are no identity are ignored. */
  accept(hart: number, identity: number, { cause, requester }: Pending = NOBODY): void {
    const { machine } = this;
    if (identity < 1 || identity > IDENTITIES) {
      const why = `${identity} is no identity of the interrupt file (1 to ${IDENTITIES}): the write is ignored`;
      drop(machine, imsicObject(machine.state, hart), why, cause);
      return;
    }
    const at = this.#at(hart);
    machine.as(this.cpus.actor(hart), () => {
      const object = this.identity(hart, identity);
      const before = at.pending.get(identity);
      machine.emit(imsicPend, object, { pending: true, ...(cause === 0 ? {} : { cause }) });
      const step = machine.recorder.length - 1;
      if (before !== undefined) {
        if (cause !== 0) machine.emit(merged, object, { cause, ...(before.cause === 0 ? {} : { into: before.cause }) });
        machine.ledger.note(cause, 'merged', machine.now);
        return;
      }
      at.pending.set(identity, { cause, requester, step });
      machine.ledger.note(cause, 'pending', machine.now);
      this.wake(hart);
    });
  }

  /** The step at which the bit of an identity became pending; undefined: it is not set. */
  pendsSince(hart: number, identity: number): number | undefined {
    return this.#at(hart).pending.get(identity)?.step;
  }

  /** Software reads and clears the pending bit of an identity; undefined: it was not set. */
  takeBack(hart: number, identity: number): Pending | undefined {
    const at = this.#at(hart);
    const was = at.pending.get(identity);
    if (was === undefined) return undefined;
    at.pending.delete(identity);
    this.machine.emit(imsicPend, this.identity(hart, identity), { pending: false });
    return was;
  }

  /** A hart looks for what it may claim. */
  wake(hart: number): void {
    const at = this.#at(hart);
    if (at.busy || this.#top(hart, at) === 0) return;
    at.busy = true;
    this.machine.spawn(this.cpus.actor(hart), this.#take(hart, at), DISPATCH);
  }

  /** topei: the lowest identity that is pending, enabled and below the threshold; 0 none. */
  #top(hart: number, at: File): number {
    const { state } = this.machine;
    const file = imsicObject(state, hart);
    if (!this.cpus.online(hart) || state.get(file, imsic.at.delivery) !== 1) return 0;
    const threshold = state.get(file, imsic.at.threshold) || Number.POSITIVE_INFINITY;
    let top = 0;
    for (const identity of at.pending.keys())
      if (identity < threshold && (top === 0 || identity < top) && this.enabled(hart, identity)) top = identity;
    return top;
  }

  /** Claims while anything is there. Linux runs handlers with interrupts disabled: none nests. */
  *#take(hart: number, at: File): Actions {
    const { machine } = this;
    for (let top = this.#top(hart, at); top !== 0; top = this.#top(hart, at)) {
      const { cause } = at.pending.get(top)!;
      at.pending.delete(top);
      machine.emit(imsicClaim, this.identity(hart, top), {});
      machine.ledger.take(cause, machine.now, hart);
      if (this.handler) yield* this.handler(hart, top);
      machine.ledger.leave(hart);
    }
    at.busy = false;
  }
}
