import type { Actions } from '../machine.ts';
import type { Irq } from './domain.ts';

/** Nanoseconds between the first two looks at a lock. */
const SPIN = 50;

/** Waits as long as something holds. Looks come less often the longer it takes: an ITS that stalls keeps a lock for a second. */
export function* whileIt(holds: () => boolean): Actions {
  for (let wait = SPIN; holds(); wait += Math.ceil(wait / 32)) yield wait;
}

/** Waits for desc->lock. */
export function* unlocked(irq: Irq): Actions {
  if (irq.locked) yield* whileIt(() => irq.locked);
}
