import { hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { isInterruptAddress, vtdAddress } from '../../model/registers/x86.ts';
import type { State } from '../../model/state.ts';
import { translationOf } from '../../model/translation.ts';
import type { Trace } from '../../trace/trace.ts';
import { objectsBelow } from '../paths.ts';
import { derivedKeys, keyValue, type Value, viewObject } from '../view.ts';
import { countedIn, isPlace } from './cells.ts';
import { type Groups, groupThings } from './groups.ts';
import { matchThings } from './match.ts';
import { spaceOfArgument } from './numbers.ts';
import { type Survey, surveying } from './survey.ts';

/** One difference of two states: an object that is in one of them only, or a key or field that differs. */
export interface StateRow {
  /** The steps whose states are compared. */
  readonly at: { readonly a: Step; readonly b: Step };
  readonly kind: 'only-a' | 'only-b' | 'changed';
  /** Path of the object in A, or in B where only B has it. */
  readonly object: string;
  /** The key, or a field of it (`control.mask`); null for a whole object. */
  readonly field: string | null;
  readonly a: Value;
  readonly b: Value;
}

/** The differences of two states, and the objects that are in both: in A, in B. */
export interface ComparedObjects {
  readonly rows: readonly StateRow[];
  readonly both: readonly (readonly [ObjectId, ObjectId])[];
}

/** One state and how its objects are known in the other one. */
interface Side {
  readonly state: State;
  /** What an object is in both; undefined while the other trace has no such thing. */
  readonly keyOf: (object: ObjectId) => string;
  /** What a number of a kind means in both. */
  readonly meant: (object: ObjectId, type: string, key: string, value: Value) => unknown;
}

/**
 * Compares the state of trace A after a step with that of trace B after another, object by object, in the order of their paths.
 * Of one trace the objects are the same; in two traces they are matched as in a comparison of events.
 */
export function* comparingStates(a: Trace, stepA: Step, b: Trace, stepB: Step): Generator<void, readonly StateRow[]> {
  return (yield* comparingObjects(a, stepA, b, stepB)).rows;
}

/** The same, with the objects that are in both. */
export function* comparingObjects(a: Trace, stepA: Step, b: Trace, stepB: Step): Generator<void, ComparedObjects> {
  const at = { a: stepA, b: stepB };
  const both: [ObjectId, ObjectId][] = [];
  if (a === b) {
    const plain = (state: State): Side => ({
      state,
      keyOf: (object) => state.world.path(object),
      meant: (_object, _type, _key, value) => value,
    });
    return { rows: [...rowsOf(plain(a.stateAt(stepA)), plain(b.stateAt(stepB)), at, both)], both };
  }
  const here = yield* surveying(a);
  const there = yield* surveying(b);
  const groups = groupThings(here.things, there.things, matchThings(here.things, there.things));
  return { rows: [...rowsOf(sideOf(here, groups.ofA, stepA), sideOf(there, groups.ofB, stepB), at, both)], both };
}

/** The same at once. */
export function compareStates(a: Trace, stepA: Step, b: Trace, stepB: Step): readonly StateRow[] {
  const work = comparingStates(a, stepA, b, stepB);
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Bits of an address in remappable format that hold the number of the entry. */
const HANDLE = BigInt((vtdAddress.f.handleLow.mask | vtdAddress.f.handleHigh.mask) >>> 0);

function sideOf(survey: Survey, common: Groups['ofA'], step: Step): Side {
  const { trace, things } = survey;
  const { world } = trace;
  const units = [...things.spaces()].map(([space]) => space).filter((s) => /(?:^|:)irte\/(?!amdvi-)/.test(s));
  const meaning = (space: string, number: number): unknown => {
    const thing = things.at(space, number, step);
    return thing < 0 ? number : { thing: common[thing] };
  };
  const keyOf = (named: ObjectId): string => {
    const object = things.meant(named);
    const slot = things.numbered(object);
    if (slot === null) return world.path(object);
    const thing = things.at(slot.space, slot.number, step);
    return `${slot.pattern} ${thing < 0 ? `number ${slot.number}` : common[thing]}`;
  };
  const state = trace.stateAt(step);
  return {
    state,
    keyOf,
    meant: (object, type, key, value) => {
      if (isPlace(type, key)) return null;
      const what = countedIn(type, key);
      if (what !== undefined && typeof value === 'number')
        return meaning(spaceOfArgument(what, world.path(object)), value);
      const cell = world.type(object)?.cells.find(({ name }) => name === key);
      if (cell?.kind === 'object' && typeof value === 'string') {
        const named = world.objectAt(value);
        return named < 0 ? value : keyOf(named);
      }
      const at = world.type(object)?.at;
      if (key !== 'address' || typeof value !== 'string' || units.length === 0) return value;
      // The entry of a remapping unit that a message selects.
      const whole = BigInt(value);
      const low = Number(whole & 0xffffffffn);
      if (at?.['data'] === undefined || !isInterruptAddress(low) || vtdAddress.f.format.of(low) !== 1) return value;
      const entry = translationOf(state, object, at['address']!, at['data'], 'vtd');
      // Where it is not known which entry that is, its number says nothing.
      return { entry: entry < 0 ? null : keyOf(entry), rest: hexText(whole & ~HANDLE) };
    },
  };
}

function* rowsOf(a: Side, b: Side, at: StateRow['at'], both: [ObjectId, ObjectId][]): Generator<StateRow> {
  const present = ({ state }: Side): ObjectId[] =>
    objectsBelow(state.world.root).filter((object) => {
      const type = state.world.type(object)!;
      return state.present(object) && type.size > 1 && !type.hidden;
    });
  const others = new Map(present(b).map((object) => [b.keyOf(object), object]));
  for (const object of present(a)) {
    const key = a.keyOf(object);
    const other = others.get(key);
    others.delete(key);
    const path = a.state.world.path(object);
    if (other === undefined) {
      yield { at, kind: 'only-a', object: path, field: null, a: viewObject(a.state, object), b: null };
      continue;
    }
    both.push([object, other]);
    for (const [field, x, y] of differences(a, object, b, other))
      yield { at, kind: 'changed', object: path, field, a: x, b: y };
  }
  for (const object of others.values()) {
    const path = b.state.world.path(object);
    yield { at, kind: 'only-b', object: path, field: null, a: null, b: viewObject(b.state, object) };
  }
}

/** Values that only say in other words what other keys of the object hold. */
const REPEATED: ReadonlySet<string> = new Set(['actions', 'message']);

type Fields = Readonly<Record<string, Value>>;

/** The keys of an object that differ; of registers the fields that do. */
function* differences(a: Side, mine: ObjectId, b: Side, theirs: ObjectId): Generator<[string, Value, Value]> {
  const type = a.state.world.type(mine)!;
  if (b.state.world.type(theirs) !== type) return;
  const keys = [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
  for (const key of keys) {
    if (REPEATED.has(key)) continue;
    const [x, y] = [keyValue(a.state, mine, key) ?? null, keyValue(b.state, theirs, key) ?? null];
    if (JSON.stringify(x) === JSON.stringify(y)) continue;
    const meant = (side: Side, object: ObjectId, value: Value): string =>
      JSON.stringify(side.meant(object, type.name, key, plain(value)));
    if (!isRegister(x) || !isRegister(y)) {
      if (meant(a, mine, x) !== meant(b, theirs, y)) yield [key, plain(x), plain(y)];
      continue;
    }
    if (x.value !== null && y.value !== null && meant(a, mine, x) === meant(b, theirs, y)) continue;
    const [old, now] = [x.fields as Fields, y.fields as Fields];
    const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((f) => old[f] !== now[f]);
    if (fields.length === 0) yield [key, x.value, y.value];
    for (const field of fields) yield [`${key}.${field}`, old[field] ?? null, now[field] ?? null];
  }
}

interface Register {
  readonly value: string | null;
  readonly fields: unknown;
}

const isRegister = (value: Value): value is Value & Register =>
  typeof value === 'object' && value !== null && 'fields' in value && 'value' in value;

const plain = (value: Value): Value => (isRegister(value) ? value.value : value);
