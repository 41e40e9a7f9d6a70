/** Elements that a segment holds. A column grows by another segment and copies nothing. */
const SEGMENT_BITS = 15;
const SEGMENT = 1 << SEGMENT_BITS;
const MASK = SEGMENT - 1;

type TypedArray = Uint8Array | Uint16Array | Int16Array | Uint32Array | Float64Array;

/** A column of numbers that grows at its end. The element type is that of the arrays that `make` returns. */
export class Column<T extends TypedArray> {
  readonly #make: (size: number) => T;
  readonly #segments: T[] = [];
  #length = 0;

  constructor(make: (size: number) => T) {
    this.#make = make;
  }

  /** How many elements there are. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the segments take. */
  get bytes(): number {
    return this.#segments.reduce((sum, s) => sum + s.byteLength, 0);
  }

  /** Appends one element. */
  push(value: number): void {
    const at = this.#length++;
    const index = at & MASK;
    if (index === 0) this.#segments.push(this.#make(SEGMENT));
    this.#segments[at >>> SEGMENT_BITS]![index] = value;
  }

  /** The element at an index below `length`. */
  get(at: number): number {
    return this.#segments[at >>> SEGMENT_BITS]![at & MASK]!;
  }
}

export const u32Column = (): Column<Uint32Array> => new Column((n) => new Uint32Array(n));
export const f64Column = (): Column<Float64Array> => new Column((n) => new Float64Array(n));

const POOL_BITS = 17;
const POOL = 1 << POOL_BITS;

/** Short runs of 32-bit words, one after another. A run never crosses a segment, so readers read it in place. */
export class WordPool {
  readonly #segments: Uint32Array[] = [];
  #next = 0;

  /** Bytes that the segments take. */
  get bytes(): number {
    return this.#segments.length * POOL * 4;
  }

  /** Appends `count` (at most 131,072) of `words`, from index `from` on; returns where the run starts. */
  append(words: Uint32Array, from: number, count: number): number {
    let start = this.#next;
    if ((start & (POOL - 1)) + count > POOL || start >>> POOL_BITS === this.#segments.length) {
      start = this.#segments.length * POOL;
      this.#segments.push(new Uint32Array(POOL));
    }
    const segment = this.#segments[start >>> POOL_BITS]!;
    const at = start & (POOL - 1);
    for (let i = 0; i < count; i++) segment[at + i] = words[from + i]!;
    this.#next = start + count;
    return start;
  }

  /** The segment that holds the run starting at `start`; the run begins at index `offset(start)` in it. */
  segment(start: number): Uint32Array {
    return this.#segments[start >>> POOL_BITS] ?? EMPTY;
  }

  /** Index of a run within its segment. */
  offset(start: number): number {
    return start & (POOL - 1);
  }
}

const EMPTY = new Uint32Array(64);
