import type { ObjectId } from '../../base/ids.ts';

/** A cause that a function has and has not sent a message for. */
interface Raised {
  readonly at: number;
  /** It waits in the pending bit. */
  readonly pending: boolean;
}

/**
 * Causes of the entries of functions, until their messages are sent. Causes that wait behind a mask are one, since the first of them;
 * of others only the last one can be meant by a message: those before were not sent, and no record tells why.
 */
export class Causes {
  readonly #raised = new Map<ObjectId, Raised>();

  /** An entry has a cause. */
  raise(entry: ObjectId, now: number, pending: boolean): void {
    if (this.#raised.get(entry)?.pending !== true) this.#raised.set(entry, { at: now, pending });
  }

  /** Its message is sent; returns how long after the cause, NaN where that was not seen. */
  send(entry: ObjectId, now: number): number {
    const raised = this.#raised.get(entry);
    this.#raised.delete(entry);
    return raised === undefined ? Number.NaN : now - raised.at;
  }

  /** The cause is gone. */
  withdraw(entry: ObjectId): void {
    this.#raised.delete(entry);
  }

  /** The causes of some entries are gone. */
  withdrawAll(gone: (entry: ObjectId) => boolean): void {
    for (const entry of this.#raised.keys()) if (gone(entry)) this.#raised.delete(entry);
  }
}
