/**
 * The vectors requested at a local APIC (IRR), in the order in which their bits were set, each with the cause that set it (0: none known).
 * Mostly none or one is set, so a search in a short list costs less than a map.
 */
export class Requests {
  readonly #vectors: number[] = [];
  readonly #causes: number[] = [];

  /** How many bits are set. */
  get size(): number {
    return this.#vectors.length;
  }

  /** The vectors, in the order in which their bits were set. */
  get vectors(): readonly number[] {
    return this.#vectors;
  }

  /** The highest vector; 0 where no bit is set. */
  get highest(): number {
    let highest = 0;
    for (const vector of this.#vectors) if (vector > highest) highest = vector;
    return highest;
  }

  has(vector: number): boolean {
    return this.#vectors.includes(vector);
  }

  /** The cause behind a bit; undefined where it is not set. */
  get(vector: number): number | undefined {
    const at = this.#vectors.indexOf(vector);
    return at < 0 ? undefined : this.#causes[at];
  }

  set(vector: number, cause: number): void {
    const at = this.#vectors.indexOf(vector);
    if (at >= 0) this.#causes[at] = cause;
    else {
      this.#vectors.push(vector);
      this.#causes.push(cause);
    }
  }

  /** Clears a bit and returns its cause; 0 where it was not set. */
  take(vector: number): number {
    const at = this.#vectors.indexOf(vector);
    if (at < 0) return 0;
    const cause = this.#causes[at]!;
    // The bit that was set last is mostly the only one.
    if (at === this.#vectors.length - 1) {
      this.#vectors.pop();
      this.#causes.pop();
    } else {
      this.#vectors.splice(at, 1);
      this.#causes.splice(at, 1);
    }
    return cause;
  }

  clear(): void {
    this.#vectors.length = 0;
    this.#causes.length = 0;
  }
}
