// Lines that carry two stamps: that of the record, and in front of it that of who took the line down. Together they tell the time of day of the record's clock.
import { DOT, isDigit, MINUS, textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { isNameByte } from '../names.ts';

/** A date with its zone, or seconds since 1970, as loggers print them. */
const DATED =
  /^[^\w\n]{0,3}(?:(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d):?(\d\d)?|(\d{10})\.(\d{1,9}))[^\w.]/;
/** Bytes of three characters, at most. */
const MOST_MARKS = 12;
/** Bytes in which such a stamp ends. */
const REACH = 64;
const MILLI = 1_000_000n;
const NANO = 1_000_000_000n;

/**
 * Notes the moment of a record behind such a stamp. A line is taken down some time after it was printed: of all lines the one counts that came
 * soonest. `bytes` from `start` to `end`: the line as it stands.
 */
export function noteMoment({ source, time }: TraceBuilder, bytes: Uint8Array, start: number, end: number): void {
  if (Number.isNaN(time) || source.time.ticks || source.clock === 'realtime') return;
  // Most prefixes hold no date.
  let at = start;
  while (at < start + MOST_MARKS && at < end && !isNameByte(bytes[at]!)) at++;
  if (!isDigit(bytes[at]) || (bytes[at + 4] !== MINUS && bytes[at + 10] !== DOT)) return;
  const day = dayIn(textOf(bytes, start, Math.min(end, start + REACH)));
  if (day === undefined) return;
  const own = Math.round(time);
  const before = source.moments?.[0];
  if (before === undefined || day - BigInt(own) < before.day - BigInt(Math.round(before.own)))
    source.moments = [{ own, day }];
}

/** Nanoseconds since 1970 of the stamp that a text begins with; undefined where it begins with none. */
export function dayIn(text: string): bigint | undefined {
  const match = DATED.exec(text);
  if (match === null) return undefined;
  const [, date, clock, fraction = '', zone, minutes = '00', seconds, parts = ''] = match;
  if (seconds !== undefined) return BigInt(seconds) * NANO + BigInt(parts.padEnd(9, '0'));
  const whole = Date.parse(`${date}T${clock}${zone === 'Z' ? 'Z' : `${zone}:${minutes}`}`);
  return Number.isNaN(whole) ? undefined : BigInt(whole) * MILLI + BigInt(fraction.padEnd(9, '0'));
}
