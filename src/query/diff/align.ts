/** A sequence to be aligned. Elements with the same token are the same; elements of one form may stand for each other. */
export interface Sequence {
  readonly tokens: ArrayLike<number>;
  readonly forms: ArrayLike<number>;
  /** Elements that mark a phase: they are aligned first where the sequences differ a lot. */
  readonly anchors: ArrayLike<number>;
}

/**
 * Differences up to which the shortest explanation is taken, wherever it leads. After so many the best beginning of one is kept,
 * and the search starts again behind it.
 */
const MOST = 256;
/** A form that occurs more often than this in either sequence marks no phase. */
const RARE = 8;

/** A stretch of both sequences: `a0` to before `a1`, `b0` to before `b1`. */
interface Stretch {
  a0: number;
  a1: number;
  b0: number;
  b1: number;
}

/**
 * Aligns two sequences: for each element of `a` the element of `b` that it stands for, or -1. Pairs are in order. They have the same
 * token, or at least the same form: then the element changed. The number of elements that changed, or stand in one
 * sequence alone, is the least possible while it is at most 256. Beyond that, phases are aligned first, then what lies
 * between them. The work grows linearly with the length of the sequences. `fromEnd`: one sequence lacks the beginning of the other,
 * so they are read from the end.
 */
export function align(a: Sequence, b: Sequence, fromEnd = false): Int32Array {
  if (!fromEnd) return fromStart(a, b);
  const [last, lastB] = [a.tokens.length - 1, b.tokens.length - 1];
  return fromStart(reversed(a), reversed(b))
    .map((j) => (j < 0 ? -1 : lastB - j))
    .map((_, i, pairs) => pairs[last - i]!);
}

const reversed = ({ tokens, forms, anchors }: Sequence): Sequence => ({
  tokens: Array.from(tokens).reverse(),
  forms: Array.from(forms).reverse(),
  anchors: Array.from(anchors).reverse(),
});

function fromStart(a: Sequence, b: Sequence): Int32Array {
  const pairs = new Int32Array(a.tokens.length).fill(-1);
  // What has no like in the other sequence stands alone in any case.
  const [inA, inB] = [placesWith(a, new Set(Array.from(b.forms))), placesWith(b, new Set(Array.from(a.forms)))];
  for (const [i, j] of aligned(chosen(a, inA), chosen(b, inB)).entries()) if (j >= 0) pairs[inA[i]!] = inB[j]!;
  slideOn(a.tokens, pairs);
  const back = new Int32Array(b.tokens.length).fill(-1);
  for (const [i, j] of pairs.entries()) if (j >= 0) back[j] = i;
  slideOn(b.tokens, back);
  pairs.fill(-1);
  for (const [j, i] of back.entries()) if (i >= 0) pairs[i] = j;
  return pairs;
}

/**
 * Moves elements without a partner towards the end over equal ones: of equal elements in a row the last one is the one too many, as it
 * looks to those who read both from the start.
 */
function slideOn(tokens: ArrayLike<number>, pairs: Int32Array): void {
  let from = -1;
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i]! < 0) {
      if (from < 0) from = i;
    } else if (from >= 0 && tokens[from] === tokens[i]) {
      pairs[from++] = pairs[i]!;
      pairs[i] = -1;
    } else from = -1;
  }
}

function placesWith({ forms }: Sequence, wanted: ReadonlySet<number>): number[] {
  const places: number[] = [];
  for (let i = 0; i < forms.length; i++) if (wanted.has(forms[i]!)) places.push(i);
  return places;
}

function aligned(a: Sequence, b: Sequence): Int32Array {
  const pairs = new Int32Array(a.tokens.length).fill(-1);
  const whole = { a0: 0, a1: a.tokens.length, b0: 0, b1: b.tokens.length };
  const aligner = new Aligner(a, b, pairs);
  aligner.trim(whole);
  if (aligner.shortest({ ...whole }, false)) return pairs;
  const marksA = marked(a, whole.a0, whole.a1);
  const marksB = marked(b, whole.b0, whole.b1);
  if (marksA.length === 0 || marksB.length === 0) {
    aligner.all(whole);
    return pairs;
  }
  const marks = new Int32Array(marksA.length).fill(-1);
  new Aligner(chosen(a, marksA), chosen(b, marksB), marks).all({ a0: 0, a1: marksA.length, b0: 0, b1: marksB.length });
  let { a0, b0 } = whole;
  for (const [i, mark] of marks.entries()) {
    if (mark < 0) continue;
    const [x, y] = [marksA[i]!, marksB[mark]!];
    aligner.all({ a0, a1: x, b0, b1: y });
    pairs[x] = y;
    a0 = x + 1;
    b0 = y + 1;
  }
  aligner.all({ ...whole, a0, b0 });
  return pairs;
}

/** The anchors of a stretch whose form is rare. */
function marked({ anchors, forms }: Sequence, from: number, to: number): number[] {
  const often = new Map<number, number>();
  const places: number[] = [];
  for (let i = from; i < to; i++) {
    if (anchors[i] === 0) continue;
    places.push(i);
    often.set(forms[i]!, (often.get(forms[i]!) ?? 0) + 1);
  }
  return places.filter((i) => often.get(forms[i]!)! <= RARE);
}

