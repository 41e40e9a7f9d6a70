import type { ObjectId, Step } from '../base/ids.ts';
import type { Role } from '../model/event.ts';
import { ownerOf } from '../model/masking.ts';
import type { State } from '../model/state.ts';
import type { Happened } from './rule.ts';

const WRITES: ReadonlySet<Role> = new Set<Role>(['store', 'configure', 'look']);

/**
 * The last event that wrote, read or set up each MSI-X entry and each function: what a judgement about masks and decode stands on.
 * Behind lost events only what was seen again counts.
 */
export class LastWrites {
  readonly #steps = new Map<number, Step>();
  #lost = false;

  /** Notes an event, after it was judged. */
  note(step: Step, { kind, object }: Happened): void {
    if (WRITES.has(kind.role)) this.#steps.set(object, step);
  }

  /** The trace lost events. */
  lose(): void {
    this.#lost = true;
    this.#steps.clear();
  }

  /** Whether entry and function were seen since the trace last lost events. */
  trusts(state: State, entry: number): boolean {
    return !this.#lost || (this.#steps.has(entry) && this.#steps.has(ownerOf(state, entry)));
  }

  /** Whether an object was seen since the trace last lost events. */
  trustsObject(object: ObjectId): boolean {
    return !this.#lost || this.#steps.has(object);
  }

  /** The steps of these events for an entry and its function, in order. */
  evidence(state: State, entry: number): Step[] {
    return [entry, ownerOf(state, entry)]
      .map((object) => this.#steps.get(object))
      .filter((step) => step !== undefined)
      .sort((a, b) => a - b);
  }

  /** The step of this event for one object. */
  evidenceOf(object: ObjectId): Step[] {
    const step = this.#steps.get(object);
    return step === undefined ? [] : [step];
  }
}
