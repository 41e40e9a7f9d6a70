// What the state holds at a step, read from the state as it is printed; and related objects, found by trying every reference of every object.
import { linksOf } from '../../src/model/references.ts';
import type { State } from '../../src/model/state.ts';
import { namesBelow } from '../../src/query/filter/keys.ts';
import { relationNames } from '../../src/query/filter/related-names.ts';
import { stateRefOf } from '../../src/query/filter/state-names.ts';
import { resolvePath } from '../../src/query/paths.ts';
import { viewObject } from '../../src/query/view.ts';
import type { Trace } from '../../src/trace/trace.ts';

const NOT_JOINING = ['previous', 'running', 'target', 'parent'];
const SHARED = 'device cpu vcpu domain irunit its itscollection vfio kvm kvmtable grant'.split(' ');

/** Names of the state that filters may use of a trace: of related objects, and of some objects by their paths. */
export function stateNames(of: Trace): string[] {
  const names: string[] = [];
  const types = new Set(Array.from({ length: of.world.objects }, (_, object) => of.world.type(object)!));
  for (const [relation, { types: possible }] of Object.entries(relationNames)) {
    names.push(`state(${relation})`);
    for (const type of possible)
      if (types.has(type)) names.push(...namesBelow(type).map((key) => `${relation}.${key}`));
  }
  const seen = new Map<unknown, number>();
  for (let object = 0; object < of.world.objects; object++) {
    const type = of.world.type(object)!;
    const count = (seen.get(type) ?? 0) + 1;
    seen.set(type, count);
    const path = of.world.path(object);
    if (count <= 2 && type.cells.length > 0) names.push(...namesBelow(type).map((key) => `${path}.${key}`));
  }
  return names.filter((name) => {
    const ref = stateRefOf(name);
    return ref !== undefined && !('problem' in ref);
  });
}

const states = new WeakMap<Trace, Map<number, State>>();

function stateAt(of: Trace, step: number): State {
  let known = states.get(of);
  if (!known) states.set(of, (known = new Map()));
  let state = known.get(step);
  if (!state) known.set(step, (state = of.stateAt(step)));
  return state;
}

type Plain = bigint | string | boolean | undefined;

/** Whether a name stands for a path that the state holds. */
export const plainPath = (name: string): boolean => /^state\(\w+\)$/.test(name) || /\.(entry)$/.test(name);

/** The value of a name of the state; null for a name that is none of the state, undefined for what is not known. */
export function plainState(name: string, of: Trace, step: number): Plain | null {
  const alone = /^state\((\w+)\)$/.exec(name)?.[1];
  if (alone !== undefined) return plainRelated(alone, of, step);
  if (!name.includes('.') || name.startsWith('dt.')) return null;
  const relation = name.slice(0, name.indexOf('.'));
  let path: string | undefined;
  let key: string;
  if (name.includes('/')) {
    // The path of the object is the longest part in front of a point that is the path of an object.
    const ends = [...name.matchAll(/\./g)].map(({ index }) => index).reverse();
    const end = ends.find((at) => of.world.objectAt(name.slice(0, at)) >= 0)!;
    [path, key] = [name.slice(0, end), name.slice(end + 1)];
  } else if (Object.hasOwn(relationNames, relation)) {
    path = plainRelated(relation, of, step);
    key = name.slice(relation.length + 1);
  } else return null;
  return path === undefined ? undefined : keyAt(stateAt(of, step), path, key);
}

