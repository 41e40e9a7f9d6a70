/** The longest name that stands whole behind a lane. */
const SHORT = 8;

/** Words of a name, and what stands between them. */
const parts = (name: string): string[] => name.split(/([-_/ ,·]+)/);

/** How many elements two lists have in common at their beginning. */
function common(a: readonly string[], b: readonly string[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * What tells the names of two traces from each other, in whole words: `good` and `bad` for `migration-good.irqtrace` and
 * `migration-bad.irqtrace`, nothing and `2` for `run.log` and `run-2.log`. Short names, and equal ones, stay whole.
 */
export function shortNames(a: string, b: string): readonly [string, string] {
  if (a === b || Math.max(a.length, b.length) <= SHORT) return [a, b];
  const ends = [a, b].map((name) => /\.[^./ ]+$/.exec(name)?.[0] ?? '');
  const bare = ends[0] === ends[1] ? ends[0]!.length : 0;
  const [one, other] = [a, b].map((name) => parts(name.slice(0, name.length - bare))) as [string[], string[]];
  const start = common(one, other);
  const end = common(one.slice(start).reverse(), other.slice(start).reverse());
  const left = [one, other].map((all) => all.slice(start, all.length - end).join(''));
  const [first, second] = left.map((text) => text.replaceAll(/^[-_/ ,·]+|[-_/ ,·]+$/g, '')) as [string, string];
  return first === second ? [a, b] : [first, second];
}
