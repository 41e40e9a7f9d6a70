// Which kernel a snapshot is of: its irqs have the same actions and functions as those of another source.
import { irqEntry, irqIdentify } from '../../model/events/irq.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { irq } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { commonFolders } from './folders.ts';
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
    for (const name of namesOf(kind, row.words, row.at))
      for (const each of world.strings.text(name).split(', ')) known.add(each);
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
function compare(a: Irqs, b: Irqs): { same: number; differ: number } {
  let [same, differ] = [0, 0];
  for (const [number, names] of a) {
    const there = b.get(number);
    if (there === undefined || there.size === 0 || names.size === 0) continue;
    if ([...names].some((name) => there.has(name))) same++;
    else differ++;
  }
  return { same, differ };
}

/** What tells of which kernel a source is. */
export interface Teller {
  readonly irqs: Irqs;
  /** It shows one moment, and has no stamps. */
  readonly snapshot: boolean;
  /** A kernel recorded it. */
  readonly kernel: boolean;
  /** The folder in which it lies. */
  readonly folder: string;
  /** Other things than its irqs show where it belongs: no folder is asked. */
  readonly tied?: boolean;
}

/**
 * Ties of snapshots to the recording of their kernel: the one in the nearest folder, and among those the one whose irqs are most like theirs. One
 * whose irqs are all others is of another kernel. Without a recording a snapshot is tied to one before it that has the same irqs.
 */
export function snapshotTies(tellers: readonly Teller[]): Tie[] {
  const ties: Tie[] = [];
  for (const [a, { irqs, snapshot, folder, tied }] of tellers.entries()) {
    if (!snapshot) continue;
    const found = tellers.flatMap((other, b) => {
      if (a === b || (other.snapshot && b > a)) return [];
      return [{ b, ...compare(irqs, other.irqs), near: commonFolders(folder, other.folder), other }];
    });
    const recordings = found
      .filter(({ other, same, differ }) => !other.snapshot && other.kernel && (same > 0 || (!tied && differ < FEWEST)))
      .sort((x, y) => y.near - x.near || y.same - y.differ - (x.same - x.differ));
    const snapshots = found
      .filter(({ other, same, differ }) => other.snapshot && same >= FEWEST && differ * 2 <= same)
      .sort((x, y) => y.near - x.near || y.same - x.same);
    const best = recordings[0] ?? snapshots[0];
    if (best !== undefined) ties.push({ a, b: best.b, relation: 'same', support: Math.max(1, best.same) });
  }
  return ties;
}
