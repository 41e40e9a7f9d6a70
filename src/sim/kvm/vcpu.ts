import type { ObjectId } from '../../base/ids.ts';
import type { Actor } from '../machine.ts';

/** Times of a virtual CPU in nanoseconds: kick until the exit, exit or entry, return to the VMM and back. */
export const VCPU_COST = { dispatch: 500, exit: 600, entry: 600, userspace: 2500 };

/** One virtual CPU with its local APIC. */
export interface Vcpu {
  readonly object: ObjectId;
  /** Guest code that runs on it, and KVM in its context; both on the CPU of the host that it is on. */
  guest: Actor;
  kvm: Actor;
  /** Vectors requested (IRR), each with the cause that set its bit; 0: none known. */
  readonly requested: Map<number, { readonly cause: number; readonly posted: boolean }>;
  readonly inService: number[];
  /** A handler of the guest runs, with interrupts disabled. */
  running: boolean;
  due: boolean;
  /** It left the guest and its exit is being served, or its thread waits for a CPU of the host. */
  out: boolean;
  /** Nanoseconds that it was in the guest until it entered or left it last, and when that was. */
  inside: number;
  since: number;
  /** An INIT reset it: it executes nothing until it is started up. */
  stopped: boolean;
  /** How often an INIT reset it: what it did in an earlier life goes on no more. */
  life: number;
}
