import type { Step } from './ids.ts';
import { lastAtMost } from './search.ts';

/** Steps that one word holds, as a shift. */
const WORD_BITS = 5;
/** Words between two counts: 1024 steps. */
const BLOCK_WORDS = 32;
const BLOCK_BITS = 10;

/** How many bits of a word are set. */
function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  n = (n + (n >>> 4)) & 0x0f0f0f0f;
  return Math.imul(n, 0x01010101) >>> 24;
}

function wider(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(length, array.length * 2));
  grown.set(array);
  return grown;
}

/**
 * A set of steps that grows in rising order: a bit for each step, and a count for each 1024 of them. It says in about the same
 * time whether a step is in it, how many are below a step, and which one is at an index. Of ten million steps it takes 1.3 MB.
 */
export class StepSet {
  #words = new Uint32Array(BLOCK_WORDS);
  /** How many members each block has in front of it, up to the block of the last member. */
  #before = new Uint32Array(1);
  #size = 0;
  #last: Step = -1;

  /** How many steps are in it. */
  get size(): number {
    return this.#size;
  }

  /** Adds a step, which must be greater than all that are in the set. */
  add(step: Step): void {
    if (step <= this.#last) throw new RangeError(`step ${step} is not above ${this.#last}`);
    const word = step >>> WORD_BITS;
    const block = step >>> BLOCK_BITS;
    if (word >= this.#words.length) this.#words = wider(this.#words, (block + 1) * BLOCK_WORDS);
    if (block >= this.#before.length) this.#before = wider(this.#before, block + 1);
    for (let b = this.#blocks; b <= block; b++) this.#before[b] = this.#size;
    this.#words[word]! |= 1 << (step & 31);
    this.#size++;
    this.#last = step;
  }

  /** Whether a step is in it. */
  has(step: Step): boolean {
    if (step < 0 || step > this.#last) return false;
    return ((this.#words[step >>> WORD_BITS]! >>> (step & 31)) & 1) === 1;
  }

  /** How many of its steps are below a step. */
  rank(step: Step): number {
    if (step <= 0) return 0;
    if (step > this.#last) return this.#size;
    const block = step >>> BLOCK_BITS;
    const word = step >>> WORD_BITS;
    let n = this.#before[block]!;
    for (let w = block * BLOCK_WORDS; w < word; w++) n += ones(this.#words[w]!);
    return n + ones(this.#words[word]! & ((1 << (step & 31)) - 1));
  }

  /** The step at an index in rising order; -1 when there is none. */
  at(index: number): Step {
    if (index < 0 || index >= this.#size) return -1;
    const block = lastAtMost(this.#before, index, 0, this.#blocks);
    let left = index - this.#before[block]!;
    let word = block * BLOCK_WORDS;
    for (let n = ones(this.#words[word]!); left >= n; n = ones(this.#words[word]!)) {
      left -= n;
      word++;
    }
    let bits = this.#words[word]!;
    for (; left > 0; left--) bits &= bits - 1;
    return (word << WORD_BITS) + 31 - Math.clz32(bits & -bits);
  }

  /** The first of its steps at or above a step; -1 for none. */
  from(step: Step): Step {
    return this.at(this.rank(step));
  }

  /** The last of its steps below a step; -1 for none. */
  below(step: Step): Step {
    return this.at(this.rank(step) - 1);
  }

  /** Those of its steps that are nearest to a step, at most `most`, in rising order. */
  nearest(step: Step, most: number): Step[] {
    let to = this.rank(step);
    let from = to;
    while (to - from < most && to - from < this.#size) {
      const [low, high] = [this.at(from - 1), this.at(to)];
      // Of two that are equally near, the later one.
      if (low < 0 || (high >= 0 && high - step <= step - low)) to++;
      else from--;
    }
    return Array.from({ length: to - from }, (_, i) => this.at(from + i));
  }

  get #blocks(): number {
    return this.#last < 0 ? 0 : (this.#last >>> BLOCK_BITS) + 1;
  }
}
