import type { Step } from '../../base/ids.ts';

/** Those of some rising steps that are nearest to a step, at most `most`, in order. */
export function nearestSteps(steps: readonly Step[], at: Step, most: number): readonly Step[] {
  if (steps.length <= most) return steps;
  let from = 0;
  let to = steps.length;
  // Whichever end is farther away goes.
  while (to - from > most) {
    if (at - steps[from]! > steps[to - 1]! - at) from++;
    else to--;
  }
  return steps.slice(from, to);
}
