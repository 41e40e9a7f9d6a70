// Which machine lspci was run on: its regions lie where another source shows them, or MSI-X tables of that lie in them.

import { tblSeen } from '../../model/events/msix.ts';
import { barMap } from '../../model/events/pci.ts';
import { snapBar } from '../../model/events/snapshot/function.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Tie } from './systems.ts';

/** What a source tells of regions. */
export interface Regions {
  /** Addresses at which a BAR was, by function and number of the BAR. */
  readonly bars: ReadonlyMap<string, ReadonlySet<number>>;
  /** Regions of memory that a snapshot shows: where they begin and end. */
  readonly shown: readonly (readonly [number, number])[];
  /** Pages in which accesses of MSI-X tables fell whose function is not known. */
  readonly pages: readonly number[];
}

/** Fewer regions that are the same say nothing: machines of one kind have the same devices in the same places. */
const FEWEST = 2;
const TWO32 = 0x100000000;

/** What a source tells of regions. */
export function regionsOf({ table, world }: Trace): Regions {
  const bars = new Map<string, Set<number>>();
  const shown: [number, number][] = [];
  const pages: number[] = [];
  const row = eventRow(vocabulary[0]!);
  for (let i = 0; i < table.length; i++) {
    const kind = table.kind(i);
    if (kind !== barMap && kind !== snapBar && kind !== tblSeen) continue;
    table.read(i, row);
    if (kind === tblSeen) {
      const { address } = tblSeen.read(row.words, row.at);
      pages.push(address(1) * TWO32 + address(0));
      continue;
    }
    const told = kind === barMap ? barMap.read(row.words, row.at) : snapBar.read(row.words, row.at);
    const base = told.address(1) * TWO32 + told.address(0);
    if (base === 0) continue;
    const key = `${world.node(row.object)?.segment}/${told.bar}`;
    let known = bars.get(key);
    if (known === undefined) bars.set(key, (known = new Set()));
    known.add(base);
    if (kind !== snapBar || snapBar.read(row.words, row.at).io === true) continue;
    const size = told.size(1) * TWO32 + told.size(0);
    if (size > 0) shown.push([base, base + size]);
  }
  return { bars, shown, pages };
}

/** Regions that lie in the same place in two sources, and those that do not. */
function compare(a: Regions, b: Regions): { same: number; other: number } {
  let [same, other] = [0, 0];
  for (const [key, addresses] of a.bars) {
    const there = b.bars.get(key);
    if (there === undefined) continue;
    if ([...addresses].some((address) => there.has(address))) same++;
    else other++;
  }
  for (const page of b.pages) if (a.shown.some(([from, to]) => page >= from && page < to)) same++;
  return { same, other };
}

/** Ties of snapshots that show functions to the sources whose regions are most like theirs. `snapshots`: which are snapshots. */
export function functionTies(regions: readonly Regions[], snapshots: readonly boolean[]): Tie[] {
  const ties: Tie[] = [];
  for (const [a, mine] of regions.entries()) {
    if (!snapshots[a] || mine.bars.size === 0) continue;
    let best: Tie | undefined;
    for (const [b, theirs] of regions.entries()) {
      if (a === b || (snapshots[b] && b > a)) continue;
      const { same, other } = compare(mine, theirs);
      if (same < FEWEST || other * 2 > same || same <= (best?.support ?? 0)) continue;
      best = { a, b, relation: 'same', support: same };
    }
    if (best !== undefined) ties.push(best);
  }
  return ties;
}
