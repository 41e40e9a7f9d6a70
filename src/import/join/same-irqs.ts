// Which kernel a snapshot is of: its irqs have the same actions and functions as those of another source.
import { irqEntry, irqIdentify } from '../../model/events/irq.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { irq } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Tie } from './systems.ts';

/** What tells irqs with one number apart: names of actions, functions. By the number of the irq. */
export type Irqs = ReadonlyMap<string, ReadonlySet<string>>;

/** Fewer irqs that are the same say nothing: each x86 machine has a timer. */
const FEWEST = 3;

/** What a source tells of irqs. */
export function irqsOf({ table, world }: Trace): Irqs {
  const irqs = new Map<string, Set<string>>();
  const row = eventRow(vocabulary[0]!);
  for (let i = 0; i < table.length; i++) {
    const kind = table.kind(i);
    if (kind !== irqEntry && kind !== irqIdentify && kind !== snapIrq) continue;
    table.read(i, row);
    if (world.type(row.object) !== irq) continue;
    const number = world.node(row.object)!.segment;
    let known = irqs.get(number);
    if (known === undefined) irqs.set(number, (known = new Set()));
    for (const name of namesOf(kind, row.words, row.at)) known.add(world.strings.text(name));
  }
  return irqs;
}

function namesOf(kind: unknown, words: Uint32Array, at: number): number[] {
  if (kind === irqEntry) return [irqEntry.read(words, at).name];
  const { device } = kind === irqIdentify ? irqIdentify.read(words, at) : snapIrq.read(words, at);
  const { actions, action } = kind === snapIrq ? snapIrq.read(words, at) : { actions: undefined, action: undefined };
  return [device, actions, action].filter((name) => name !== undefined);
}

/** How many irqs are the same in two sources, and how many are not. */
function compare(a: Irqs, b: Irqs): { same: number; other: number } {
  let [same, other] = [0, 0];
  for (const [number, names] of a) {
    const there = b.get(number);
    if (there === undefined || there.size === 0 || names.size === 0) continue;
    if ([...names].some((name) => there.has(name))) same++;
    else other++;
  }
  return { same, other };
}

/** Ties of snapshots to the sources whose irqs are most like theirs. `irqs`: of each source; `snapshots`: which are snapshots. */
export function snapshotTies(irqs: readonly Irqs[], snapshots: readonly boolean[]): Tie[] {
  const ties: Tie[] = [];
  for (const [a, mine] of irqs.entries()) {
    if (!snapshots[a]) continue;
    let best: Tie | undefined;
    for (const [b, theirs] of irqs.entries()) {
      if (a === b || (snapshots[b] && b > a)) continue;
      const { same, other } = compare(mine, theirs);
      if (same < FEWEST || other * 2 > same || same <= (best?.support ?? 0)) continue;
      best = { a, b, relation: 'same', support: same };
    }
    if (best !== undefined) ties.push(best);
  }
  return ties;
}
