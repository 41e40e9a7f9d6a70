import { hexText } from '../../base/hex.ts';
import type { Register } from '../../model/register.ts';
import { brief, type Numeral, type Pasted, type Refused } from './paste.ts';
import { type Decoded, decode, fitsIn, type Reading } from './reading.ts';

/** A kind of value that can be explained. */
export interface Kind {
  /** As `--as` names it. */
  readonly name: string;
  /** What it is, for lists. */
  readonly title: string;
  /** Reads a pasted value as this kind; a text says why it cannot be one. */
  readonly read: (pasted: Pasted) => Reading | Refused;
}

/** The numbers of a value that is no message; a text when it is one, or has fewer or more numbers than the kind takes. */
export function numbersOf(name: string, pasted: Pasted, most: number): readonly Numeral[] | Refused {
  if (pasted.shape === 'message') return `ADDRESS/DATA is a message, not ${name}`;
  const { length } = pasted.numbers;
  return length <= most
    ? pasted.numbers
    : `${name} is ${most === 1 ? 'one number' : `at most ${most} numbers`}, not ${length}`;
}

/** Why a number is too large for a register. */
export const tooWide = (number: bigint, name: string, width: number): Refused =>
  `${brief(hexText(number))} has more than ${width} bits, which is what ${name} has`;

/** A kind that is one number in one register; `tell` makes the reading of its fields. */
export function registerKind(
  name: string,
  title: string,
  register: Register,
  tell: (decoded: Decoded, value: bigint) => Reading,
): Kind {
  return {
    name,
    title,
    read(pasted) {
      const numbers = numbersOf(name, pasted, 1);
      if (typeof numbers === 'string') return numbers;
      const value = numbers[0]!.hex;
      if (!fitsIn(value, register.width)) return tooWide(value, name, register.width);
      return tell(decode(register, value), value);
    },
  };
}
