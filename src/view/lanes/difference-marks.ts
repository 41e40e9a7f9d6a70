import type { Lane } from './tree.ts';
import { DIFFERENCE, type DifferenceName, type LaneDifferences } from './values.ts';

interface Collected {
  readonly places: number[];
  readonly kinds: number[];
}

/** Where the lanes of one trace differ from those of the other one. It takes marks in any order. */
export class DifferenceMarks {
  readonly #collected = new Map<Lane, Collected>();
  readonly #known = new Map<Lane, LaneDifferences>();

  /** Adds a difference at a place of a lane. */
  add(lane: Lane, place: number, kind: DifferenceName): void {
    let marks = this.#collected.get(lane);
    if (marks === undefined) this.#collected.set(lane, (marks = { places: [], kinds: [] }));
    marks.places.push(place);
    marks.kinds.push(DIFFERENCE[kind]);
  }

  /** The differences of a lane alone. They are sorted when they are first asked for. */
  of(lane: Lane): LaneDifferences | undefined {
    const known = this.#known.get(lane);
    const marks = this.#collected.get(lane);
    if (known !== undefined || marks === undefined) return known;
    const sorted = sortedMarks(marks);
    this.#known.set(lane, sorted);
    this.#collected.delete(lane);
    return sorted;
  }
}

function sortedMarks({ places, kinds }: Collected): LaneDifferences {
  if (places.every((place, i) => i === 0 || places[i - 1]! <= place))
    return { places: Uint32Array.from(places), kinds: Uint8Array.from(kinds) };
  // Place and kind in one number, so that they are sorted together.
  const both = Float64Array.from(places, (place, i) => place * 8 + kinds[i]!).sort();
  return {
    places: Uint32Array.from(both, (one) => Math.floor(one / 8)),
    kinds: Uint8Array.from(both, (one) => one % 8),
  };
}
