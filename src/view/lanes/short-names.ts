/** The longest name that stands whole behind a lane. */
const SHORT = 8;

/** Words of a name, and what stands between them. */
const parts = (name: string): string[] => name.split(/([-_/ ]+)/);

/** How many elements two lists have in common at their beginning. */
function common(a: readonly string[], b: readonly string[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * What tells the names of two files from each other, in whole words: `good` and `bad` for `migration-good.irqtrace` and
 * `migration-bad.irqtrace`. Short names, and names of which nothing would be left, stay whole.
 */
export function shortNames(a: string, b: string): readonly [string, string] {
  if (Math.max(a.length, b.length) <= SHORT) return [a, b];
  const ends = [a, b].map((name) => /\.[^./ ]+$/.exec(name)?.[0] ?? '');
  const bare = ends[0] === ends[1] ? ends[0]!.length : 0;
  const [one, other] = [a, b].map((name) => parts(name.slice(0, name.length - bare))) as [string[], string[]];
  const start = common(one, other);
  const end = common(one.slice(start).reverse(), other.slice(start).reverse());
  const left = [one, other].map((all) => all.slice(start, all.length - end).join('')) as [string, string];
  return left.some((text) => !/[\p{L}\p{N}]/u.test(text)) ? [a, b] : left;
}
