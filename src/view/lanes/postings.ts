import type { Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';

/** Entries that are gathered before they are sorted by lane. */
const CHUNK = 1 << 17;

/** Entries of one stretch of a trace, sorted by lane: those of lane `lanes[i]` are from `starts[i]` to `starts[i + 1]`. */
interface Chunk {
  readonly lanes: Uint32Array;
  readonly starts: Uint32Array;
  readonly steps: Uint32Array;
  readonly marks: Uint8Array;
}

/**
 * Which events are in which lane. Entries come in the order of steps and are sorted by lane in chunks, by counting; a
 * lane takes its entries out of the chunks when it is first looked at. So a trace with many lanes costs no more than one with few.
 */
export class Postings {
  readonly #chunks: Chunk[] = [];
  readonly #lanes = new Uint32Array(CHUNK);
  readonly #steps = new Uint32Array(CHUNK);
  readonly #marks = new Uint8Array(CHUNK);
  #waiting = 0;
  /** For each lane how many entries it has, and the step of its last one plus one. */
  #counts = new Uint32Array(64);
  #last = new Uint32Array(64);

  /** Adds an event to a lane, by the lane's number; an event is added only once. */
  add(lane: number, step: Step, mark: number): void {
    if (lane >= this.#counts.length) this.#grow(lane);
    if (this.#last[lane] === step + 1) return;
    this.#last[lane] = step + 1;
    this.#counts[lane]!++;
    const at = this.#waiting;
    this.#lanes[at] = lane;
    this.#steps[at] = step;
    this.#marks[at] = mark;
    if (++this.#waiting === CHUNK) this.#sort();
  }

  /** How many events a lane has. */
  count(lane: number): number {
    return this.#counts[lane] ?? 0;
  }

  /**
   * Hands on the entries of a lane, chunk by chunk, from chunk number `from` on; returns the number of the chunk to go on
   * with another time.
   */
  read(lane: number, from: number, take: (steps: Uint32Array, marks: Uint8Array) => void): number {
    if (this.#waiting > 0) this.#sort();
    for (let c = from; c < this.#chunks.length; c++) {
      const { lanes, starts, steps, marks } = this.#chunks[c]!;
      const i = lowerBound(lanes, lane);
      if (lanes[i] === lane)
        take(steps.subarray(starts[i]!, starts[i + 1]!), marks.subarray(starts[i]!, starts[i + 1]!));
    }
    return this.#chunks.length;
  }

  #sort(): void {
    const count = this.#waiting;
    const place = new Uint32Array(this.#counts.length);
    for (let i = 0; i < count; i++) place[this.#lanes[i]!]!++;
    const lanes: number[] = [];
    const starts: number[] = [];
    let next = 0;
    for (let lane = 0; lane < place.length; lane++) {
      const size = place[lane]!;
      if (size === 0) continue;
      lanes.push(lane);
      starts.push(next);
      place[lane] = next;
      next += size;
    }
    starts.push(next);
    const steps = new Uint32Array(count);
    const marks = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const at = place[this.#lanes[i]!]!++;
      steps[at] = this.#steps[i]!;
      marks[at] = this.#marks[i]!;
    }
    this.#chunks.push({ lanes: Uint32Array.from(lanes), starts: Uint32Array.from(starts), steps, marks });
    this.#waiting = 0;
  }

  #grow(lane: number): void {
    const size = Math.max(lane + 1, this.#counts.length * 2);
    const counts = new Uint32Array(size);
    counts.set(this.#counts);
    this.#counts = counts;
    const last = new Uint32Array(size);
    last.set(this.#last);
    this.#last = last;
  }
}
