import type { CellId, ObjectId, Step } from '../base/ids.ts';
import { lowerBound } from '../base/search.ts';
import type { Trace } from '../trace/trace.ts';
import { type HistoryEntry, HistorySearch, type KeysOf, onlyLooks } from './history.ts';
import type { PathTarget } from './paths.ts';
import { targetValue } from './state.ts';
import { blockOf, stepsOf, Watched } from './watched.ts';

/**
 * The last step at or before `until` that wrote a target: the cell of a key (also when the value stayed the same), any
 * cell of an object, or what a computed key depends on; -1 when none did. Reads count only when they showed something new.
 */
export function lastWrite(trace: Trace, target: PathTarget, until: number): number {
  const { world } = trace;
  const { object, type, cell, key, field } = target;
  if (object < 0 || type === undefined) return -1;
  const base = world.base(object);
  const from = cell ? base + type.at[cell.name]! : base;
  const derived = key !== undefined && cell === undefined;
  const exact = derived || field !== undefined ? base : from + (cell ? cell.words : type.size);
  const watched = new Watched(trace, [object], key, [derived || field !== undefined ? base : from, exact]);
  const last = Math.min(until, trace.length - 1);
  watched.go(last);
  for (let block = watched.previousBlock(blockOf(last)); block >= 0; block = watched.previousBlock(block - 1)) {
    const [start, end] = stepsOf(trace, block);
    watched.go(start - 1);
    let found = -1;
    for (;;) {
      const hit = watched.find(start, Math.min(end, last));
      if (hit === undefined) break;
      const wrote = hit.exact && !onlyLooks(trace.table.kind(hit.step));
      const before = wrote ? '' : JSON.stringify(targetValue(watched.state, target));
      watched.take(hit);
      if (wrote || before !== JSON.stringify(targetValue(watched.state, target))) found = hit.step;
    }
    if (found >= 0) return found;
  }
  return -1;
}

/** Writes of a target around a step, in order; `all`: the target has no others. */
export interface WritesAround {
  readonly entries: readonly HistoryEntry[];
  readonly all: boolean;
}

/** The writes of a target around a step: at most `most` up to it and `most` after it. */
export function writesAround(
  trace: Trace,
  target: PathTarget,
  step: Step,
  most: number,
  which: KeysOf = 'all',
): WritesAround {
  const slices = writesAroundSlices(trace, target, step, most, which);
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
  }
}

/** The same in slices: pauses after each block of the trace, so that the caller may do other work or stop. */
export function* writesAroundSlices(
  trace: Trace,
  target: PathTarget,
  step: Step,
  most: number,
  which: KeysOf = 'all',
): Generator<undefined, WritesAround> {
  const search = new HistorySearch(trace, target, true, which);
  const last = trace.length - 1;
  const middle = Math.min(step, last);
  /** The entries of each block, the latest block first. */
  const blocks: HistoryEntry[][] = [];
  let found = 0;
  search.go(middle);
  for (let block = search.previousBlock(blockOf(middle)); block >= 0; block = search.previousBlock(block - 1)) {
    const [first, end] = stepsOf(trace, block);
    const entries = [...search.entriesIn(first, Math.min(end, middle))];
    blocks.push(entries);
    found += entries.length;
    if (found > most) break;
    yield;
  }
  const before = blocks.reverse().flat();
  const after: HistoryEntry[] = [];
  search.go(middle);
  forward: for (
    let block = search.nextBlock(blockOf(middle + 1));
    block <= blockOf(last);
    block = search.nextBlock(block + 1)
  ) {
    const [first, end] = stepsOf(trace, block);
    for (const entry of search.entriesTo(Math.max(first, middle + 1), end)) {
      after.push(entry);
      if (after.length > most) break forward;
    }
    yield;
  }
  const all = before.length <= most && after.length <= most;
  return { entries: [...before.slice(Math.max(0, before.length - most)), ...after.slice(0, most)], all };
}

/** A run of cells of one object: numbers of the cells in the world, the last one not included. */
export type CellRun = readonly [from: CellId, to: CellId];

/**
 * The last step at which a run of cells of each object changed; objects whose run never changed are left out. Each block of the
 * trace is read once at most, however many objects there are.
 */
export function lastChanges(trace: Trace, runs: ReadonlyMap<ObjectId, CellRun>): ReadonlyMap<ObjectId, Step> {
  const { log, world } = trace;
  const found = new Map<ObjectId, Step>();
  const wanted = new Uint8Array(world.cells);
  /** Which objects to look for in which block. */
  const inBlock: ObjectId[][] = [];
  const lookBefore = (block: number, object: ObjectId): void => {
    const list = log.blocks.of(object);
    const at = list[lowerBound(list, block) - 1];
    if (at !== undefined) (inBlock[at] ??= []).push(object);
  };
  for (const object of runs.keys()) lookBefore(blockOf(trace.length - 1) + 1, object);
  for (let block = inBlock.length - 1; block >= 0; block--) {
    const objects = inBlock[block] ?? [];
    for (const object of objects) wanted.fill(1, ...runs.get(object)!);
    const changes = log.read(...stepsOf(trace, block));
    while (changes.nextOf(wanted)) if (changes.changes) found.set(world.objectOfCell(changes.cell), changes.step);
    for (const object of objects) {
      wanted.fill(0, ...runs.get(object)!);
      if (!found.has(object)) lookBefore(block, object);
    }
  }
  return found;
}
