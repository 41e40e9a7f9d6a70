// Names of what the state holds: `entry.mask`, `irq/41.vector`, `device/0000:00:03.0/msix/0/control.mask`, `state(entry)`.
import { fitsPattern, lastSegment } from '../../base/path-pattern.ts';
import { withoutSystem } from '../../model/namespace.ts';
import type { ObjectType } from '../../model/objects.ts';
import { pathTypes } from '../../model/paths.ts';
import { nearest } from '../nearest.ts';
import { namesBelow, type Place, placeOf } from './keys.ts';
import { isRelation, relationNames } from './related-names.ts';
import type { ValueType } from './values.ts';

/** What a name of the state means. */
export interface StateRef {
  /** The related object that holds the value; undefined for an object given by its path. */
  readonly relation?: string;
  /** The path of the object that holds the value, as it was written. */
  readonly path?: string;
  /** Where the value lies, in each type that the object may have; none when the object itself is meant. */
  readonly places: readonly Place[];
  readonly types: ReadonlySet<ValueType>;
}

/** What is wrong with a name, and where in it. */
export interface Problem {
  readonly problem: string;
  readonly offset: number;
}

const meant = (word: string, known: Iterable<string>): string => {
  const near = nearest(word, known);
  return near.length > 0 ? `; did you mean ${near.map((n) => `\`${n}\``).join(', ')}?` : '';
};

/** The type of the object at a path, by what paths look like; undefined when no object stands there. */
function typeAt(path: string): ObjectType | undefined {
  const plain = withoutSystem(path);
  return pathTypes.find(([pattern]) => fitsPattern(plain, pattern))?.[1];
}

const made = (places: readonly Place[]): Pick<StateRef, 'places' | 'types'> => ({
  places,
  types: new Set(places.map(({ value }) => value)),
});

/** A key of a related object: `entry.mask`, `entry.control.mask`. */
function ofRelation(name: string, dot: number): StateRef | Problem {
  const relation = name.slice(0, dot);
  const [key, field, ...more] = name.slice(dot + 1).split('.') as [string, string?, ...string[]];
  const { types } = relationNames[relation]!;
  const places = more.length > 0 ? [] : types.flatMap((type) => placeOf(type, key, field) ?? []);
  if (places.length > 0) return { relation, ...made(places) };
  const known = new Set(types.flatMap(namesBelow));
  const problem = `${relation === 'object' ? 'no object' : `no \`${relation}\``} has a key \`${name.slice(dot + 1)}\``;
  return { problem: `${problem}${meant(key, known)}`, offset: dot + 1 };
}

/** A key of an object that is given by its path: with a slash or a point in front of the key. */
function ofPath(name: string): StateRef | Problem {
  const last = name.lastIndexOf('/') + 1;
  if (name.includes('*'))
    return { problem: 'the state of one object can be asked for, without `*`', offset: name.indexOf('*') };
  const splits = [last - 1];
  for (let at = name.indexOf('.', last); at >= 0; at = name.indexOf('.', at + 1)) splits.push(at);
  let nearMiss: Problem | undefined;
  for (const at of splits) {
    const path = name.slice(0, at);
    const type = typeAt(path);
    if (type === undefined) continue;
    const [key, field, ...more] = name.slice(at + 1).split('.') as [string, string?, ...string[]];
    const place = more.length > 0 ? undefined : placeOf(type, key, field);
    if (place) return { path, ...made([place]) };
    const known = namesBelow(type);
    nearMiss = { problem: `${path} has no key \`${name.slice(at + 1)}\`${meant(key, known)}`, offset: at + 1 };
  }
  const whole = typeAt(name);
  if (whole !== undefined && (nearMiss === undefined || !/\.[a-z]\w*$/i.test(lastSegment(name)))) {
    const keys = namesBelow(whole)
      .slice(0, 3)
      .map((k) => `\`${k}\``);
    return { problem: `expected a key behind the object, such as ${keys.join(', ')}`, offset: name.length };
  }
  return nearMiss ?? { problem: `no object has a path like ${name}${meant(name.split('/')[0]!, roots)}`, offset: 0 };
}

const roots = new Set(pathTypes.map(([pattern]) => pattern.split('/')[0]!));

const known = new Map<string, StateRef | Problem | undefined>();
/** Names that are remembered at most: filters are typed, and every stroke of a key makes one. */
const MOST_KNOWN = 1000;

/** What a name of the state means, or what is wrong with it; undefined for a name that is none of the state. */
export function stateRefOf(name: string): StateRef | Problem | undefined {
  if (known.has(name)) return known.get(name);
  if (known.size > MOST_KNOWN) known.clear();
  const ref = read(name);
  known.set(name, ref);
  return ref;
}

function read(name: string): StateRef | Problem | undefined {
  const related = /^state\((\w+)\)$/.exec(name)?.[1];
  if (related !== undefined)
    return isRelation(related) ? { relation: related, places: [], types: new Set<ValueType>(['path']) } : undefined;
  if (name.includes('/')) return ofPath(name);
  const dot = name.indexOf('.');
  return dot > 0 && isRelation(name.slice(0, dot)) ? ofRelation(name, dot) : undefined;
}
