import { lowerBound } from '../../base/search.ts';

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

/**
 * Numbers that are appended one by one and read in bulk: `data` holds `length` numbers and some room after them.
 * The next `push` may replace `data` by another array: read the property again for every pass.
 */
export class List<T extends Numbers> {
  data: T;
  length = 0;
  readonly #make: (size: number) => T;

  constructor(make: (size: number) => T) {
    this.#make = make;
    this.data = make(8);
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const wider = this.#make(this.length * 2);
      wider.set(this.data);
      this.data = wider;
    }
    this.data[this.length++] = value;
  }

  /** Appends many numbers. */
  append(values: T): void {
    const length = this.length + values.length;
    if (length > this.data.length) {
      const wider = this.#make(Math.max(length, this.data.length * 2));
      wider.set(this.data.subarray(0, this.length));
      this.data = wider;
    }
    this.data.set(values, this.length);
    this.length = length;
  }

  /** The number at an index below `length`. */
  at(index: number): number {
    return this.data[index]!;
  }

  /** The first index whose number is at least `value`, or `length`; the numbers must ascend. */
  indexFrom(value: number): number {
    return lowerBound(this.data, value, 0, this.length);
  }

  /** A copy without the room at the end. */
  exact(): T {
    return this.data.slice(0, this.length) as T;
  }
}

export const u8List = (): List<Uint8Array> => new List((n) => new Uint8Array(n));
export const u16List = (): List<Uint16Array> => new List((n) => new Uint16Array(n));
export const f32List = (): List<Float32Array> => new List((n) => new Float32Array(n));
export const u32List = (): List<Uint32Array> => new List((n) => new Uint32Array(n));
export const f64List = (): List<Float64Array> => new List((n) => new Float64Array(n));
