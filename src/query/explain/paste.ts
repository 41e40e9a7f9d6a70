/** A number as someone pasted it. */
export interface Numeral {
  readonly text: string;
  /** Its value read as hexadecimal, as dumps and logs print registers. */
  readonly hex: bigint;
  /** Its value in the form in which it is written: without 0x and without letters it is decimal. */
  readonly plain: bigint;
  /** It has decimal digits alone, no 0x and no leading zeros: only its place tells whether it is hexadecimal. */
  readonly bare: boolean;
}

/** Numbers that someone pasted. */
export type Pasted =
  | { readonly shape: 'message'; readonly address: bigint; readonly data: bigint }
  | {
      readonly shape: 'numbers';
      readonly numbers: readonly Numeral[];
      /** Labels tell the order; `high first`: the most significant one stands first; `low first`: the one at the lowest address. */
      readonly order: 'high first' | 'low first' | undefined;
    };

const NUMBER = /^(?:(0x)([0-9a-f](?:[0-9a-f]|_(?=[0-9a-f]))*)|([0-9a-f](?:[0-9a-f]|_(?=[0-9a-f]))*))$/i;
const SUFFIX = /^([0-9a-fx_']+?)u?l{0,2}$/i;

/** Words that may stand before a number, as logs and dumps print them. */
const LABEL =
  /^(address|addr|address_hi|address_lo|addr_hi|addr_lo|data|msg_data|hi|high|lo|low|irte_hi(gh)?|irte_lo(w)?|[qd]w(ord)?\d|value|val|index|hwirq|irq|fault|reason|irte|control|ctrl)$/i;

/** One pasted number; undefined for any other text. */
function numeral(text: string): Numeral | undefined {
  const digits = text.replace(SUFFIX, '$1').replaceAll("'", '_');
  const m = NUMBER.exec(digits);
  if (!m) return undefined;
  const figures = (m[2] ?? m[3]!).replaceAll('_', '');
  // A number with leading zeros is from a dump.
  const bare = m[1] === undefined && /^(0|[1-9]\d*)$/.test(figures);
  const hex = BigInt(`0x${figures}`);
  return { text, hex, plain: bare ? BigInt(figures) : hex, bare };
}

/** Pasted numbers; undefined when one of the texts is none. */
export function numeralsIn(texts: readonly string[]): Numeral[] | undefined {
  const all = texts.map(numeral);
  return all.every((number) => number !== undefined) ? (all as Numeral[]) : undefined;
}

/** What is wrong with a pasted text, in words that follow its beginning. */
export type Refused = string;

/** Characters of a value that a message repeats. */
const LONGEST = 60;

/** A pasted text as a message repeats it: on one line, and cut off where it is long. */
export function brief(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

interface Labelled {
  readonly label: string;
  readonly number: Numeral;
}

/** The numbers of a text with the word before each of them; or what is wrong. */
function labelled(text: string): Labelled[] | Refused {
  const words = text
    .replaceAll(/["`()[\]{},;]/g, ' ')
    .replaceAll(/[:=]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  const all: Labelled[] = [];
  let label = '';
  for (const word of words) {
    const number = numeral(word);
    if (number) {
      all.push({ label, number });
      label = '';
    } else if (LABEL.test(word)) label = word.toLowerCase();
    else return `${brief(word)} is no number`;
  }
  return all.length === 0 ? 'there is no number in the value' : all;
}

/** What fits in 64 and in 32 bits. */
const U64 = 1n << 64n;
const U32 = 1n << 32n;

/** An address, whole or in two halves (the upper one first), and the data. */
export function messageOf(address: readonly Numeral[], data: Numeral): Pasted | Refused {
  const [first, second] = address;
  if (first === undefined || address.length > 2) return 'a message is written ADDRESS/DATA';
  if (second && (first.hex >= U32 || second.hex >= U32)) return 'a half of an address has 32 bits';
  const whole = second ? first.hex * U32 + second.hex : first.hex;
  if (whole >= U64) return 'an address has 64 bits';
  if (data.hex >= U32) return 'the data of a message has 32 bits';
  return { shape: 'message', address: whole, data: data.hex };
}

/**
 * The numbers in a text: an address and data as `ADDRESS/DATA` or named as dumps name them, or one or several numbers. 0x, underscores,
 * punctuation and C suffixes may stand or be left out. Returns what is wrong with a text that holds something else.
 */
export function readPasted(text: string): Pasted | Refused {
  const slashes = text.split('/');
  if (slashes.length > 2) return 'a message is written ADDRESS/DATA';
  const [left, right] = slashes.map(labelled);
  if (typeof left === 'string') return slashes.length === 1 ? left : wrongPart(slashes[0]!, left);
  if (typeof right === 'string') return wrongPart(slashes[1]!, right);
  if (right !== undefined) {
    if (right.length !== 1) return 'a message is written ADDRESS/DATA';
    return messageOf(
      left!.map(({ number }) => number),
      right[0]!.number,
    );
  }
  return byLabels(left!);
}

const wrongPart = (part: string, why: string): string =>
  part.trim() === '' ? 'a message is written ADDRESS/DATA' : why;

const rank = (label: string): number => Number(/\d$/.exec(label)?.[0] ?? -1);

function byLabels(all: readonly Labelled[]): Pasted | Refused {
  const named = (pattern: RegExp): Numeral | undefined => all.find(({ label }) => pattern.test(label))?.number;
  const data = named(/^(msg_)?data$/);
  const low = named(/^addr(ess)?(_lo)?$/);
  if (data && low) {
    const high = named(/^addr(ess)?_hi$/);
    return messageOf(high ? [high, low] : [low], data);
  }
  const high = named(/^(irte_)?hi(gh)?$/);
  const lower = named(/^(irte_)?lo(w)?$/);
  if (high && lower && all.length === 2) return { shape: 'numbers', numbers: [high, lower], order: 'high first' };
  const words = all.length > 1 && all.every(({ label }) => /^[qd]w/.test(label));
  const sorted = words ? [...all].sort((a, b) => rank(a.label) - rank(b.label)) : all;
  return { shape: 'numbers', numbers: sorted.map(({ number }) => number), order: words ? 'low first' : undefined };
}
