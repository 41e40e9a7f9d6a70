// What can be written at a place of a filter: names, keys, kinds, paths.

import { withoutSystem } from '../../model/namespace.ts';
import type { ObjectType } from '../../model/objects.ts';
import { COUNTS } from '../../model/percpu.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { PathNode } from '../../model/world.ts';
import type { Trace } from '../../trace/trace.ts';
import { sortedChildren } from '../paths.ts';
import { derivedKeys } from '../view.ts';
import { EXISTS, namesBelow, placeOf } from './keys.ts';
import { commonNames, filterNames, isCommon, kindsByObject, typesOf } from './names.ts';
import { isRelation, type RelationName, relationNames } from './related-names.ts';
import { stateRefOf } from './state-names.ts';

/** Something that can be written: the text, and what it is. */
export interface Candidate {
  readonly text: string;
  readonly what: string;
  /** Whether more has to follow at once, such as a key behind a point. */
  readonly open?: boolean;
}

const ARGUMENTS = new Map<string, string[]>();
for (const kind of vocabulary)
  for (const { name } of kind.args) ARGUMENTS.set(name, [...(ARGUMENTS.get(name) ?? []), kind.name]);

/** Kinds that are named for an argument. */
const NAMED = 3;

function argumentText(name: string): string {
  const kinds = ARGUMENTS.get(name.replace(/^fields\./, '')) ?? [];
  return `argument of ${kinds.slice(0, NAMED).join(', ')}${kinds.length > NAMED ? ', …' : ''}`;
}

/** What a key of objects of some types means. */
function keyText(types: readonly ObjectType[], key: string): string {
  for (const type of types) {
    if (key === EXISTS) return 'the trace has told something of it';
    const computed = derivedKeys(type).find((d) => d.name === key);
    if (computed) return computed.meaning;
    const place = placeOf(type, key);
    if (place?.cell && place.field === undefined) return place.cell.meaning;
    const field = place?.cell?.register?.fields.find((f) => f.name === place.field);
    if (field) return field.meaning;
  }
  return '';
}

/** The related objects, behind which a key has to follow. */
export const relatedWithKey = (): Candidate[] =>
  Object.entries(relationNames).map(([name, { what }]) => ({ text: `${name}.`, what, open: true }));

/** Names of what events tell, and the beginnings of names of the state. */
export function nameCandidates(): Candidate[] {
  const common = Object.entries(commonNames).map(([text, { what }]) => ({ text, what }));
  const calls = [
    { text: 'after(', what: 'an earlier event for which something held', open: true },
    { text: 'state(', what: 'what the state holds after the event', open: true },
  ];
  const args = filterNames().filter((name) => !isCommon(name));
  return [...common, ...relatedWithKey(), ...calls, ...args.map((text) => ({ text, what: argumentText(text) }))];
}

/** The related objects by themselves, as they may stand in `state(…)`, and as what two events have in common. */
export const relatedCandidates = (): Candidate[] =>
  Object.entries(relationNames)
    .filter(([name]) => name !== 'object')
    .map(([text, { what }]) => ({ text, what }));

/** Keys behind a related object, where `part` is one with a point behind it. */
export function keyCandidates(part: string): Candidate[] {
  const dot = part.indexOf('.');
  const relation = part.slice(0, Math.max(0, dot));
  if (!isRelation(relation)) return [];
  const { types } = relationNames[relation]!;
  return [...new Set(types.flatMap(namesBelow))].map((key) => ({
    text: `${relation}.${key}`,
    what: keyText(types, key),
  }));
}

/** Paths one segment longer than what is written, and keys of the object that is written; `keys`: a key has to follow. */
export function pathCandidates(trace: Trace, part: string, keys: boolean): Candidate[] {
  const { world } = trace;
  const slash = part.lastIndexOf('/');
  const above = slash < 0 ? world.root : nodeAt(world.root, part.slice(0, slash));
  if (above === undefined) return [];
  const found: Candidate[] = [];
  for (const child of sortedChildren(above)) {
    const type = world.type(child.object);
    if (withoutSystem(child.path) === COUNTS) continue;
    if (type !== undefined && part.startsWith(`${child.path}.`))
      for (const key of namesBelow(type)) found.push({ text: `${child.path}.${key}`, what: keyText([type], key) });
    const what = type?.meaning ?? '';
    const below = child.children.size > 0;
    if (type !== undefined) found.push({ text: keys ? `${child.path}.` : child.path, what, open: keys });
    if (below) found.push({ text: `${child.path}/`, what: type === undefined ? what : 'what is below it', open: true });
  }
  return found;
}

