import type { ObjectId } from '../base/ids.ts';
import { type Field, type FieldValue, fieldsFor, fieldValue } from '../model/register.ts';
import type { State } from '../model/state.ts';
import { cellBits, cellValue, derivedKeys, keyValue, messageOf, type Value, valueText } from '../query/view.ts';

/** What stands for a value that the trace has never shown. */
export const UNKNOWN = '?';

const plainNumber = (value: number): string => (value < 10 ? String(value) : `${value} (0x${value.toString(16)})`);

/** The value of a field: its number, and what its specification calls it. */
export function fieldText(field: Field | undefined, value: FieldValue | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  const number = typeof value === 'boolean' ? Number(value) : value;
  const name = typeof number === 'number' ? field?.values?.[number] : undefined;
  if (typeof number === 'number' && field?.address === true) return `0x${number.toString(16)}`;
  const text = typeof number === 'number' ? plainNumber(number) : number;
  return name === undefined ? text : `${text} ${name}`;
}

/** The fields of a key that is a register, as its content lays them out; undefined for other keys. */
export function fieldsOfKey(state: State, object: ObjectId, key: string): readonly Field[] | undefined {
  const type = state.world.type(object);
  const cell = type?.cells.find((c) => c.name === key);
  if (!type || cell?.kind !== 'reg') return undefined;
  return fieldsFor(cell.register!, cellBits(state, object, cell, type));
}

/** The value of one field of a register; null when unknown, undefined when the register has no such field. */
export function registerField(state: State, object: ObjectId, key: string, name: string): FieldValue | undefined {
  const type = state.world.type(object);
  const cell = type?.cells.find((c) => c.name === key);
  const field = fieldsOfKey(state, object, key)?.find((f) => f.name === name);
  return field && fieldValue(field, cellBits(state, object, cell!, type!));
}

/** Fields of a register that get a row: reserved bits only where they are not 0. */
export function shownFields(state: State, object: ObjectId, key: string): readonly Field[] {
  const fields = fieldsOfKey(state, object, key) ?? [];
  const shown = fields.filter(
    (f) => !f.access.startsWith('Rsvd') || Number(registerField(state, object, key, f.name) ?? 0) !== 0,
  );
  // A register that is one field needs no row of its own for it.
  return shown.length === 1 && fields.length === 1 ? [] : shown;
}

/** The names of the single-bit fields that are set. */
function flagNames(state: State, object: ObjectId, key: string): string {
  const names = (fieldsOfKey(state, object, key) ?? [])
    .filter((f) => f.hi === f.lo && registerField(state, object, key, f.name) === true)
    .map((f) => f.values?.[1] ?? f.name);
  return names.join(', ');
}

/** The fields of a computed key that is a group of values, such as a decoded message. */
export function computedFields(value: Value | undefined): Readonly<Record<string, FieldValue>> | undefined {
  if (typeof value !== 'object' || value === null || !('fields' in value)) return undefined;
  return value['fields'] as Record<string, FieldValue>;
}

/** What a key holds, in one short text. */
export function keyText(state: State, object: ObjectId, key: string): string {
  const type = state.world.type(object);
  const cell = type?.cells.find((c) => c.name === key);
  if (!type || !cell) return computedText(keyValue(state, object, key));
  const value = cellValue(state, object, cell, type);
  if (cell.kind === 'reg') {
    const text = valueText(value);
    const flags = cell.register!.width <= 32 ? flagNames(state, object, key) : '';
    if (flags !== '') return `${text} ${flags}`;
    const only = cell.register!.fields.find((f) => f.lo === 0 && f.hi === 0)?.values?.[0];
    const clear = registerField(state, object, key, cell.register!.fields[0]!.name) === false;
    return only !== undefined && clear ? `${text} ${only}` : text;
  }
  if (typeof value === 'number' && cell.kind === 'num') return plainNumber(value);
  return valueText(value);
}

const computedText = (value: Value | undefined): string =>
  typeof value === 'number' ? plainNumber(value) : valueText(value);

/** What the message of an address and a data register selects, in a word or two; the empty text when it is not known. */
export function messageTarget(state: State, object: ObjectId, address: number, data: number): string {
  const message = messageOf(state, object, address, data);
  if (message === undefined) return '';
  switch (message.format) {
    case 'none':
      return 'no message';
    case 'remappable':
    case 'irte-index':
      return `IRTE ${message.index}`;
    case 'event':
      return `event ${message.index}`;
    case 'spi':
      return `SPI ${message.index}`;
    case 'xen-pirq':
      return 'Xen PIRQ';
    default:
      return message.vector === null ? message.text : `vector ${message.vector} to APIC id ${message.destination}`;
  }
}

/** The keys of an object in the order of its type: cells, then computed ones. */
export function keysOf(state: State, object: ObjectId): string[] {
  const type = state.world.type(object);
  if (type === undefined) return [];
  return [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
}
