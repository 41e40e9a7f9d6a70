// Counts per CPU, which a snapshot tells of an interrupt or a softirq. They lie in blocks beside the object: a machine may have
// thousands of CPUs, and traces without snapshots need no room for them.

import type { ObjectId } from '../base/ids.ts';
import type { ObjectType } from './objects.ts';
import type { State } from './state.ts';
import { irq } from './things/irq.ts';
import { countBlock, kernelCount } from './things/snapshot.ts';

/** Where objects of these types keep one more than the highest CPU with a count. */
const COUNTED = new Map<ObjectType | undefined, number>([
  [irq, irq.at.counted],
  [kernelCount, kernelCount.at.counted],
]);

const FIRST = countBlock.at.counts;
/** CPUs that one block has room for. */
const CPUS_IN_BLOCK = countBlock.size - FIRST;

/** What paths of counts begin with; answers do not show them. */
export const COUNTS = 'counts';

/** One more than the highest CPU of which an object has a count; 0 for none. */
function counted(state: State, object: ObjectId): number {
  const cell = COUNTED.get(state.world.type(object));
  return cell === undefined ? 0 : Math.max(0, state.num(object, cell));
}

/** The block of counts with a number; -1 when there is none. */
function blockOf(state: State, object: ObjectId, block: number): ObjectId {
  const space = state.world.spaceOf(object);
  return space.objectAt(`${COUNTS}/${space.path(object)}/${block}`);
}

/** Makes counts on some CPUs known; those on all other CPUs are not known any more. */
export function setCounts(state: State, object: ObjectId, cpus: readonly number[], counts: readonly number[]): void {
  const cell = COUNTED.get(state.world.type(object));
  if (cell === undefined) return;
  const space = state.world.spaceOf(object);
  const shown = new Map(cpus.map((n, i) => [n, counts[i]!]));
  const end = Math.max(counted(state, object), ...cpus.map((n) => n + 1));
  state.set(object, cell, Math.max(0, ...cpus.map((n) => n + 1)));
  for (let first = 0, block = 0; first < end; first += CPUS_IN_BLOCK, block++) {
    let at = blockOf(state, object, block);
    for (let i = 0; i < CPUS_IN_BLOCK; i++) {
      const count = shown.get(first + i);
      if (count === undefined) {
        if (at >= 0) state.forget(at, FIRST + i);
        continue;
      }
      if (at < 0) at = space.object(countBlock, `${COUNTS}/${space.path(object)}/${block}`);
      state.set(at, FIRST + i, count);
    }
  }
}

/** Counts of an object on all CPUs of which one is known, the lowest CPU first. */
export function countsOf(state: State, object: ObjectId): (readonly [cpu: number, count: number])[] {
  const counts: (readonly [number, number])[] = [];
  const end = counted(state, object);
  for (let first = 0, block = 0; first < end; first += CPUS_IN_BLOCK, block++) {
    const at = blockOf(state, object, block);
    if (at < 0) continue;
    for (let i = 0; i < CPUS_IN_BLOCK; i++) {
      const count = state.num(at, FIRST + i);
      if (count >= 0) counts.push([first + i, count]);
    }
  }
  return counts;
}

/** Counts one more on a CPU, where the count on it is known. The kernel counts in 32 bits. */
export function countOn(state: State, object: ObjectId, cpu: number): void {
  if (cpu < 0 || cpu >= counted(state, object)) return;
  const at = blockOf(state, object, Math.floor(cpu / CPUS_IN_BLOCK));
  const cell = FIRST + (cpu % CPUS_IN_BLOCK);
  if (at >= 0 && state.num(at, cell) >= 0) state.count(at, cell);
}

/** The kernel set the interrupt up again: all its counts begin at 0. */
export function restartCounts(state: State, object: ObjectId): void {
  const cpus = countsOf(state, object).map(([n]) => n);
  if (cpus.length > 0)
    setCounts(
      state,
      object,
      cpus,
      cpus.map(() => 0),
    );
}

/** The counts are not known any more. */
export function forgetCounts(state: State, object: ObjectId): void {
  if (counted(state, object) > 0) setCounts(state, object, [], []);
}
