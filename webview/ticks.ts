import { type TimeBase, timeText } from '../src/base/time.ts';
import type { AxisKind } from '../src/view/lanes/values.ts';

/** Marks of the ruler: where they stand, and which of them carry a label. */
export interface Ticks {
  readonly major: readonly number[];
  readonly minor: readonly number[];
}

/** The smallest of 1, 2, 5, 10, 20, … times `unit` that is at least `least`. */
export function niceStep(least: number, unit: number): number {
  const wanted = Math.max(least / unit, 1);
  const power = 10 ** Math.floor(Math.log10(wanted));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= wanted * (1 - 1e-9)) return factor * power * unit;
  return 10 * power * unit;
}

/** Ticks for a range, at most one label in `room` units of the axis; each on a round number. */
export function ticksOf(from: number, to: number, room: number, unit: number): Ticks {
  const step = niceStep(room, unit);
  const fine = Math.max(step / (Math.round(step / 10 ** Math.floor(Math.log10(step))) === 2 ? 4 : 5), unit);
  const all = (by: number): number[] => {
    const first = Math.ceil(from / by);
    const last = Math.floor(to / by);
    return Array.from({ length: Math.max(0, Math.min(2000, last - first + 1)) }, (_, i) => (first + i) * by);
  };
  return { major: all(step), minor: fine < step ? all(fine) : [] };
}

/** A place in words: time with all digits that the source prints, a step, or the number of a place on the axis of two traces. */
export function placeText(x: number, axis: AxisKind, base: TimeBase): string {
  return axis === 'time' ? (timeText(Math.round(x), base) ?? '') : String(Math.round(x));
}

/** The smallest difference between two stamps of a source, in units of its times. */
export function unitOf(axis: AxisKind, base: TimeBase): number {
  return axis !== 'time' || base.ticks ? 1 : 10 ** (9 - base.digits);
}