function nodeAt(root: PathNode, path: string): PathNode | undefined {
  let node: PathNode | undefined = root;
  for (const segment of path.split('/')) node = node?.children.get(segment) ?? node?.children.get(`0000:${segment}`);
  return node;
}

/** Most different texts of the state that are offered as values. */
const MOST_TEXTS = 200;

/** Values that a name can have: kinds, paths, flags, and texts that the state holds at its end. */
export function valueCandidates(name: string, part: string, trace: Trace | undefined): Candidate[] {
  if (name === 'kind') return kindCandidates(trace);
  const types = typesOf(name);
  const found: Candidate[] = [];
  if (types.has('flag')) found.push({ text: 'true', what: 'set' }, { text: 'false', what: 'clear' });
  if (types.has('path') && trace) {
    const root = relatedOf(name)?.root;
    const paths = pathCandidates(trace, part, false);
    found.push(...shortCandidates(name, trace));
    found.push(...paths.filter(({ text }) => root === undefined || text.startsWith(root) || root.startsWith(text)));
  }
  if (types.has('text') && trace) found.push(...textCandidates(name, trace));
  return found;
}

/** Kinds by the type of their object: `msix.write`. */
const BY_OBJECT: readonly Candidate[] = [
  ...new Set(
    vocabulary.flatMap(({ name, on }) => on.map((type) => `${type.name}${name.slice(name.lastIndexOf('.'))}`)),
  ),
].flatMap((text) => {
  const kinds = kindsByObject(text);
  return text.includes('.') && kinds.length === 1 ? [{ text, what: kinds[0]!.name }] : [];
});

/** How often each kind occurs, as far as the events were counted: a list is made with every letter that is typed. */
const counted = new WeakMap<Trace, { readonly counts: Uint32Array; length: number }>();

function kindCountsOf(trace: Trace): Uint32Array {
  let known = counted.get(trace);
  if (known === undefined || known.length > trace.length)
    counted.set(trace, (known = { counts: new Uint32Array(vocabulary.length), length: 0 }));
  for (; known.length < trace.length; known.length++) known.counts[trace.table.kindNumber(known.length)]!++;
  return known.counts;
}

/** The kinds; those that occur in the trace first. */
function kindCandidates(trace: Trace | undefined): Candidate[] {
  const counts = trace ? kindCountsOf(trace) : new Uint32Array(vocabulary.length);
  const text = (n: number, meaning: string): string =>
    n > 0 ? `${n.toLocaleString('en-US')} here. ${meaning}` : meaning;
  const all = vocabulary.map(({ name, meaning }, i) => ({
    text: name,
    what: text(counts[i]!, meaning.replaceAll('`', '')),
    n: counts[i]!,
  }));
  return [...all.filter(({ n }) => n > 0), ...all.filter(({ n }) => n === 0), ...BY_OBJECT];
}

/** The related object whose paths a name has as its values. */
const relatedOf = (name: string): RelationName | undefined => {
  const related = /^state\((\w+)\)$/.exec(name)?.[1] ?? name;
  return isRelation(related) ? relationNames[related] : undefined;
};

/** Paths of related objects without their beginning: `device == 0000:00:03.0`. */
function shortCandidates(name: string, { world }: Trace): Candidate[] {
  const related = relatedOf(name);
  const node = related?.root === undefined ? undefined : nodeAt(world.root, related.root.slice(0, -1));
  if (related === undefined || node === undefined) return [];
  return sortedChildren(node)
    .filter(({ object }) => related.types.includes(world.type(object)!))
    .map(({ segment, path }) => ({ text: segment, what: path }));
}

/** Texts that a key of the state holds at the end of the trace. */
function textCandidates(name: string, { head, world }: Trace): Candidate[] {
  const ref = stateRefOf(name);
  if (ref === undefined || 'problem' in ref) return [];
  const texts = new Set<string>();
  for (let object = 0; object < world.objects && texts.size < MOST_TEXTS; object++) {
    const place = ref.places.find(({ type }) => type === world.type(object));
    if (place?.cell?.kind !== 'text' || !head.present(object)) continue;
    const text = head.text(object, place.type.at[place.cell.name]!);
    if (text !== '') texts.add(text);
  }
  return [...texts].map((text) => ({ text, what: 'held at the end of the trace' }));
}
