/** Work in small pieces. It yields between them; its caller goes on at once, later, or not at all. */
export type Slices<T> = Generator<void, T>;

/** Does all of a work at once. */
export function whole<T>(work: Slices<T>): T {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Elements that are worked on in one piece, where one takes microseconds. */
const PIECE = 256;

/** The elements of a list, with a pause after each piece: `for (const each of list) …` becomes `yield* eachOf(list, (each) => …)`. */
export function* eachOf<T>(list: Iterable<T>, work: (each: T, index: number) => void): Slices<void> {
  let i = 0;
  for (const each of list) {
    work(each, i);
    if (++i % PIECE === 0) yield;
  }
}

/** What a function makes of each element of a list, with a pause after each piece. */
export function* mapOf<T, R>(list: Iterable<T>, of: (each: T, index: number) => R): Slices<R[]> {
  const made: R[] = [];
  yield* eachOf(list, (each, i) => made.push(of(each, i)));
  return made;
}

/** A list sorted by a comparison, equal elements in their order, with pauses: pieces are sorted, then merged two by two. */
export function* sortedOf<T>(list: readonly T[], compare: (a: T, b: T) => number): Slices<T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < list.length; from += PIECE) {
    runs.push(list.slice(from, from + PIECE).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(yield* merged(runs[i]!, runs[i + 1] ?? [], compare));
    runs = longer;
  }
  return runs[0] ?? [];
}

function* merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Slices<T[]> {
  const out: T[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (j >= b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)) out.push(a[i++]!);
    else out.push(b[j++]!);
    if (out.length % PIECE === 0) yield;
  }
  return out;
}
