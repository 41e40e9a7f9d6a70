// What a filter remembers of earlier events: times since the last event of a kind, and events for which another condition held.
import type { Step } from '../../base/ids.ts';
import type { EventList } from '../../trace/table.ts';
import type { Ask } from './ask.ts';
import { NO, type Truth, UNKNOWN, type ValueTest, YES } from './value-tests.ts';

/** A memory of earlier events. It has to see every event, in order; a question about an event comes before it is seen. */
export interface Past {
  see(step: Step): void;
  ask: Ask;
  /** Forgets everything. */
  reset(): void;
}

/** By what events are told apart; -1 for an event that has no such thing. */
export type KeyOf = (step: Step) => number;

/** Numbers by small keys. */
class Times {
  readonly #none: number;
  #times = new Float64Array(0);

  constructor(none: number) {
    this.#none = none;
  }

  get(key: number): number {
    return key < this.#times.length ? this.#times[key]! : this.#none;
  }

  set(key: number, time: number): void {
    if (key >= this.#times.length) {
      const wider = new Float64Array(Math.max(64, key + 1, this.#times.length * 2)).fill(this.#none);
      wider.set(this.#times);
      this.#times = wider;
    }
    this.#times[key] = time;
  }

  clear(): void {
    this.#times.fill(this.#none);
  }
}

/** The time since the last event with the same key: unknown for the first one, and where either has no stamp. */
export function sinceLast(table: EventList, keyOf: KeyOf, test: ValueTest): Past {
  const last = new Times(Number.NaN);
  return {
    see: (step) => {
      const key = keyOf(step);
      if (key >= 0) last.set(key, table.time(step));
    },
    ask: (step) => {
      const key = keyOf(step);
      const since = key < 0 ? Number.NaN : table.time(step) - last.get(key);
      return Number.isNaN(since) ? UNKNOWN : test.span(since);
    },
    reset: () => last.clear(),
  };
}

/**
 * Whether `held` was true of an earlier event with the same key, at most `within` units of the clock before. Where stamps are not in order, an earlier event
 * with a later stamp counts. Unknown for events without a key; and where stamps are missing on which the answer depends.
 */
export function heldBefore(table: EventList, held: Ask, within: number | undefined, keyOf: KeyOf): Past {
  const NEVER = Number.NEGATIVE_INFINITY;
  const last = new Times(NEVER);
  /** Keys with an event whose time is not known. */
  const untimed = new Set<number>();
  const any = new Set<number>();
  return {
    see: (step) => {
      if (held(step) !== YES) return;
      const key = keyOf(step);
      if (key < 0) return;
      any.add(key);
      const time = table.time(step);
      if (Number.isNaN(time)) untimed.add(key);
      else if (time > last.get(key)) last.set(key, time);
    },
    ask: (step): Truth => {
      const key = keyOf(step);
      if (key < 0) return UNKNOWN;
      if (!any.has(key)) return NO;
      const time = table.time(step);
      if (within === undefined || Number.isNaN(time)) return UNKNOWN;
      if (last.get(key) >= time - within) return YES;
      return untimed.has(key) ? UNKNOWN : NO;
    },
    reset: () => {
      last.clear();
      untimed.clear();
      any.clear();
    },
  };
}
