/** A line from one clock to another, in nanoseconds since the bases of both: `x + offset + rate * (x - origin)`. */
export interface Line {
  readonly offset: number;
  readonly rate: number;
  readonly origin: number;
}

/** The line of a clock to itself. */
export const STILL: Line = { offset: 0, rate: 0, origin: 0 };

/** The line back. */
export function inverse({ offset, rate, origin }: Line): Line {
  return { offset: -offset, rate: 1 / (1 + rate) - 1, origin: origin + offset };
}

/** First `inner`, then `outer`. */
export function after(outer: Line, inner: Line): Line {
  const at = inner.origin + inner.offset;
  const rate = (1 + outer.rate) * (1 + inner.rate) - 1;
  return { offset: inner.offset + outer.offset + outer.rate * (at - outer.origin), rate, origin: inner.origin };
}

/** Where a line takes a time. */
export const along = ({ offset, rate, origin }: Line, time: number): number => time + offset + rate * (time - origin);
