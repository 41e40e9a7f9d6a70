import type { ObjectId } from '../../base/ids.ts';
import { countsOf } from '../../model/percpu.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { kernelCount, listing } from '../../model/things/snapshot.ts';
import type { Trace } from '../../trace/trace.ts';
import { keyValue } from '../view.ts';
import { comparingObjects, type StateRow } from './states.ts';

/** The field of a row that says whether an irq was handled: in A since its set-up, in B since A. */
export const COUNTED = 'counted';

/** Keys that repeat what counts say, or differ because other CPUs are online. */
const COUNTS: ReadonlySet<string | null> = new Set(['handled', 'handledSinceSetup', 'perCpu']);

/**
 * Compares two snapshots: their states at the end, and of counts what was counted between them, on the CPUs that both show. An irq that was
 * handled before A and not since has a row with the field `counted`.
 */
export function* comparingSnapshots(a: Trace, b: Trace): Generator<void, StateRow[]> {
  const at = { a: a.length - 1, b: b.length - 1 };
  const { rows, both } = yield* comparingObjects(a, at.a, b, at.b);
  const [before, now] = [a.stateAt(at.a), b.stateAt(at.b)];
  const counted: StateRow[] = [];
  for (const [mine, theirs] of both) {
    const type = a.world.type(mine);
    const counts = type === irq || type === kernelCount ? countsIn(before, mine, now, theirs) : undefined;
    if (counts === undefined) continue;
    const row = { at, kind: 'changed', object: a.world.path(mine) } as const;
    if (counts.moved) counted.push({ ...row, field: 'handled', a: counts.a, b: counts.b });
    else if (type === irq && counts.a > 0) counted.push({ ...row, field: COUNTED, a: true, b: false });
  }
  // Where nothing at all was counted, no time passed: that no irq was handled says nothing.
  if (counted.every(({ field }) => field === COUNTED)) counted.length = 0;
  const others = rows.filter(({ kind, object, field }) => {
    const { world } = kind === 'only-b' ? b : a;
    const type = world.type(world.objectAt(object));
    // Which CPUs are online the CPUs themselves tell.
    if (type === listing) return false;
    return !(COUNTS.has(field) && (type === irq || type === kernelCount));
  });
  return [...counted, ...others];
}

/** Counts of an object on the CPUs that two states show; undefined where one of them does not tell. `moved`: a count differs. */
function countsIn(
  a: State,
  mine: ObjectId,
  b: State,
  theirs: ObjectId,
): { readonly a: number; readonly b: number; readonly moved: boolean } | undefined {
  const [here, there] = [new Map(countsOf(a, mine)), new Map(countsOf(b, theirs))];
  if (here.size === 0 || there.size === 0) {
    const [x, y] = [keyValue(a, mine, 'handled'), keyValue(b, theirs, 'handled')];
    return typeof x === 'number' && typeof y === 'number' ? { a: x, b: y, moved: x !== y } : undefined;
  }
  const common = [...here.keys()].filter((n) => there.has(n));
  const sum = (counts: ReadonlyMap<number, number>): number => common.reduce((all, n) => all + counts.get(n)!, 0);
  return { a: sum(here), b: sum(there), moved: common.some((n) => here.get(n) !== there.get(n)) };
}
