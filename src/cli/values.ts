import type { CellSpec } from '../model/objects.ts';
import {
  type Bits,
  type Field,
  type FieldValue,
  fieldsFor,
  fieldValue,
  type Register,
  type RegisterView,
} from '../model/register.ts';
import type { Value } from '../query/view.ts';
import { valueText } from '../query/view.ts';

const UNKNOWN = '?';
/** Fields wider than this hold addresses, not counts: they are shown in hexadecimal. */
const COUNTED_BITS = 16;

/** A field's value: single bits as 0 and 1, unknown as a question mark. */
export function fieldText(value: FieldValue, field?: Field): string {
  if (value === null) return UNKNOWN;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' && field && field.hi - field.lo >= COUNTED_BITS) return `0x${value.toString(16)}`;
  return String(value);
}

/** The fields of a register as `name=value`, with the meaning of values that have a name. */
export function fieldWords(cell: CellSpec, bits: Bits): string[] {
  const words: string[] = [];
  if (!cell.register) return words;
  for (const field of fieldsFor(cell.register, bits)) {
    if (field.access.startsWith('Rsvd')) continue;
    const value = fieldValue(field, bits);
    const name = typeof value === 'number' || typeof value === 'boolean' ? field.values?.[Number(value)] : undefined;
    words.push(`${field.name}=${fieldText(value, field)}${name === undefined ? '' : ` (${name})`}`);
  }
  return words;
}

/** A register in a table: its value and the bits that are set. */
export function registerCell(view: RegisterView): string {
  const set = Object.entries(view.fields).filter(([, value]) => value === true);
  return [view.value ?? UNKNOWN, ...set.map(([name]) => name)].join(' ');
}

/** Whether a value is a register with fields. */
export const isRegister = (value: unknown): value is RegisterView =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value;

/** Values of fields by name. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** The fields that differ, as `mask 1 -> 0`. */
export function fieldChanges(register: Register | undefined, old: Fields | undefined, now: Fields | undefined): string {
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  const changes: string[] = [];
  for (const name of names) {
    const field = fieldNamed(register, name);
    const a = fieldText(old?.[name] ?? null, field);
    const b = fieldText(now?.[name] ?? null, field);
    if (a !== b) changes.push(`${name} ${a} -> ${b}`);
  }
  return changes.join(', ');
}

function fieldNamed(register: Register | undefined, name: string): Field | undefined {
  for (const layout of register ? [register, ...(register.layouts ?? [])] : []) {
    const field = layout.fields.find((f) => f.name === name);
    if (field) return field;
  }
  return undefined;
}

/** What a key held and holds, as `old -> new`, then the fields that differ. */
export function changeText(register: Register | undefined, old: Value, now: Value): string {
  const before = isRegister(old) ? old.fields : undefined;
  const fields = fieldChanges(register, before, isRegister(now) ? now.fields : undefined);
  return withFields(`${valueText(old)} -> ${valueText(now)}`, fields);
}

/** A change of a value, followed by the changes of its fields. */
export const withFields = (values: string, fields: string): string =>
  fields === '' ? values : `${values}  (${fields})`;
