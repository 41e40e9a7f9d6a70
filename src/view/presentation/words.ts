import { noun } from '../../base/counted.ts';
import { hex64 } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import { keyValue, valueText } from '../../query/view.ts';
import { UNKNOWN } from '../values.ts';

/** A number cell, a question mark when it is not known. */
export const number = (value: number): string => (value < 0 ? UNKNOWN : String(value));
/** A number with what it counts or names in front; nothing when it is not known. */
export const told = (what: string, value: number): string | false => value >= 0 && `${what} ${value}`;
/** Parts of a description with space between them; empty parts are left out. */
export const join = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((p) => p !== false && p !== undefined && p !== '').join('  ');
/** Parts of a description, separated by commas; empty parts are left out. */
export const list = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((p) => p !== false && p !== undefined && p !== '').join(', ');

/** The 64-bit value in two cells. */
export const wide = (state: State, object: ObjectId, cell: number): string => {
  const lo = state.num(object, cell);
  const hi = state.num(object, cell + 1);
  return lo < 0 || hi < 0 ? UNKNOWN : hex64(hi, lo);
};

/** A key in one text. */
export const key = (state: State, object: ObjectId, name: string): string => valueText(keyValue(state, object, name));
/** A key that is a flag. */
export const flag = (state: State, object: ObjectId, name: string): boolean | null => {
  const value = keyValue(state, object, name);
  return typeof value === 'boolean' ? value : null;
};
/** A count with its noun. */
export const many = (n: number, one: string, several?: string): string => `${n} ${noun(n, one, several)}`;

/** A size in bytes with the unit that reads best. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && size % 1024 === 0 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size} ${units[unit]}`;
}

/** A segment that is a hexadecimal or decimal number, as both. */
export const numbered = (segment: string): string => {
  const n = Number(segment);
  if (Number.isNaN(n)) return segment;
  return segment.startsWith('0x') || n < 10 || n > 255 ? segment : `${segment} (0x${n.toString(16)})`;
};

/** The object below another one, or -1. */
export const childObject = (state: State, object: ObjectId, segment: string): number =>
  state.world.node(object)?.children.get(segment)?.object ?? -1;

/** A counter with its noun, nothing while it is 0. */
export const counted = (state: State, object: ObjectId, cell: number, one: string): string | false => {
  const n = state.get(object, cell);
  return n > 0 && many(n, one);
};
