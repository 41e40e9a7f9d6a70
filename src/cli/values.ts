import type { CellSpec } from '../model/objects.ts';
import { type Bits, type Field, type FieldValue, fieldsFor, fieldValue, type RegisterView } from '../model/register.ts';
import type { Value } from '../query/view.ts';
import { valueText } from '../query/view.ts';

const UNKNOWN = '?';
/** Fields wider than this hold addresses, not numbers that are counted: they read as hexadecimal. */
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
    words.push(`${field.name}=${fieldText(value, field)}${name === undefined ? '' : `(${name.replaceAll(' ', '-')})`}`);
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

type Fields = Readonly<Record<string, FieldValue>>;

/** The fields that differ, as `mask 1 -> 0`. */
export function fieldChanges(old: Fields | undefined, now: Fields | undefined): string {
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  const changes: string[] = [];
  for (const name of names) {
    const a = fieldText(old?.[name] ?? null);
    const b = fieldText(now?.[name] ?? null);
    if (a !== b) changes.push(`${name} ${a} -> ${b}`);
  }
  return changes.join(', ');
}

/** What a key held and holds, as `old -> new`, then the fields that differ. */
export function changeText(old: Value, now: Value): string {
  const values = `${valueText(old)} -> ${valueText(now)}`;
  const fields = fieldChanges(isRegister(old) ? old.fields : undefined, isRegister(now) ? now.fields : undefined);
  return fields === '' ? values : `${values}  (${fields})`;
}
