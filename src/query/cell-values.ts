import { hexWords } from '../base/hex.ts';
import type { ObjectId } from '../base/ids.ts';
import { decodersById, type MessageView } from '../model/message.ts';
import type { CellSpec, ObjectType } from '../model/objects.ts';
import { type Bits, type FieldValue, type RegisterView, viewRegister } from '../model/register.ts';
import type { State } from '../model/state.ts';
import { messageKind } from '../model/translate.ts';

/** A value as answers print it. */
export type Value =
  | null
  | boolean
  | number
  | string
  | readonly string[]
  | RegisterView
  | { readonly [key: string]: Value | undefined };

/** The bits of a cell of an object. */
export function cellBits(state: State, object: ObjectId, cell: CellSpec, type: ObjectType): Bits {
  const at = type.at[cell.name]!;
  const words: number[] = [];
  const known: number[] = [];
  for (let i = 0; i < cell.words; i++) {
    words.push(state.get(object, at + i));
    known.push(state.known(object, at + i));
  }
  return { words, known };
}

/** A count. One that was never written is 0; one of which only some bits are known is not known (null): something was not counted. */
export function countIn(state: State, object: ObjectId, cell: number): number | null {
  const known = state.known(object, cell);
  return known === 0 || known === 0xffffffff ? state.get(object, cell) : null;
}

/** What a cell holds, as answers print it. */
export function cellValue(state: State, object: ObjectId, cell: CellSpec, type: ObjectType): Value {
  if (cell.kind === 'count') return countIn(state, object, type.at[cell.name]!);
  const bits = cellBits(state, object, cell, type);
  if (cell.kind === 'reg') return viewRegister(cell.register!, bits);
  const words = Array.from(bits.words);
  const whole = Array.from(bits.known).every((k) => k === 0xffffffff);
  const word = words[0]!;
  if (!whole) return null;
  switch (cell.kind) {
    case 'flag':
      return word !== 0;
    case 'num':
      return word;
    case 'int':
      return word | 0;
    case 'text':
      return state.world.strings.text(word);
    case 'object':
      return state.world.path(word);
    case 'hex':
      return hexWords(words);
  }
}

/** The message that an address and a data register hold, decoded for this system; undefined while they are unknown. */
export function messageOf(state: State, object: ObjectId, address: number, data: number): MessageView | undefined {
  const lo = state.num(object, address);
  const hi = state.num(object, address + 1);
  const word = state.num(object, data);
  if (lo < 0 || hi < 0 || word < 0) return undefined;
  return decodersById[messageKind(state, object)].decode(lo, hi, word);
}

export function messageValue(message: MessageView | undefined): Value {
  if (message === undefined) return null;
  const { format, text, index, vector, destination } = message;
  return { format, text, index, vector, destination, fields: message.fields as Record<string, FieldValue> };
}

/** Whether a value is a list of texts. */
export const isList = (value: Value): value is readonly string[] => Array.isArray(value);
