// What rules remember of earlier events, without an object per event.
import type { ObjectId, Step } from '../base/ids.ts';
import type { Happened, RuleObserver, Scene } from './rule.ts';

/** The last event of some kinds about each object: its step and its time. */
export class LastEvents {
  readonly #steps = new Map<ObjectId, Step>();
  readonly #times = new Map<ObjectId, number>();

  /** Notes an event about an object; its time in nanoseconds, NaN unknown. */
  note(object: ObjectId, step: Step, time: number): void {
    this.#steps.set(object, step);
    this.#times.set(object, time);
  }

  has(object: ObjectId): boolean {
    return this.#steps.has(object);
  }

  /** The step of the last one, or undefined. */
  step(object: ObjectId): Step | undefined {
    return this.#steps.get(object);
  }

  /** Nanoseconds from the last one to a time; NaN where one of them is not known. */
  ago(object: ObjectId, now: number): number {
    return now - (this.#times.get(object) ?? Number.NaN);
  }

  /** How many objects were noted and not forgotten. */
  get size(): number {
    return this.#steps.size;
  }

  forget(object: ObjectId): void {
    this.#steps.delete(object);
    this.#times.delete(object);
  }

  /** Objects that were noted and not forgotten. */
  objects(): IterableIterator<ObjectId> {
    return this.#steps.keys();
  }

  clear(): void {
    this.#steps.clear();
    this.#times.clear();
  }
}

/** The steps that are there, in order and each once. */
export function steps(...found: readonly (Step | undefined)[]): Step[] {
  return [...new Set(found.filter((s) => s !== undefined))].sort((a, b) => a - b);
}

/** `3.680 s before`; empty where the time is not known. `from`, `to`: the events that it lies between. */
export function before(scene: Scene, nanoseconds: number, from: Step | undefined, to: Step): string {
  return Number.isNaN(nanoseconds) ? '' : `${scene.span(nanoseconds, from ?? to, to)} before`;
}

/** The time of an event; lines without a stamp have that of the record before. */
export class Now {
  /** The time of the last event that has one; NaN for none. */
  last = Number.NaN;

  at({ time }: Happened): number {
    if (!Number.isNaN(time)) this.last = time;
    return this.last;
  }
}

/** An observer that keeps nothing: `judge` looks at one event and says whether there was something to judge. */
export function each(judge: (...event: Parameters<RuleObserver['event']>) => boolean): RuleObserver {
  let judged = 0;
  return {
    event(step, happened, state) {
      if (judge(step, happened, state)) judged++;
    },
    lost() {},
    get judged() {
      return judged;
    },
  };
}
