// The keys of objects, as filters name them, and the kinds of values that they hold.

import { byName } from '../../base/by-name.ts';
import type { CellSpec, ObjectType } from '../../model/objects.ts';
import type { Field, Register } from '../../model/register.ts';
import { derivedKeys } from '../view.ts';
import type { ValueType } from './values.ts';

/** Where a value lies in objects of one type. */
export interface Place {
  readonly type: ObjectType;
  /** Name of the key; `exists` for the object itself. */
  readonly key: string;
  /** The cells of the key; undefined for computed keys. */
  readonly cell?: CellSpec;
  /** Part of the key: the name of a field of its register, or of a part of a decoded message. */
  readonly field?: string;
  readonly value: ValueType;
}

/** The key of every object that tells whether the object exists. */
export const EXISTS = 'exists';

/** The layouts of a register. */
const layoutsOf = (register: Register): readonly { readonly fields: readonly Field[] }[] => [
  register,
  ...(register.layouts ?? []),
];

/** The fields of a register that answers show, in any of its layouts. */
export function fieldsOf(register: Register | undefined): Field[] {
  if (register === undefined) return [];
  const byName = new Map<string, Field>();
  for (const { fields } of layoutsOf(register))
    for (const field of fields)
      if (!field.access.startsWith('Rsvd') && !byName.has(field.name)) byName.set(field.name, field);
  return [...byName.values()];
}

const CELL_VALUES = { reg: 'number', num: 'number', int: 'number', count: 'number', hex: 'number' } as const;

function cellType({ kind }: CellSpec): ValueType {
  return kind === 'flag' ? 'flag' : kind === 'text' ? 'text' : kind === 'object' ? 'path' : CELL_VALUES[kind];
}

const fieldType = (field: Field): ValueType => (field.hi === field.lo ? 'flag' : 'number');

/** The parts of a decoded message. */
const MESSAGE: Readonly<Record<string, ValueType>> = byName({
  text: 'text',
  format: 'text',
  index: 'number',
  vector: 'number',
  destination: 'number',
});

/** The keys of a type, in the order in which answers show them. */
export function keysOf(type: ObjectType): string[] {
  const cells = type.cells.filter((c) => !c.hidden).map((c) => c.name);
  return [...new Set([...cells, ...derivedKeys(type).map((d) => d.name)]), EXISTS];
}

/** All names that may follow an object of a type: its keys, and the fields of its registers that can stand alone. */
export function namesBelow(type: ObjectType): string[] {
  const fields = type.cells.filter((c) => !c.hidden).flatMap((c) => fieldsOf(c.register).map((f) => f.name));
  return [...new Set([...keysOf(type), ...fields])];
}

/**
 * Where `key`, with a field of it, lies in objects of a type; undefined when there is no such thing. A field of a register may stand without its
 * register: the first register that has it counts.
 */
export function placeOf(type: ObjectType, key: string, field?: string): Place | undefined {
  if (key === EXISTS) return field === undefined ? { type, key, value: 'flag' } : undefined;
  const computed = derivedKeys(type).find((d) => d.name === key);
  if (computed && field === undefined)
    return computed.is === 'message'
      ? { type, key, field: 'text', value: 'text' }
      : { type, key, value: computed.is === 'list' || computed.is === 'counts' ? 'text' : computed.is };
  if (computed)
    return computed.is === 'message' && Object.hasOwn(MESSAGE, field!)
      ? { type, key, field: field!, value: MESSAGE[field!]! }
      : undefined;
  const cell = type.cells.find((c) => c.name === key && !c.hidden);
  if (cell && field === undefined) return { type, key, cell, value: cellType(cell) };
  if (cell) {
    const found = fieldsOf(cell.register).find((f) => f.name === field);
    return found && { type, key, cell, field: found.name, value: fieldType(found) };
  }
  if (field !== undefined) return undefined;
  for (const other of type.cells) {
    const found = other.hidden ? undefined : fieldsOf(other.register).find((f) => f.name === key);
    if (found) return { type, key: other.name, cell: other, field: found.name, value: fieldType(found) };
  }
  return undefined;
}
