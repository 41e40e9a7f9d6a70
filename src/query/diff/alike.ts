import type { Comparison } from './compare.ts';
import type { Difference } from './pairing.ts';
import type { Phase } from './phases.ts';
import { type DiffRow, rowsOf, toldBy } from './rows.ts';

/** What a row of a difference says, where, and in which phase: equal for rows that say the same. */
export function alikeKey(comparison: Comparison, { at, kind, object, field, a, b }: DiffRow, phase: Phase): string {
  const [trace, step] = at.a === null ? [comparison.b.trace, at.b!] : [comparison.a.trace, at.a];
  const told = kind === 'changed' ? `${trace.table.kind(step).name} ${a} ${b}` : toldBy(trace, step, true);
  return `${kind} ${object} ${field} ${phase} ${told}`;
}

/** Differences that say the same of the same object in the same phase: the first of them, and how many there are. */
export interface Alike {
  readonly row: DiffRow;
  readonly phase: Phase;
  readonly times: number;
}

/** Differences in their order, those that say the same gathered; `apart`: each alone. */
export function alikeRows(comparison: Comparison, differences: readonly Difference[], apart = false): Alike[] {
  const alike = new Map<string, { row: DiffRow; phase: Phase; times: number }>();
  for (const difference of differences)
    for (const row of rowsOf(comparison, difference)) {
      const phase = comparison.phase(difference);
      const key = apart ? String(alike.size) : alikeKey(comparison, row, phase);
      const known = alike.get(key);
      if (known) known.times++;
      else alike.set(key, { row, phase, times: 1 });
    }
  return [...alike.values()];
}