const chosen = ({ tokens, forms, anchors }: Sequence, places: readonly number[]): Sequence => ({
  tokens: places.map((i) => tokens[i]!),
  forms: places.map((i) => forms[i]!),
  anchors: places.map((i) => anchors[i]!),
});

/**
 * Finds the fewest differences of two sequences by the farthest points that each number of differences reaches on each
 * diagonal (E. Ukkonen, Algorithms for approximate string matching, 1985). A diagonal is the place in `a` minus that in `b`.
 */
class Aligner {
  readonly #a: Sequence;
  readonly #b: Sequence;
  readonly #pairs: Int32Array;

  constructor(a: Sequence, b: Sequence, pairs: Int32Array) {
    this.#a = a;
    this.#b = b;
    this.#pairs = pairs;
  }

  /** Pairs what is the same at both ends of a stretch, and takes it off the stretch. */
  trim(s: Stretch): void {
    const [a, b] = [this.#a.tokens, this.#b.tokens];
    for (; s.a0 < s.a1 && s.b0 < s.b1 && a[s.a0] === b[s.b0]; s.a0++, s.b0++) this.#pairs[s.a0] = s.b0;
    for (; s.a0 < s.a1 && s.b0 < s.b1 && a[s.a1 - 1] === b[s.b1 - 1]; s.a1--, s.b1--) this.#pairs[s.a1 - 1] = s.b1 - 1;
  }

  /** Aligns a stretch, however much it differs. */
  all(stretch: Stretch): void {
    const s = { ...stretch };
    for (this.trim(s); !this.shortest(s, true); this.trim(s));
  }

  /**
   * Aligns a stretch if MOST differences suffice; says whether they did. Where they do not, and with `part`, what they reach
   * is aligned and taken off the stretch.
   */
  shortest(s: Stretch, part: boolean): boolean {
    const [n, m] = [s.a1 - s.a0, s.b1 - s.b0];
    if (n === 0 || m === 0) return true;
    if (!part && Math.abs(n - m) > MOST) return false;
    const rows: Int32Array[] = [];
    for (let e = 0; e <= MOST; e++) {
      const row = this.#reach(s, e, rows[e - 1]);
      rows.push(row);
      const last = n - m;
      if (Math.abs(last) <= e && row[last + e] === n) {
        this.#follow(s, rows, e, last);
        return true;
      }
    }
    if (!part) return false;
    const row = rows[MOST]!;
    let best = 0;
    for (let i = 1; i < row.length; i++) if (row[i]! >= 0 && 2 * row[i]! - i > 2 * row[best]! - best) best = i;
    this.#follow(s, rows, MOST, best - MOST);
    const x = row[best]!;
    s.a0 += x;
    s.b0 += x - (best - MOST);
    return false;
  }

  /** The farthest place in `a` on each diagonal from -e to e that `e` differences reach; -1 none. */
  #reach(s: Stretch, e: number, before: Int32Array | undefined): Int32Array {
    const [n, m] = [s.a1 - s.a0, s.b1 - s.b0];
    const [a, b] = [this.#a.tokens, this.#b.tokens];
    const row = new Int32Array(2 * e + 1).fill(-1);
    for (let k = -e; k <= e; k++) {
      let x = before === undefined ? 0 : this.#step(s, before, e, k);
      if (x < 0) continue;
      for (let y = x - k; x < n && y < m && a[s.a0 + x] === b[s.b0 + y]; x++) y++;
      row[k + e] = x;
    }
    return row;
  }

  /** Where one difference more leads to on a diagonal. */
  #step(s: Stretch, before: Int32Array, e: number, k: number): number {
    const [n, m] = [s.a1 - s.a0, s.b1 - s.b0];
    const at = (d: number): number => (Math.abs(d) < e ? before[d + e - 1]! : -1);
    let x = at(k);
    if (x >= 0 && this.#alike(s, x, x - k)) x++;
    const below = at(k - 1);
    if (below >= 0 && below < n) x = Math.max(x, below + 1);
    const above = at(k + 1);
    if (above >= 0 && above - k <= m) x = Math.max(x, above);
    return x;
  }

  /** Whether the elements at these places may stand for each other. */
  #alike(s: Stretch, x: number, y: number): boolean {
    return x < s.a1 - s.a0 && y < s.b1 - s.b0 && this.#a.forms[s.a0 + x] === this.#b.forms[s.b0 + y];
  }

  /** Pairs the elements on the way to the point that `e` differences reach on a diagonal. */
  #follow(s: Stretch, rows: readonly Int32Array[], last: number, diagonal: number): void {
    let k = diagonal;
    let x = rows[last]![k + last]!;
    const pair = (at: number): void => {
      this.#pairs[s.a0 + at] = s.b0 + at - k;
    };
    for (let e = last; e > 0; e--) {
      const before = rows[e - 1]!;
      const at = (d: number): number => (Math.abs(d) < e ? before[d + e - 1]! : -1);
      const start = this.#step(s, before, e, k);
      while (x > start) pair(--x);
      if (at(k) >= 0 && this.#alike(s, at(k), at(k) - k) && at(k) + 1 === x) pair(--x);
      else if (at(k - 1) >= 0 && at(k - 1) + 1 === x) {
        k--;
        x--;
      } else if (at(k + 1) >= 0 && at(k + 1) === x) k++;
      // Otherwise one difference fewer reaches the same place.
    }
    while (x > 0) pair(--x);
  }
}
