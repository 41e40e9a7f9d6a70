import type { ObjectId } from '../../base/ids.ts';
import { message } from '../../model/events/notes.ts';
import type { Machine } from '../machine.ts';

/** A descriptor of 128 bits, lowest word first (VT-d 6.5.2); software uses the upper half of it for other kinds only. */
type Descriptor = readonly [number, number, number, number];

/** Interrupt Entry Cache Invalidate: its type; granularity (bit 4); bits that are reserved: 26:5 of the first word, 31:16 of the second. */
const TYPE = 4;
const BY_INDEX = 1 << 4;
const MASK_AT = 27;
const RESERVED = [0x07ffffe0, 0xffff0000, 0xffffffff, 0xffffffff] as const;
/** Invalidation Queue Error Info: a descriptor whose reserved bits are not zero. */
const REASON = 5;
/** Nanoseconds after which a unit gets to what was put into its queue. */
export const QUEUED = 5_000;

/** Slots of the queue (QI_LENGTH), where the kernel has their status, and what a wait descriptor writes there. */
const SLOTS = 256;
const STATUS = 0x100901000;
const QI_DONE = 2;

/**
 * The invalidation queue of a VT-d unit, and the kernel's part in it (drivers/iommu/intel/dmar.c qi_submit_sync,
 * qi_check_fault): it submits a descriptor and waits until the unit has taken it, or stopped at it.
 */
export class InvalidationQueue {
  readonly #machine: Machine;
  /** The unit. */
  readonly #object: ObjectId;
  #prior: Descriptor = [0, 0, 0, 0];
  #slot = 0;

  constructor(machine: Machine, object: ObjectId) {
    this.#machine = machine;
    this.#object = object;
  }

  /**
   * Submits the invalidation of 2^mask entries from an index on, or of all (undefined). True: the unit takes it. False: it
   * stopped at the descriptor, and the kernel said so, put another one in its place and let the unit go on.
   */
  submit(index: number | undefined, mask: number): boolean {
    const low = TYPE | (index === undefined ? 0 : (BY_INDEX | (mask << MASK_AT)) >>> 0);
    // A planted fault: the driver shifts the index into bits that are reserved.
    const wrong = index !== undefined && this.#machine.tamper?.strikes('F83', this.#object) === true;
    const descriptor: Descriptor = wrong ? [(low | (index << 5)) >>> 0, 0, 0, 0] : [low, index ?? 0, 0, 0];
    const taken = descriptor.every((word, i) => (word & RESERVED[i]!) === 0);
    if (!taken) this.#report(descriptor);
    this.#prior = descriptor;
    return taken;
  }

  /** The status that the wait descriptor behind the last one writes (QI_DONE), in the array that has a word for each slot of the queue. */
  status(): { readonly address: number; readonly data: number } {
    this.#slot = (this.#slot + 2) % SLOTS;
    return { address: STATUS + 4 * ((this.#slot + SLOTS - 1) % SLOTS), data: QI_DONE };
  }

  #report(descriptor: Descriptor): void {
    const [at, prior] = [descriptor, this.#prior].map(
      ([a, b, c, d]) => `Interrupt Entry Cache Invalidation qw0 = 0x${quad(a, b)}, qw1 = 0x${quad(c, d)}`,
    );
    for (const text of [
      `VT-d detected Invalidation Queue Error: Reason ${REASON.toString(16)}`,
      `QI HEAD: ${at}`,
      `QI PRIOR: ${prior}`,
      'Invalidation Queue Error (IQE) cleared',
    ])
      this.#machine.emit(message, this.#object, { text: `DMAR: ${text}` });
  }
}

/** 64 bits in hexadecimal. */
const quad = (low: number, high: number): string => ((BigInt(high) << 32n) | BigInt(low)).toString(16);