function keyAt(state: State, path: string, key: string): Plain {
  const object = resolvePath(state.world, path)!.object;
  const type = state.world.type(object)!;
  if (key === 'exists') return state.present(object);
  if (!state.present(object)) return undefined;
  const view = viewObject(state, object) as Record<string, unknown>;
  const isText = (name: string): boolean =>
    ['text', 'object'].includes(type.cells.find((c) => c.name === name)?.kind ?? '') || name === 'requester';
  let value: unknown;
  if (Object.hasOwn(view, key)) {
    value = view[key];
    // A list is the text that joins it; counts by CPU are no single value.
    if (Array.isArray(value)) return value.join(', ');
    if (key === 'perCpu') return undefined;
    if (typeof value === 'object' && value !== null)
      value = 'value' in value ? value.value : (value as { text: unknown }).text;
    if (key === 'message' || isText(key)) return value === null ? undefined : (value as string);
  } else {
    // The first register that has a field of this name, in any of its layouts.
    for (const cell of type.cells) {
      const { register } = cell;
      if (!register || cell.hidden) continue;
      const layouts = [register, ...(register.layouts ?? [])];
      if (!layouts.some((l) => l.fields.some((f) => f.name === key && !f.access.startsWith('Rsvd')))) continue;
      const shown = view[cell.name];
      const fields = (typeof shown === 'object' && shown !== null ? shown : view) as {
        fields: Record<string, unknown>;
      };
      value = Object.hasOwn(fields.fields, key) ? fields.fields[key] : null;
      break;
    }
  }
  if (value === null || value === undefined) return undefined;
  return typeof value === 'boolean' ? value : BigInt(value as string | number);
}

const edges = new WeakMap<State, readonly (readonly number[])[]>();

/** The objects that each object names. */
function edgesOf(state: State): readonly (readonly number[])[] {
  let known = edges.get(state);
  if (!known) {
    known = Array.from({ length: state.world.objects }, (_, object) =>
      linksOf(state, object)
        .filter(({ name, target }) => !NOT_JOINING.includes(name) && target !== object)
        .map(({ target }) => target),
    );
    edges.set(state, known);
  }
  return known;
}

/** The object of a relation at or above an object in the tree. */
function above(of: Trace, relation: string, object: number): string | undefined {
  const { world } = of;
  const types = relationNames[relation]!.types;
  const segments = world.path(object).split('/');
  for (let size = segments.length; size > 0; size--) {
    const path = segments.slice(0, size).join('/');
    const at = world.objectAt(path);
    if (at >= 0 && types.includes(world.type(at)!)) return path;
    if (relation === 'msixcap' && world.objectAt(`${path}/msixcap`) >= 0) return `${path}/msixcap`;
  }
  return undefined;
}

const answers = new WeakMap<State, Map<string, string | undefined>>();

/** The path of the related object of an event; undefined where there is none, or where several are equally near. */
export function plainRelated(relation: string, of: Trace, step: number): string | undefined {
  const state = stateAt(of, step);
  const start = of.table.object(step);
  let known = answers.get(state);
  if (!known) answers.set(state, (known = new Map()));
  const id = `${relation} ${start}`;
  if (!known.has(id)) known.set(id, search(relation, of, state, start));
  return known.get(id);
}

function search(relation: string, of: Trace, state: State, start: number): string | undefined {
  const { world } = of;
  if (relation === 'object') return world.path(start);
  const own = above(of, relation, start);
  if (own !== undefined) return own;
  const named = edgesOf(state);
  const shared = (object: number): boolean => SHARED.includes(world.type(object)!.name);
  const against = (from: ReadonlySet<number>): Set<number> =>
    new Set(named.flatMap((targets, object) => (targets.some((t) => from.has(t) && !shared(t)) ? [object] : [])));
  const along = (from: ReadonlySet<number>, first: boolean): Set<number> =>
    new Set([...from].filter((object) => first || !shared(object)).flatMap((object) => named[object]!));
  // Row i: what is reached by i references against their direction and then by as many along as the far allows.
  let rows: Set<number>[] = [new Set([start])];
  for (let far = 1; far <= 6; far++) {
    rows = [...rows.map((row, i) => along(row, far === 1 && i === 0)), against(rows.at(-1)!)];
    const hits = new Set(rows.flatMap((row) => [...row].flatMap((object) => above(of, relation, object) ?? [])));
    if (hits.size > 0) return hits.size === 1 ? [...hits][0] : undefined;
  }
  return undefined;
}
