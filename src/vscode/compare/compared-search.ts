import type { Step } from '../../base/ids.ts';
import type { Search } from '../../query/filter/search.ts';
import type { Session } from '../../session/session.ts';
import type { SideNumber } from '../../view/lanes/compared.ts';
import { LaneHits } from '../../view/lanes/hits.ts';
import type { LaneIndex } from '../../view/lanes/lanes.ts';
import { searchesOf } from '../events/query-service.ts';

/** The search of one trace of a comparison. */
interface SideSearch {
  readonly side: SideNumber;
  readonly search: Search;
}

/** What is looked for in the two traces of a comparison: both are searched for the same. */
export class ComparedSearch {
  readonly #sessions: readonly [Session, Session];
  readonly #indexes: readonly [LaneIndex, LaneIndex];
  #hits: readonly LaneHits[] = [];

  constructor(sessions: readonly [Session, Session], indexes: readonly [LaneIndex, LaneIndex]) {
    this.#sessions = sessions;
    this.#indexes = indexes;
  }

  /** The searches of both; `active`: the trace whose search the other one must have. Where both are one trace, each side has its search. */
  of(active: SideNumber): SideSearch[] {
    const first = this.#sessions[active];
    return ([0, 1] as const).flatMap((side) =>
      searchesOf([first, this.#sessions[side]]).length < 2 ? [] : [{ side, search: this.#sessions[side].search! }],
    );
  }

  /** The lanes with hits, for each search; the same list while the searches are the same. */
  hits(active: SideNumber): readonly LaneHits[] {
    const all = [...new Map(this.of(active).map((one) => [one.search, one])).values()];
    const same = all.length === this.#hits.length && all.every(({ search }, i) => search.hits === this.#hits[i]!.hits);
    if (!same) this.#hits = all.map(({ side, search }) => new LaneHits(this.#indexes[side], search.hits));
    return this.#hits;
  }

  /** The lanes with hits so far, with the side of each. */
  lanes(active: SideNumber): { readonly side: SideNumber; readonly lane: number }[] {
    return this.hits(active).flatMap(({ hits, lanes }) =>
      this.of(active)
        .filter(({ search }) => search.hits === hits)
        .flatMap(({ side }) => [...lanes].map((lane) => ({ side, lane }))),
    );
  }

  /** The hits of each side that are nearest to the cursor of its trace, at most so many. */
  nearest(active: SideNumber, most: number): { readonly side: SideNumber; readonly step: Step }[] {
    return this.of(active).flatMap(({ side, search }) =>
      search.hits.nearest(this.#sessions[side].cursor, most).map((step) => ({ side, step })),
    );
  }
}
