import { counted } from './counted.ts';

/**
 * How the times of one trace are stored: a column of whole units since `base`. For stamped clocks a unit is one
 * nanosecond and `base` whole seconds; for counters (`ticks`) a unit is one tick and `base` a count.
 */
export interface TimeBase {
  readonly base: bigint;
  readonly ticks: boolean;
  /** Fraction digits that the source prints: 6 for microseconds, 9 for nanoseconds, 0 for counters. */
  readonly digits: number;
}

const NANO = 1_000_000_000;

/** A time as a decimal string of seconds (or ticks), with as many fraction digits as the source; null when unknown. */
export function timeText(time: number, base: TimeBase): string | null {
  if (Number.isNaN(time)) return null;
  if (base.ticks) return (base.base + BigInt(time)).toString();
  // Far from the base a double cannot hold single nanoseconds: the digits that the source did not print are rounded away.
  const units = Math.round(time / 10 ** (9 - base.digits));
  const perSecond = 10 ** base.digits;
  const seconds = Math.floor(units / perSecond);
  const whole = base.base + BigInt(seconds);
  const fraction = units - seconds * perSecond;
  if (base.digits === 0) return whole.toString();
  // Digits and sign are those of the whole number: ten nanoseconds before 0 are -0.000000010.
  if (whole < 0n && fraction > 0) return `-${-whole - 1n}.${decimals(perSecond - fraction, base.digits)}`;
  return `${whole}.${decimals(fraction, base.digits)}`;
}

/**
 * A time in nanoseconds since the zero of its clock (or its count of ticks), with the digits that `timeText` prints; null when
 * unknown. A double cannot hold it: clocks that count since 1970 need 61 bits.
 */
export function exactTime(time: number, { base, ticks, digits }: TimeBase): bigint | null {
  if (Number.isNaN(time)) return null;
  if (ticks) return base + BigInt(time);
  const unit = 10 ** (9 - digits);
  return base * BigInt(NANO) + BigInt(Math.round(time / unit)) * BigInt(unit);
}

const decimals = (fraction: number, digits: number): string => fraction.toString().padStart(digits, '0');

/** The stored form of a decimal string of seconds (or ticks); undefined when it is none. */
export function parseTime(text: string, base: TimeBase): number | undefined {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign, digits, decimals] = match;
  const whole = Number(BigInt(`${sign}${digits}`) - base.base);
  if (base.ticks) return decimals === undefined ? whole : undefined;
  const fraction = Number((decimals ?? '').padEnd(9, '0'));
  return whole * NANO + (sign === '-' ? -fraction : fraction);
}

/** Units of durations, the largest first: nanoseconds as a power of ten, and the name. */
const UNITS = [
  [9, 's'],
  [6, 'ms'],
  [3, 'µs'],
  [0, 'ns'],
] as const;

/**
 * A duration in nanoseconds with the unit that reads best: `1.234 ms`, `87.000 µs`. `digits`: fraction digits of the stamps (as in
 * TimeBase); nothing finer is printed: microseconds give `87 µs`.
 */
export function durationText(ns: number, digits = 9): string {
  const finest = 9 - digits;
  const size = Math.abs(ns);
  const [power, unit] = UNITS.find(([power]) => size >= 10 ** power || power <= finest) ?? UNITS[3];
  return `${(ns / 10 ** power).toFixed(Math.max(0, Math.min(3, power - finest)))} ${unit}`;
}

/** The time between two stamps of a trace, no finer than its clock tells: `87 µs`; of a counter `12 ticks`. */
export const spanText = (span: number, { ticks, digits }: TimeBase): string =>
  ticks ? counted(span, 'tick') : durationText(span, digits);

/** A duration that an answer holds as decimal seconds, with the digits that stand there: `0.000087` is `87 µs`. */
export function secondsText(seconds: string): string {
  const digits = seconds.split('.')[1]?.length ?? 0;
  return durationText(parseTime(seconds, { base: 0n, ticks: false, digits }) ?? Number.NaN, digits);
}
