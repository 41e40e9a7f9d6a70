import { COLON, DOT, isDigit, MINUS, SPACE } from '../../base/bytes.ts';

const PLUS = 43;
const T = 84;
const Z = 90;
/** Bytes of `2026-11-28T03:00:31`. */
const WHOLE = 19;
/** What stands between the numbers of these bytes. */
const SIGNS: readonly (readonly [number, number])[] = [
  [4, MINUS],
  [7, MINUS],
  [10, T],
  [13, COLON],
  [16, COLON],
];
const DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
/** Most digits of a fraction. */
const PLACES = 9;

/**
 * Reads times of ISO 8601 in front of records: date, `T`, time, a fraction, then `Z` or the distance from UTC (g_date_time_format_iso8601,
 * which QEMU prints with -msg timestamp=on). Records of one second begin with the same bytes, which are read once.
 */
export class Iso8601 {
  /** The bytes of the last whole second, and its number since 1970, without the distance from UTC. */
  readonly #last = new Uint8Array(WHOLE);
  #second = 0;
  /** Of the time that was read last: the fraction as a number, its digits, and where the time ends. */
  fraction = 0;
  places = 0;
  end = 0;

  /** Seconds since 1970 of the time in bytes `start` up to a blank or `end`; -1 when it is none. */
  read(buf: Uint8Array, start: number, end: number): number {
    if (end - start <= WHOLE || !this.#whole(buf, start)) return -1;
    let at = start + WHOLE;
    this.fraction = 0;
    this.places = 0;
    if (buf[at] === DOT) {
      const first = ++at;
      let value = 0;
      while (at < end && isDigit(buf[at])) value = value * 10 + buf[at++]! - 48;
      this.fraction = value;
      this.places = at - first;
      if (this.places === 0 || this.places > PLACES) return -1;
    }
    let zone = 0;
    const sign = at < end ? buf[at++] : undefined;
    if (sign === PLUS || sign === MINUS) {
      const hours = two(buf, at, end);
      if (buf[at + 2] === COLON) at++;
      const minutes = two(buf, at + 2, end);
      if (hours < 0 || minutes < 0) return -1;
      at += 4;
      zone = (hours * 60 + minutes) * (sign === MINUS ? -60 : 60);
    } else if (sign !== Z) return -1;
    if (at < end && buf[at] !== SPACE) return -1;
    this.end = at;
    return this.#second - zone;
  }

  #whole(buf: Uint8Array, start: number): boolean {
    const last = this.#last;
    let same = WHOLE - 1;
    while (same >= 0 && buf[start + same] === last[same]) same--;
    if (same < 0) return true;
    for (const [at, sign] of SIGNS) if (buf[start + at] !== sign) return false;
    for (const at of DIGITS) if (!isDigit(buf[start + at])) return false;
    const number = (at: number): number => two(buf, start + at, start + WHOLE);
    const days = daysSinceEpoch(number(0) * 100 + number(2), number(5), number(8));
    this.#second = days * 86400 + number(11) * 3600 + number(14) * 60 + number(17);
    last.set(buf.subarray(start, start + WHOLE));
    return true;
  }
}

/** The number in two digits; -1 when they are none. */
function two(buf: Uint8Array, at: number, end: number): number {
  return at + 2 <= end && isDigit(buf[at]) && isDigit(buf[at + 1]) ? (buf[at]! - 48) * 10 + buf[at + 1]! - 48 : -1;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const yearOfEra = y - era * 400;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}
