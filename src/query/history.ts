import type { ObjectId, Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import type { ObjectType } from '../model/objects.ts';
import type { RegisterView } from '../model/register.ts';
import { PRESENT, type State } from '../model/state.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import { type SourceRef, sourceOf, timeOf } from './events.ts';
import { objectsBelow, type PathTarget } from './paths.ts';
import { type StateTree, targetValue } from './state.ts';
import { derivedKeys, keyValue, type Value } from './view.ts';
import { blockOf, type Hit, stepsOf, Watched } from './watched.ts';

/** One write of a key or field: what it held before and after. */
export interface HistoryEntry {
  readonly step: Step;
  readonly time: string | null;
  /** Path of the key that was written, when the question was about a whole object. */
  readonly path?: string;
  /** Registers as their value in hexadecimal, null while any bit of it is unknown. */
  readonly old: Value | StateTree;
  readonly new: Value | StateTree;
  /** The fields after the write, for registers. */
  readonly fields?: Value;
  readonly source: SourceRef;
}

/** Whether events of a kind only read: they count only when they make a value known or change it. */
export const onlyLooks = ({ role }: EventKind): boolean => role === 'look' || role === 'translate';

const same = (a: Value | StateTree, b: Value | StateTree): boolean =>
  a === b ||
  (typeof a === 'object' &&
    typeof b === 'object' &&
    (JSON.stringify(a) === JSON.stringify(b) || (isUnknown(a) && isUnknown(b))));

/** Whether nothing is known of a value. A register that just came into being counts as unknown. */
function isUnknown(value: Value | StateTree): boolean {
  if (!isRegister(value)) return value === null;
  return value.value === null && Object.values(value.fields).every((field) => field === null);
}

/** What one object held after the last event that the search has read. */
interface Held {
  readonly object: ObjectId;
  readonly keys: readonly string[];
  /** The path of each key. */
  readonly paths: readonly string[];
  /** For each cell of the object the keys that its change can change; undefined: every key. */
  readonly keysOfCell: readonly (readonly number[] | undefined)[];
  readonly values: (Value | StateTree)[];
}

/**
 * Which keys of whole objects a history is about: `all`, or `told` for those that records tell directly. The others are
 * counters, and computed keys, which follow from what is told.
 */
export type KeysOf = 'all' | 'told';

function keysOf(type: ObjectType, which: KeysOf): string[] {
  const cells = type.cells.filter((c) => !c.hidden && (which === 'all' || c.kind !== 'count'));
  const derived = which === 'all' ? derivedKeys(type) : [];
  return [...cells.map((c) => c.name), ...derived.map((d) => d.name)];
}

/** The keys that a change of each cell of a type can change: the key that lies in the cell, and every computed key. */
function keysByCell(type: ObjectType, keys: readonly string[]): (readonly number[] | undefined)[] {
  const computed = derivedKeys(type).flatMap(({ name }) => (keys.includes(name) ? [keys.indexOf(name)] : []));
  const list: (readonly number[] | undefined)[] = new Array(type.size).fill(computed);
  for (const cell of type.cells) {
    const key = keys.indexOf(cell.name);
    const at = type.at[cell.name]!;
    if (key >= 0) list.fill([key, ...computed.filter((other) => other !== key)], at, at + cell.words);
  }
  // An object that comes or goes changes in every key.
  list[PRESENT] = undefined;
  return list;
}

/**
 * Each write of a key or a field, or of any key of an object and the objects below it, in order. For a key that lies in
 * cells, the history has also the writes that change nothing; for computed keys, fields and whole objects it has only changes.
 * `limit` ends the search early.
 */
export function* history(trace: Trace, target: PathTarget, limit = Number.POSITIVE_INFINITY): Generator<HistoryEntry> {
  let found = 0;
  for (const entry of historySlices(trace, target)) {
    if (entry === undefined) continue;
    yield entry;
    if (++found >= limit) return;
  }
}

/** The same in slices: yields `undefined` after each block of the trace, so that the caller may do other work or stop. */
export function* historySlices(trace: Trace, target: PathTarget): Generator<HistoryEntry | undefined> {
  const search = new HistorySearch(trace, target);
  search.go(BEFORE_FIRST);
  for (let block = search.nextBlock(0); block <= blockOf(trace.length - 1); block = search.nextBlock(block + 1)) {
    yield* search.entriesTo(...stepsOf(trace, block));
    yield undefined;
  }
}

/** Finds the writes of a target, block by block of the trace. */
export class HistorySearch {
  readonly #watched: Watched;
  readonly #trace: Trace;
  readonly #target: PathTarget;
  readonly #objects: readonly ObjectId[];
  readonly #exact: boolean;
  readonly #which: KeysOf;
  readonly #held = new Map<ObjectId, Held>();
  readonly #forms = new Map<ObjectType, Pick<Held, 'keys' | 'keysOfCell'>>();

  /** `rewrites`: writes that change nothing count too, where the target lies in cells. `which`: the keys of whole objects. */
  constructor(trace: Trace, target: PathTarget, rewrites = true, which: KeysOf = 'all') {
    const { world } = trace;
    this.#which = which;
    this.#trace = trace;
    this.#target = target;
    this.#objects = target.key === undefined ? objectsBelow(target.node) : [target.object];
    this.#exact = rewrites && target.cell !== undefined && target.field === undefined;
    const first = this.#exact ? world.base(target.object) + target.type!.at[target.cell!.name]! : 0;
    this.#watched = new Watched(trace, this.#objects, target.key, [
      first,
      first + (this.#exact ? target.cell!.words : 0),
    ]);
  }

  /** Goes to the state after a step. */
  go(step: Step): void {
    this.#watched.go(step);
    this.#held.clear();
  }

  /** The first block at or after `block` in which there may be writes. */
  nextBlock(block: number): number {
    return this.#watched.nextBlock(block);
  }

  /** The last block at or before `block` in which there may be writes; -1 for none. */
  previousBlock(block: number): number {
    return this.#watched.previousBlock(block);
  }

  /** The writes from step `from` to `to`, both included. */
  *entriesIn(from: number, to: number): Generator<HistoryEntry> {
    this.go(from - 1);
    yield* this.entriesTo(from, to);
  }

  /** The writes from `from` to `to`, after the place where the search is; the caller knows that there are none before `from`. */
  *entriesTo(from: number, to: number): Generator<HistoryEntry> {
    const watched = this.#watched;
    for (;;) {
      const hit = watched.find(from, to);
      if (hit === undefined) return;
      for (const object of hit.objects) if (!this.#held.has(object)) this.#held.set(object, this.#read(object));
      watched.take(hit);
      const wrote = hit.exact && !onlyLooks(this.#trace.table.kind(hit.step));
      for (const object of hit.objects) yield* this.#differences(this.#held.get(object)!, hit, wrote);
    }
  }

  #read(object: ObjectId): Held {
    const { world } = this.#trace;
    const { state } = this.#watched;
    const { key } = this.#target;
    const type = world.type(object)!;
    let form = this.#forms.get(type);
    if (form === undefined) {
      const keys = key === undefined ? keysOf(type, this.#which) : [key];
      form = { keys, keysOfCell: key === undefined ? keysByCell(type, keys) : new Array(type.size).fill([0]) };
      this.#forms.set(type, form);
    }
    const values = form.keys.map((name) => read(state, object, this.#target, name));
    return { object, paths: form.keys.map((name) => `${world.path(object)}/${name}`), ...form, values };
  }

  /** The keys of an object that a step may have changed, in their order. */
  #touched(held: Held, hit: Hit): Iterable<number> {
    const base = this.#trace.world.base(held.object);
    const { keysOfCell, keys } = held;
    const touched = new Set<number>();
    for (const cell of hit.cells) {
      const own = cell - base;
      const list = own >= 0 && own < keysOfCell.length ? keysOfCell[own] : undefined;
      // A cell of another object, which a computed key reads.
      if (list === undefined) return keys.keys();
      for (const key of list) touched.add(key);
    }
    return touched.size > 1 ? [...touched].sort((a, b) => a - b) : touched;
  }

  *#differences(held: Held, hit: Hit, wrote: boolean): Generator<HistoryEntry> {
    const trace = this.#trace;
    const { state } = this.#watched;
    const { step } = hit;
    const whole = this.#target.key === undefined;
    for (const i of wrote ? held.keys.keys() : this.#touched(held, hit)) {
      const key = held.keys[i]!;
      const before = held.values[i]!;
      const now = read(state, held.object, this.#target, key);
      held.values[i] = now;
      if (!wrote && same(before, now)) continue;
      const [time, source] = [timeOf(trace, step), sourceOf(trace, step)];
      const values = { old: short(before), new: short(now) };
      const fields = isRegister(now) ? { fields: now.fields } : undefined;
      if (whole) yield { step, time, path: held.paths[i]!, ...values, ...fields, source };
      else yield { step, time, ...values, ...fields, source };
    }
  }
}

const isRegister = (value: Value | StateTree): value is RegisterView & StateTree =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value;

const short = (value: Value | StateTree): Value | StateTree => (isRegister(value) ? value.value : value);

function read(state: State, object: ObjectId, target: PathTarget, key: string): Value | StateTree {
  if (target.key !== undefined) return targetValue(state, target);
  return state.present(object) ? (keyValue(state, object, key) ?? null) : null;
}
