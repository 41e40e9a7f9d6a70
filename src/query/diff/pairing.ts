import type { Step } from '../../base/ids.ts';
import { Hash, type Reading } from './tokens.ts';

/** Events that differ: one that stands in one trace only (the other step is -1), or two that tell different things. */
export interface Difference {
  readonly a: Step;
  readonly b: Step;
  /** Number of the interrupt, or of what else the event is about. */
  readonly group: number;
  /** Arguments that differ, and `object` or `cpu` where that differs; empty for an event of one trace. */
  readonly fields: readonly string[];
}

/**
 * The names of what two events tell differently, in the order of their arguments. What reads the same in both is no difference,
 * also where its number may mean another thing: the event that gave it to that thing is one.
 */
export function fieldsOf(readA: Reading, a: Step, readB: Reading, b: Step): string[] {
  const differ = (read: 'read' | 'readPlain'): string[] => {
    const gather = (reading: Reading, step: Step): Map<string, string> => {
      const words = new Map<string, string>();
      reading[read](step, (name, word) => words.set(name, `${words.get(name) ?? ''} ${word}`));
      return words;
    };
    const [mine, theirs] = [gather(readA, a), gather(readB, b)];
    return [...new Set([...mine.keys(), ...theirs.keys()])].filter((name) => mine.get(name) !== theirs.get(name));
  };
  const plain = differ('readPlain');
  return differ('read').filter((name) => plain.includes(name));
}

/** Differences by what their event tells, in order. */
function keyed(
  differences: readonly Difference[],
  keyOf: (difference: Difference) => number,
): Map<number, Difference[]> {
  const map = new Map<number, Difference[]>();
  for (const difference of differences) {
    const key = keyOf(difference);
    const list = map.get(key);
    if (list) list.push(difference);
    else map.set(key, [difference]);
  }
  return map;
}

/**
 * Takes away events that stand in both traces word for word, and only count to another interrupt in one of them: an event that tells
 * whose they are differs, and is reported itself. Events of one object (or GSI) that tell different things, and so count to different
 * interrupts, are one difference, not two. `pairs`: how many events are the same after all. `partner`: the step of A that each step of B stands for.
 */
export function pairAcross(
  found: readonly Difference[],
  readA: Reading,
  readB: Reading,
  partner: Int32Array,
): { readonly left: readonly Difference[]; readonly pairs: number } {
  const hash = new Hash();
  const gone = new Set<Difference>();
  const changed: Difference[] = [];
  const pair = (
    keyOf: (reading: Reading, step: Step) => number,
    suits: (a: Step, b: Step) => boolean,
    note: boolean,
  ) => {
    const waiting = keyed(
      found.filter((d) => d.a < 0 && !gone.has(d)),
      ({ b }) => keyOf(readB, b),
    );
    if (waiting.size === 0) return;
    for (const difference of found) {
      if (difference.b >= 0 || gone.has(difference)) continue;
      const list = waiting.get(keyOf(readA, difference.a));
      const at = list?.findIndex(({ b }) => suits(difference.a, b)) ?? -1;
      if (list === undefined || at < 0) continue;
      const other = list.splice(at, 1)[0]!;
      partner[other.b] = difference.a;
      gone.add(difference).add(other);
      if (!note) continue;
      const fields = fieldsOf(readA, difference.a, readB, other.b);
      if (fields.length > 0) changed.push({ ...difference, b: other.b, fields });
    }
  };
  const plain = (reading: Reading, step: Step): number => {
    hash.clear().add(reading.kind(step));
    reading.readPlain(step, hash.take);
    return hash.value;
  };
  const thingsDiffer = (a: Step, b: Step): boolean => readA.thing(a) !== readB.thing(b);
  pair(plain, thingsDiffer, false);
  const place = (reading: Reading, step: Step): number =>
    hash.clear().add(reading.kind(step)).add(reading.path(step)).value;
  pair(place, (a, b) => thingsDiffer(a, b) && readA.isPlaced(a) && readB.isPlaced(b), true);
  const left = [...found.filter((difference) => !gone.has(difference)), ...changed];
  return { left, pairs: gone.size / 2 - changed.length };
}
