import type { RegisterView } from '../model/register.ts';
import type { State } from '../model/state.ts';
import type { Trace } from '../trace/trace.ts';
import { BEFORE_FIRST } from '../trace/trace.ts';
import { type SourceRef, sourceOf, timeOf } from './events.ts';
import type { Target } from './paths.ts';
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
const LOOKS = new Set([
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

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** The cells (numbers in the world) from which a target is computed, as one range per object. */
function rangesOf(state: State, target: Target): [from: number, to: number][] {
  const { world } = state;
  const { object, type } = target;
  if (type === undefined) return [];
  const whole = (o: number): [number, number] => [world.base(o), world.base(o) + (world.type(o)?.size ?? 0)];
  if (target.key === undefined) return [whole(object)];
  if (target.cell) {
    const from = world.base(object) + type.at[target.cell.name]!;
    return [[from, from + target.cell.words]];
  }
  const computed = derivedKeys(type).find((d) => d.name === target.key);
  return [whole(object), ...(computed?.from?.(state, object) ?? []).map(whole)];
}

/**
 * Each write of a key, a field or any key of an object, in order. Writes that changed nothing are part of it; for
 * computed keys and fields only changes are. `limit` ends the search early.
 */
export function* history(trace: Trace, target: Target, limit = Number.POSITIVE_INFINITY): Generator<HistoryEntry> {
  if (target.object < 0) return;
  const state = trace.stateAt(BEFORE_FIRST);
  const keys = target.key === undefined ? keysOf(target) : [target.key];
  let old = keys.map((key) => read(state, target, key));
  let found = 0;
  const ranges = rangesOf(trace.head, target);
  // One range is watched in the state itself; keys computed from several objects are compared after each event.
  const [first] = ranges;
  if (first && ranges.length === 1) [state.watchFrom, state.watchTo] = first;
  const exact = target.cell !== undefined && target.field === undefined;
  for (let step = 0; step < trace.length && found < limit; step++) {
    state.watchHits = 0;
    trace.advance(state, step - 1, step);
    if (ranges.length === 1 && state.watchHits === 0 && !forgets(trace, step)) continue;
    const wrote = state.watchHits > 0 && exact && !LOOKS.has(trace.table.kind(step).name);
    const now = keys.map((key) => read(state, target, key));
    for (const [i, key] of keys.entries()) {
      if (!wrote && same(old[i], now[i])) continue;
      found++;
      yield {
        step,
        time: timeOf(trace, step),
        ...(target.key === undefined ? { path: `${target.node.path}/${key}` } : {}),
        old: short(old[i]!),
        new: short(now[i]!),
        ...fieldsOf(now[i]!),
        source: sourceOf(trace, step),
      };
    }
    old = now;
  }
}

const isRegister = (value: Value | StateTree): value is RegisterView & StateTree =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value;

const short = (value: Value | StateTree): Value | StateTree => (isRegister(value) ? value.value : value);

const fieldsOf = (value: Value | StateTree): { fields?: Value } => (isRegister(value) ? { fields: value.fields } : {});

/** Whether an event may make cells unknown, which the watch does not count. */
function forgets(trace: Trace, step: number): boolean {
  return FORGETFUL.has(trace.table.kind(step).name);
}

const FORGETFUL = new Set([
  'irq.exit',
  'vec.setup',
  'vec.update',
  'vec.clear',
  'vec.freeMoved',
  'tbl.bind',
  'route.set',
  'route.update',
  'route.release',
  'vfio.route',
  'irqfd.assign',
  'irte.read',
  'irte.readAmd',
  'its.mapd',
  'its.mapc',
  'its.discard',
  'its.dte',
  'its.ite',
  'its.cte',
  'smmu.bypass',
  'smmu.abort',
]);

function keysOf(target: Target): string[] {
  const { type } = target;
  if (type === undefined) return [];
  return [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
}

function read(state: State, target: Target, key: string): Value | StateTree {
  if (target.key !== undefined) return targetValue(state, target);
  return state.present(target.object) ? (keyValue(state, target.object, key) ?? null) : null;
}
