import type { ObjectType } from '../model/objects.ts';
import type { RegisterView } from '../model/register.ts';
import type { State } from '../model/state.ts';
import type { PathNode } from '../model/world.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import { type SourceRef, sourceOf, timeOf } from './events.ts';
import { sortedChildren, type Target } from './paths.ts';
import { type StateTree, targetValue } from './state.ts';
import { derivedKeys, keyValue, type Value } from './view.ts';

/** One write of something: what it held before and after. */
export interface HistoryEntry {
  readonly step: number;
  readonly time: string | null;
  /** Path of what was written, when the question was about a whole object. */
  readonly path?: string;
  /** Registers as their value in hexadecimal, null while any bit of it is unknown. */
  readonly old: Value | StateTree;
  readonly new: Value | StateTree;
  /** The fields after the write, for registers. */
  readonly fields?: Value;
  readonly source: SourceRef;
}

/** Events that look at something without writing it: they count only when they make something known or different. */
export const LOOKS: ReadonlySet<string> = new Set([
  'tbl.read',
  'cfg.read',
  'pba.read',
  'irte.read',
  'irte.readAmd',
  'its.dte',
  'its.ite',
  'its.cte',
  'ir.remap',
  'cpu.online',
]);

const same = (a: Value | StateTree, b: Value | StateTree): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b) || (isUnknown(a) && isUnknown(b));

/** Nothing is known of it: a register that came into being says no more than none. */
function isUnknown(value: Value | StateTree): boolean {
  if (!isRegister(value)) return value === null;
  return value.value === null && Object.values(value.fields).every((field) => field === null);
}

/** One object that is watched: the keys of interest and what they held after the event before. */
interface Watched {
  readonly object: number;
  readonly path: string;
  readonly keys: readonly string[];
  old: (Value | StateTree)[];
}

/** All keys of an object's type. */
function keysOf(type: ObjectType): string[] {
  return [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
}

/** The objects at a node and below it. */
function objectsBelow(node: PathNode, into: number[] = []): number[] {
  if (node.object >= 0) into.push(node.object);
  for (const child of sortedChildren(node)) objectsBelow(child, into);
  return into;
}

/**
 * Each write of a key or a field, or of any key of an object and the objects below it, in order. For a key that lies in
 * cells, writes that change nothing are part of it; for computed keys, fields and whole objects only changes are.
 * `limit` ends the search early.
 */
export function* history(trace: Trace, target: Target, limit = Number.POSITIVE_INFINITY): Generator<HistoryEntry> {
  const { world } = trace;
  const objects = target.key === undefined ? objectsBelow(target.node) : [target.object];
  const watched = new Map<number, Watched>();
  for (const object of objects) {
    const keys = target.key === undefined ? keysOf(world.type(object)!) : [target.key];
    watched.set(object, { object, path: world.path(object), keys, old: keys.map(() => null) });
  }
  // A computed key may depend on cells of other objects: the objects to look at when such a cell changes.
  const dependents = new Map<number, Set<number>>();
  const exact = target.cell !== undefined && target.field === undefined;
  const first = exact ? world.base(target.object) + target.type!.at[target.cell!.name]! : -1;
  const state = trace.stateAt(BEFORE_FIRST);
  for (const w of watched.values()) noteDependencies(state, w, dependents);
  const touched = new Set<number>();
  let hit = false;
  state.watch = (cell, changes) => {
    if (cell >= first && cell < first + (target.cell?.words ?? 0)) hit = true;
    const object = world.objectOfCell(cell);
    if (watched.has(object)) touched.add(object);
    if (changes) for (const dependent of dependents.get(cell) ?? NONE) touched.add(dependent);
  };
  let found = 0;
  for (let step = 0; step < trace.length && found < limit; step++) {
    hit = false;
    trace.advance(state, step - 1, step);
    if (touched.size === 0) continue;
    const wrote = exact && hit && !LOOKS.has(trace.table.kind(step).name);
    for (const object of touched) {
      const w = watched.get(object)!;
      noteDependencies(state, w, dependents);
      for (const entry of differences(trace, state, w, target, step, wrote)) {
        found++;
        yield entry;
      }
    }
    touched.clear();
  }
}

const NONE: readonly number[] = [];

function* differences(
  trace: Trace,
  state: State,
  w: Watched,
  target: Target,
  step: number,
  wrote: boolean,
): Generator<HistoryEntry> {
  const now = w.keys.map((key) => read(state, w.object, target, key));
  for (const [i, key] of w.keys.entries()) {
    if (!wrote && same(w.old[i]!, now[i]!)) continue;
    yield {
      step,
      time: timeOf(trace, step),
      ...(target.key === undefined ? { path: `${w.path}/${key}` } : {}),
      old: short(w.old[i]!),
      new: short(now[i]!),
      ...fieldsOf(now[i]!),
      source: sourceOf(trace, step),
    };
  }
  w.old = now;
}

/** Notes on which cells of other objects the computed keys of a watched object depend now. */
function noteDependencies(state: State, w: Watched, dependents: Map<number, Set<number>>): void {
  for (const d of derivedKeys(state.world.type(w.object)!)) {
    if (d.from === undefined || !w.keys.includes(d.name)) continue;
    for (const source of d.from(state, w.object)) {
      const known = dependents.get(source);
      if (known) known.add(w.object);
      else dependents.set(source, new Set([w.object]));
    }
  }
}

const isRegister = (value: Value | StateTree): value is RegisterView & StateTree =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value;

const short = (value: Value | StateTree): Value | StateTree => (isRegister(value) ? value.value : value);

const fieldsOf = (value: Value | StateTree): { fields?: Value } => (isRegister(value) ? { fields: value.fields } : {});

function read(state: State, object: number, target: Target, key: string): Value | StateTree {
  if (target.key !== undefined) return targetValue(state, target);
  return state.present(object) ? (keyValue(state, object, key) ?? null) : null;
}
