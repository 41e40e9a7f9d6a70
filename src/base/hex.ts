/** A lower-case hexadecimal number with 0x and no leading zeros, from an unsigned 32-bit word. */
export function hex32(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

/** The same from two words, high half first. */
export function hex64(hi: number, lo: number): string {
  return hi === 0 ? hex32(lo) : `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
}

/** A number of words, lowest first, as one hexadecimal number with 0x and no leading zeros. */
export function hexWords(words: readonly number[]): string {
  let text = '';
  for (let i = words.length - 1; i >= 0; i--) text += (words[i]! >>> 0).toString(16).padStart(8, '0');
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
