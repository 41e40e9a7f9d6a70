import type { StepSet } from '../../base/step-set.ts';
import type { LaneIndex } from './lanes.ts';

/** Which lanes have events that are looked for. It takes the hits of a search in their order, some at a time, also while the search goes on. */
export class LaneHits {
  /** The hits that it takes. */
  readonly hits: StepSet;
  readonly #index: LaneIndex;
  readonly #lanes = new Set<number>();
  /** Hits that were taken. */
  #done = 0;

  constructor(index: LaneIndex, hits: StepSet) {
    this.#index = index;
    this.hits = hits;
  }

  /** The numbers of the lanes that have hits, of those that were taken. */
  get lanes(): ReadonlySet<number> {
    return this.#lanes;
  }

  /** Whether there are hits that it has not taken. */
  get behind(): boolean {
    return this.#done < this.hits.rank(this.#index.done);
  }

  /** Takes the next `most` hits whose events are sorted into lanes; says whether there are more of these. */
  advance(most: number): boolean {
    const ready = this.hits.rank(this.#index.done);
    const end = Math.min(ready, this.#done + most);
    for (; this.#done < end; this.#done++)
      this.#index.lanesOf(this.hits.at(this.#done), (lane) => this.#lanes.add(lane.id));
    return this.#done < ready;
  }
}
