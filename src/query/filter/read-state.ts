// Readers of values in the state: each asks a test about one key of one object.
import type { ObjectId } from '../../base/ids.ts';
import { type FieldValue, layoutFor } from '../../model/register.ts';
import type { State } from '../../model/state.ts';
import { cellBits, countIn, derivedKeys, type Value } from '../view.ts';
import { EXISTS, fieldsOf, type Place } from './keys.ts';
import { order, type Truth, truth, UNKNOWN, type ValueTest } from './value-tests.ts';

/** Asks about a value of an object in a state: unknown where the object does not exist, or the value is not known. */
export type ReadState = (state: State, object: ObjectId) => Truth;

/** A value as answers print it, put to a test. */
function valueTruth(test: ValueTest, value: Value | FieldValue, place: Place): Truth {
  // A list is the text that joins it.
  if (Array.isArray(value)) return truth(test.text(value.join(', ')));
  if (value === null || (typeof value === 'object' && value !== null)) return UNKNOWN;
  if (typeof value === 'boolean') return truth(test.flag(value));
  if (typeof value === 'number') return truth(test.number((want) => value - want.number));
  return truth(place.value === 'path' ? test.path(value) : test.text(value));
}

/** The reader of a place. `bare`: the value stands alone, as a flag. */
export function readerOf(place: Place, test: ValueTest, bare: boolean): ReadState {
  if (bare && place.value !== 'flag') return () => UNKNOWN;
  const { key, cell, field } = place;
  if (key === EXISTS) return (state, object) => truth(test.flag(state.present(object)));
  const read =
    cell === undefined ? computed(place, test) : field === undefined ? ofCell(place, test) : ofField(place, test);
  return (state, object) => (state.present(object) ? read(state, object) : UNKNOWN);
}

function computed(place: Place, test: ValueTest): ReadState {
  const { type, key, field } = place;
  const { value } = derivedKeys(type).find((d) => d.name === key)!;
  return (state, object) => {
    const whole = value(state, object);
    if (field === undefined || typeof whole !== 'object' || whole === null) return valueTruth(test, whole, place);
    return valueTruth(test, (whole as Readonly<Record<string, Value>>)[field] ?? null, place);
  };
}

/** A field of a register: as the layout says that fits what the register holds. */
function ofField(place: Place, test: ValueTest): ReadState {
  const { type, cell, field: name } = place;
  const register = cell!.register!;
  const at = type.at[cell!.name]!;
  const plain = register.layouts === undefined ? fieldsOf(register).find((f) => f.name === name) : undefined;
  const yes = truth(test.flag(true));
  const no = truth(test.flag(false));
  return (state, object) => {
    const field =
      plain ?? layoutFor(register, cellBits(state, object, cell!, type)).fields.find((f) => f.name === name);
    const value = field === undefined ? -1 : field.get(state, object, at);
    if (field === undefined || value < 0) return UNKNOWN;
    if (field.hi === field.lo && field.address !== true) return value === 1 ? yes : no;
    const number = field.address === true ? value * 2 ** field.lo : value;
    return truth(test.number((want) => number - want.number));
  };
}

function ofCell(place: Place, test: ValueTest): ReadState {
  const { type, cell } = place;
  const { kind, words, register } = cell!;
  const at = type.at[cell!.name]!;
  switch (kind) {
    case 'count':
      return (state, object) => {
        const value = countIn(state, object, at);
        return value === null ? UNKNOWN : truth(test.number((want) => value - want.number));
      };
    case 'flag':
      return (state, object) => {
        const value = state.num(object, at);
        return value < 0 ? UNKNOWN : truth(test.flag(value !== 0));
      };
    case 'text':
    case 'object':
      return (state, object) => {
        const id = state.num(object, at);
        if (id < 0) return UNKNOWN;
        return truth(kind === 'text' ? test.text(state.world.strings.text(id)) : test.path(state.world.path(id)));
      };
    case 'num':
    case 'int':
      return (state, object) => {
        const word = state.num(object, at);
        if (word < 0) return UNKNOWN;
        const value = kind === 'int' ? word | 0 : word;
        return truth(test.number((want) => value - want.number));
      };
    default: {
      const width = register?.width ?? words * 32;
      const masks = Array.from({ length: words }, (_, i) => {
        const bits = width - 32 * i;
        return bits >= 32 ? 0xffffffff : (1 << bits) - 1;
      });
      return (state, object) => {
        for (let i = 0; i < words; i++)
          if ((state.known(object, at + i) & masks[i]!) >>> 0 !== masks[i]) return UNKNOWN;
        const word = (i: number): number => (state.get(object, at + i) & masks[i]!) >>> 0;
        return truth(test.number((want) => order(want, words, word)));
      };
    }
  }
}
