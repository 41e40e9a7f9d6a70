/**
 * The first index from `from` on, below `to`, at which a condition holds; `to` when it holds at none. The condition must
 * be monotone: once it holds, it holds at every later index too.
 */
export function firstWhere(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The same, where the index is likely to lie close to `from`: it doubles its stride until it has passed the place. */
export function firstNear(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let stride = 1;
  while (low + stride <= to && !holds(low + stride - 1)) {
    low += stride;
    stride *= 2;
  }
  return firstWhere(low, Math.min(low + stride - 1, to), holds);
}

/** The first index from `from` on, below `to`, whose number is at least `value`; the numbers must ascend. */
export function lowerBound(data: ArrayLike<number>, value: number, from = 0, to = data.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (data[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last index from `from` on, below `to`, whose number is at most `value`; `from - 1` when there is none. */
export function lastAtMost(data: ArrayLike<number>, value: number, from = 0, to = data.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (data[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
