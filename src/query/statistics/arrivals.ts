import type { ObjectId } from '../../base/ids.ts';
import type { PathNode } from '../../model/namespace.ts';

/** An interrupt that was accepted at a vector and not yet taken. */
interface Waiting {
  readonly accepted: number;
  /** When its cause arose; when it was accepted, where the trace does not tell that. */
  readonly since: number;
  /** Whether `since` is the time of a cause. */
  readonly caused: boolean;
}

/** How long an interrupt was on its way to a handler. */
export interface Handled {
  /** The vector that the handler serves; -1 unknown. */
  readonly vector: ObjectId;
  /** Nanoseconds since its cause (or its acceptance); NaN where the trace does not tell. */
  readonly latency: number;
  /** Whether that is the time since its cause. */
  readonly caused: boolean;
}

/** An interrupt that was taken. */
interface Taken {
  readonly vector: ObjectId;
  readonly at: number;
  readonly since: number;
  readonly caused: boolean;
  /** Its handler has started. */
  handled: boolean;
}

/**
 * Interrupts at the vectors (or INTIDs) of processors: from accepted to taken to ended. What is accepted again before it was taken is
 * one interrupt, which waits since the first time.
 */
export class Arrivals {
  readonly #causes = new Map<number, number>();
  readonly #waiting = new Map<ObjectId, Waiting>();
  readonly #taken = new Map<ObjectId, Taken>();
  /** What each processor took last. */
  readonly #last = new Map<PathNode, Taken>();

  /** Whether any processor is known to have taken an interrupt. */
  get some(): boolean {
    return this.#last.size > 0;
  }

  /** An event names a cause for the first time, or again. */
  cause(cause: number, now: number): void {
    if (!this.#causes.has(cause)) this.#causes.set(cause, now);
  }

  /** A vector accepts an interrupt. */
  accept(vector: ObjectId, now: number, cause: number | undefined): void {
    const arose = cause === undefined ? undefined : this.#causes.get(cause);
    if (cause !== undefined) this.#causes.delete(cause);
    const waiting = this.#waiting.get(vector);
    const since = Math.min(arose ?? now, waiting?.since ?? Number.POSITIVE_INFINITY);
    const caused = since === waiting?.since ? waiting.caused : arose !== undefined;
    this.#waiting.set(vector, { accepted: waiting?.accepted ?? now, since, caused });
  }

  /** What was accepted at a vector is gone, or was taken at a time that the trace does not tell. */
  forget(vector: ObjectId): void {
    this.#waiting.delete(vector);
  }

  /** A processor takes the interrupt of a vector; returns how long that waited, NaN where its acceptance was not seen. */
  take(vector: ObjectId, processor: PathNode | undefined, now: number): number {
    const waiting = this.#waiting.get(vector);
    this.#waiting.delete(vector);
    const { since = Number.NaN, caused = false } = waiting ?? {};
    const taken: Taken = { vector, at: now, since, caused, handled: false };
    this.#taken.set(vector, taken);
    if (processor !== undefined) this.#last.set(processor, taken);
    return waiting === undefined ? Number.NaN : now - waiting.accepted;
  }

  /**
   * An interrupt ends; returns how long it was in service, NaN where it was not seen to be taken. Then the one that waits is the one that
   * ends; else it was accepted while this one was in service, and waits on.
   */
  finish(vector: ObjectId, processor: PathNode | undefined, now: number): number {
    const taken = this.#taken.get(vector);
    if (taken === undefined) this.#waiting.delete(vector);
    this.#taken.delete(vector);
    // An edge-triggered interrupt is ended before its handler starts: that is the next one of the processor.
    if (processor !== undefined && this.#last.get(processor) === taken && taken?.handled !== false)
      this.#last.delete(processor);
    return taken === undefined ? Number.NaN : now - taken.at;
  }

  /** Interrupts of a processor ended, and the record does not tell which. */
  finishSome(processor: PathNode): void {
    this.#last.delete(processor);
    for (const child of processor.children.values())
      for (const { object } of child.children.values()) this.#taken.delete(object);
  }

  /** What a processor had accepted is gone. */
  reset(processor: PathNode): void {
    this.finishSome(processor);
    for (const child of processor.children.values())
      for (const { object } of child.children.values()) this.#waiting.delete(object);
  }

  /** A handler starts on a processor. */
  handle(processor: PathNode | undefined, now: number): Handled {
    const taken = processor && this.#last.get(processor);
    if (taken === undefined) return { vector: -1, latency: Number.NaN, caused: false };
    // Of several actions of one irq only the first one tells the latency.
    const latency = taken.handled ? Number.NaN : now - taken.since;
    taken.handled = true;
    return { vector: taken.vector, latency, caused: taken.caused };
  }

  /** Records are missing: nothing that waited or was in service can be told any more. */
  lose(): void {
    this.#causes.clear();
    this.#waiting.clear();
    this.#taken.clear();
    this.#last.clear();
  }
}
