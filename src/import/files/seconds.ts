const NANO = 1_000_000_000n;

/** A decimal number of seconds, such as `-12.5`, in nanoseconds; undefined for any other text. */
export function nanoseconds(text: string): bigint | undefined {
  const match = /^([+-]?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  const size = BigInt(whole!) * NANO + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -size : size;
}
