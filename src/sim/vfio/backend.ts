import type { ObjectId } from '../../base/ids.ts';
import { drop } from '../drop.ts';
import type { Actions, Machine } from '../machine.ts';

/**
 * What serves the message-signalled vectors of a VFIO device: asked per vector, never for a whole ioctl (S0-20). It
 * knows neither eventfds nor flags.
 */
export interface VfioBackend {
  readonly kind: 'pci' | 'ims' | 'emulated';
  /** Whether vectors can be added while the index is active (VFIO_IRQ_INFO_NORESIZE is not reported). */
  readonly dynamic: boolean;
  /** Turns the index on for vectors 0 to count - 1: 0; a positive number says how many would be possible, none is on then; or an errno. */
  enable(count: number): Actions<number>;
  /** Frees everything that the index holds. */
  disable(): Actions;
  /**
   * Makes an interrupt of the vector call `fire` with its Linux irq (0: no irq of the host stands behind it), which may
   * happen before this returns. That irq, or an errno.
   */
  request(vector: number, fire: Fire): Actions<number>;
  /** Ends that. */
  release(vector: number): Actions;
  /** Object of the entry that sends for the vector; undefined: none. */
  entry(vector: number): number | undefined;
  /** The device has a cause for the vector. */
  raise(vector: number): void;
}

/** What an interrupt of a vector does; `virq` as in `request`. */
export type Fire = (virq: number) => void;

/** A cause that ends where it arises. */
export function lost(machine: Machine, object: ObjectId, reason: string): void {
  const cause = machine.ledger.open(machine.now);
  drop(machine, object, reason, cause);
}

/** Nanoseconds that the VFIO handler needs to signal an eventfd. */
const SIGNAL = 200;

/** The handler that VFIO requests for a host irq (vfio_msihandler). */
export function* signal(fire: Fire, virq: number): Actions {
  yield SIGNAL;
  fire(virq);
}
