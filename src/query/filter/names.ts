// The names that a filter may use for what an event tells, and what kinds of values they stand for.

import { byName } from '../../base/by-name.ts';
import type { EventKind } from '../../model/event.ts';
import { kindNamed, vocabulary } from '../../model/vocabulary.ts';
import { nearest } from '../nearest.ts';
import { isRelation, refersToRelated } from './related-names.ts';
import { stateRefOf } from './state-names.ts';
import type { ValueType } from './values.ts';

interface Common {
  readonly type: ValueType;
  readonly what: string;
}

/** Names that every event has; an argument of the same name is written with `fields.` in front. */
export const commonNames: Readonly<Record<string, Common>> = byName({
  step: { type: 'number', what: 'number of the event, from 0' },
  time: { type: 'time', what: 'when, as the trace prints it' },
  dt: { type: 'span', what: 'time since the event before' },
  'dt.object': { type: 'span', what: 'time since the last event about the same object' },
  'dt.kind': { type: 'span', what: 'time since the last event of the same kind' },
  'dt.cpu': { type: 'span', what: 'time since the last event that names the same CPU' },
  cpu: { type: 'number', what: 'CPU that the record names' },
  kind: { type: 'text', what: 'what happened' },
  object: { type: 'path', what: 'path of the object that the event is about' },
  task: { type: 'text', what: 'who recorded it' },
  line: { type: 'number', what: 'line of the source, from 1' },
  vantage: { type: 'text', what: 'what recorded it: `kernel`, `hardware` or `hypervisor`' },
  system: { type: 'text', what: 'the machine that its source tells of, where the trace has several' },
});

const FIELDS = 'fields.';
const argumentTypes = new Map<string, Set<ValueType>>();
for (const kind of vocabulary) {
  for (const arg of kind.args) {
    const types = argumentTypes.get(arg.name) ?? new Set();
    types.add(arg.type === 'flag' ? 'flag' : arg.type === 's' ? 'text' : arg.type === 'o' ? 'path' : 'number');
    argumentTypes.set(arg.name, types);
  }
}

/** Whether a name stands for something every event has, not for an argument. */
export function isCommon(name: string): boolean {
  return name in commonNames;
}

/** The argument that a name stands for. */
export function argumentOf(name: string): string {
  return name.startsWith(FIELDS) ? name.slice(FIELDS.length) : name;
}

/** All names of what events tell. */
export function filterNames(): string[] {
  const args = [...argumentTypes.keys()].map((name) => (isCommon(name) ? FIELDS + name : name));
  return [...Object.keys(commonNames), ...args.sort()];
}

/** Whether a name means the related object of an event that has no argument of this name: `device`, `entry`, `irq`, `irte`, `vcpu`. */
export const isBareRelation = (name: string): boolean => refersToRelated(name);

/** What a name may stand for; empty when there is no such name. */
export function typesOf(name: string): ReadonlySet<ValueType> {
  if (isCommon(name)) return new Set([commonNames[name]!.type]);
  const ref = stateRefOf(name);
  if (ref !== undefined) return 'problem' in ref ? new Set() : ref.types;
  const types = argumentTypes.get(argumentOf(name));
  if (!isBareRelation(name)) return types ?? new Set();
  return new Set<ValueType>([...(types ?? []), 'path']);
}

/**
 * The kinds that a name means which is no kind itself: the type of the object and the last word of a kind of events about such objects. So
 * `msix.write` is `tbl.write`: a write to an MSI-X entry.
 */
export function kindsByObject(name: string): readonly EventKind[] {
  if (kindNamed(name) !== undefined) return [];
  const dot = name.lastIndexOf('.');
  const [type, verb] = [name.slice(0, dot), name.slice(dot)];
  return dot <= 0 ? [] : vocabulary.filter((k) => k.name.endsWith(verb) && k.on.some((on) => on.name === type));
}

/** Words for what a mistyped name may mean; empty for none. */
export function meantBy(name: string): string {
  const near = nearest(argumentOf(name), [...filterNames(), 'state', 'after', 'in']);
  return near.length > 0 ? `; did you mean ${near.map((n) => `\`${n}\``).join(', ')}?` : '';
}

/** Whether a name tells of the object that an event is related to, and not of an argument: `entry`, `device`, but not `vector`. */
export const namesRelated = (name: string): boolean =>
  isBareRelation(name) || (isRelation(name) && name !== 'object' && !isCommon(name) && !argumentTypes.has(name));
