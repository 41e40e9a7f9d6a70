// How numbers, times and flags are written in a filter.

import { byName } from '../../base/by-name.ts';
import { parseTime, type TimeBase } from '../../base/time.ts';

/**
 * The kind of value that a name stands for: `time` a time of the clock, `span` a stretch of time. Arguments of several event kinds may share a
 * name but have different kinds of value.
 */
export type ValueType = 'number' | 'time' | 'span' | 'text' | 'path' | 'flag';

/** Whether a text is a whole number as filters write it. */
export const isNumber = (text: string): boolean => /^(?:-?\d+|0x[0-9a-f]+)$/i.test(text);

/** How many powers of ten a unit of time is below the second. */
const UNITS: Readonly<Record<string, number>> = byName({ s: 0, ms: 3, us: 6, µs: 6, μs: 6, ns: 9 });

/** The units of time that a filter may write. */
export const timeUnits: readonly string[] = ['ns', 'us', 'ms', 's'];

const TIME = /^(-?)(\d+)(?:\.(\d+))?(ns|us|µs|μs|ms|s)?$/;

/** A time as it was written: decimal seconds (or ticks, which have no unit), and whether a unit stood behind it. */
export interface WrittenTime {
  readonly decimal: string;
  readonly unit: boolean;
}

/** Reads a time: seconds without a unit, or with one of ns, us, ms, s; undefined for other texts and for what is finer than a nanosecond. */
export function writtenTime(text: string): WrittenTime | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', unit] = match;
  const shift = unit === undefined ? 0 : UNITS[unit]!;
  const digits = whole.padStart(shift + 1, '0');
  const split = digits.length - shift;
  const decimals = (digits.slice(split) + fraction).replace(/0+$/, '');
  if (decimals.length > 9 || (unit === undefined && fraction.length > 9)) return undefined;
  const seconds = `${sign}${digits.slice(0, split)}`;
  return { decimal: decimals === '' ? seconds : `${seconds}.${decimals}`, unit: unit !== undefined };
}

/** Whether a text is a time. */
export const isTime = (text: string): boolean => writtenTime(text) !== undefined;

/** Whether a text is a time with a unit behind it. */
export const hasUnit = (text: string): boolean => writtenTime(text)?.unit === true;

/** A number, or a time in billionths of its unit. */
function billionths(text: string): bigint {
  if (isNumber(text)) return BigInt(text) * 1_000_000_000n;
  const [whole = '', fraction = ''] = writtenTime(text)!.decimal.split('.');
  return BigInt(`${whole}${fraction.padEnd(9, '0')}`);
}

/** Whether a range of numbers or times ends before it begins, so that nothing is within. */
export const isBackwards = (from: string, to: string): boolean => billionths(from) > billionths(to);

/**
 * The stored form of a time of a trace (see TimeBase); a filter may compare counters with fractions too. Undefined for a text that is no time,
 * and for a time with a unit where the clock counts ticks, whose length nobody knows.
 */
export function instantOf(text: string, base: TimeBase): number | undefined {
  const written = writtenTime(text);
  if (written === undefined || (written.unit && base.ticks)) return undefined;
  const { decimal } = written;
  const stored = parseTime(decimal, base);
  if (stored !== undefined) return stored;
  const [whole, fraction] = decimal.split('.') as [string, string];
  return Number(BigInt(whole) - base.base) + Number(`${whole.startsWith('-') ? '-' : ''}0.${fraction}`);
}

/** A stretch of time in units of a clock: nanoseconds, or ticks; undefined as for `instantOf`. */
export function spanOf(text: string, base: TimeBase): number | undefined {
  return instantOf(text, { ...base, base: 0n });
}

const FLAG_TEXTS: Readonly<Record<string, boolean>> = byName({ true: true, false: false, '1': true, '0': false });

/** The flag that a text stands for. */
export function flagOf(text: string): boolean | undefined {
  return FLAG_TEXTS[text];
}
