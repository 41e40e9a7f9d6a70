/** A whole number that is not negative, in lower-case hexadecimal digits: `count` of them, or more if it needs more. */
export const hexDigits = (value: number, count: number): string => value.toString(16).padStart(count, '0');

/** A lower-case hexadecimal number with 0x and no leading zeros, from a whole number that is not negative. */
export const hexText = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A lower-case hexadecimal number with 0x and no leading zeros, from an unsigned 32-bit word. */
export function hex32(word: number): string {
  return hexText(word >>> 0);
}

/** The same from two words, high half first. */
export function hex64(hi: number, lo: number): string {
  return hi === 0 ? hex32(lo) : `${hexText(hi >>> 0)}${hexDigits(lo >>> 0, 8)}`;
}

/** A number of words, lowest first, as one hexadecimal number with 0x and no leading zeros. */
export function hexWords(words: readonly number[]): string {
  let text = '';
  for (let i = words.length - 1; i >= 0; i--) text += hexDigits(words[i]! >>> 0, 8);
  return `0x${text.replace(/^0+(?=.)/, '')}`;
}

/** The words, lowest first, of a hexadecimal or decimal number text; undefined when it is no such number. */
export function parseWords(text: string, count: number): number[] | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  let value = BigInt(text);
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    words.push(Number(value & 0xffffffffn));
    value >>= 32n;
  }
  return value === 0n ? words : undefined;
}
