import type { ObjectId } from '../base/ids.ts';
import { imsControl } from '../model/registers/ims.ts';
import type { State } from '../model/state.ts';
import { imsEntry } from '../model/things/ims.ts';
import { pasidEntry, queueUser } from '../model/things/queue.ts';
import type { PathNode } from '../model/world.ts';

/** What belongs to one PASID of a function: the logical part of the device that its owner has. */
export interface Partition {
  readonly pasid: number;
  readonly owner: string;
  /** I/O page table of its DMA. */
  readonly table: string;
  /** Queues that it may submit to; a shared queue is in the partition of each of its users. */
  readonly queues: readonly number[];
  /** Entries of the interrupt message storage that only it may name. */
  readonly entries: readonly number[];
  /** Linux irqs behind them. */
  readonly irqs: readonly number[];
}

function present(state: State, node: PathNode | undefined): PathNode[] {
  return [...(node?.children.values() ?? [])].filter((child) => state.present(child.object));
}

const numbers = (list: Iterable<number>): number[] => [...list].sort((a, b) => a - b);

/**
 * How a function is divided among the PASIDs in its PASID table. The hardware has no such borders; they follow from what
 * queues and interrupt entries are bound to. Ordered by PASID.
 */
export function partitionsOf(state: State, bdf: string): readonly Partition[] {
  const node = state.world.find(`device/${bdf}`);
  const queues = present(state, node?.children.get('queue'));
  const entries = new Map<number, { index: number; object: ObjectId }[]>();
  for (const entry of present(state, node?.children.get('ims'))) {
    const cell = imsEntry.at.control;
    const enabled = imsControl.f.pasidEnable.flag(state, entry.object, cell) === true;
    const pasid = enabled ? imsControl.f.pasid.get(state, entry.object, cell) : -1;
    if (pasid < 0) continue;
    const list = entries.get(pasid) ?? [];
    entries.set(pasid, [...list, { index: Number(entry.segment), object: entry.object }]);
  }
  return present(state, node?.children.get('pasid'))
    .map((entry): Partition => {
      const pasid = Number(entry.segment);
      const mine = entries.get(pasid) ?? [];
      const used = queues.filter((q) => {
        const user = q.children.get('user')?.children.get(entry.segment);
        return user !== undefined && state.present(user.object) && state.world.type(user.object) === queueUser;
      });
      return {
        pasid,
        owner: state.text(entry.object, pasidEntry.at.owner),
        table: state.text(entry.object, pasidEntry.at.table),
        queues: numbers(used.map((q) => Number(q.segment))),
        entries: numbers(mine.map((e) => e.index)),
        irqs: numbers(mine.map((e) => state.num(e.object, imsEntry.at.virq)).filter((virq) => virq >= 0)),
      };
    })
    .sort((a, b) => a.pasid - b.pasid);
}
