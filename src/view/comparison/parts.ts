import type { Step } from '../../base/ids.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import { standing } from '../../query/diff/anchors.ts';
import type { Comparison } from '../../query/diff/compare.ts';
import { GroupedSteps, whyLeftOut } from '../../query/diff/differences.ts';
import type { Difference } from '../../query/diff/pairing.ts';
import { otherPath } from '../../query/diff/places.ts';
import type { StateRow } from '../../query/diff/states.ts';
import { type Alignment, aligning, aligningParts } from '../lanes/alignment.ts';
import { type ComparedLanes, comparingLanes, type LaneChange, type SideNumber } from '../lanes/compared.ts';
import type { LaneIndex } from '../lanes/lanes.ts';
import type { Lane } from '../lanes/tree.ts';
import { pairingLanes, pairingWithItself, type Twins } from '../lanes/twins.ts';
import { differenceText } from './rows.ts';

/** Steps that are looked at between two slices. */
const SLICE = 1 << 13;

type Pair<T> = readonly [a: T, b: T];

/** What a comparison found, as the lanes of both traces show it. */
export interface ComparedParts {
  /** How many events of each trace are compared, from its first one on. */
  readonly lengths: Pair<number>;
  /** What the lanes of each trace are called, given the names of the traces. */
  names(labels: Pair<string>): Pair<string>;
  /** The lanes of both; all events that are compared must be sorted into those of each. */
  lanes(indexes: Pair<LaneIndex>): Slices<ComparedLanes>;
  /** The event of the other trace with which an event was compared; -1 for none. */
  partner(side: SideNumber, step: Step): Step;
  /** How an event differs from the other trace; the empty text where it does not, or is not compared. */
  remark(side: SideNumber, step: Step): string;
  /** What the other trace has in the place of an event, or why that was not compared. */
  told(side: SideNumber, step: Step): string;
}

const NAMES = ['A', 'B'] as const;

/** The events of two traces. */
export class ComparedEvents implements ComparedParts {
  readonly lengths: Pair<number>;
  readonly #comparison: Comparison;
  /** For each event of a trace the one of the other, and the number of its difference; -1 for none. */
  readonly #partners: [Int32Array, Int32Array];
  readonly #differences: readonly [Int32Array, Int32Array];

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
    const { a, b, pairs } = comparison;
    this.lengths = [a.ofStep.length, b.ofStep.length];
    this.#partners = [new Int32Array(0), pairs];
    this.#differences = [new Int32Array(this.lengths[0]).fill(-1), new Int32Array(this.lengths[1]).fill(-1)];
  }

  names(labels: Pair<string>): Pair<string> {
    return labels;
  }

  *lanes(indexes: Pair<LaneIndex>): Slices<ComparedLanes> {
    const { pairs, differences } = this.#comparison;
    const inB = new Int32Array(this.lengths[0]).fill(-1);
    yield* eachOf(pairs, (a, b) => {
      if (a >= 0) inB[a] = b;
    });
    this.#partners[0] = inB;
    yield* eachOf(differences, ({ a, b }, number) => {
      if (a >= 0) this.#differences[0][a] = number;
      if (b >= 0) this.#differences[1][b] = number;
    });
    const pathInB = (lane: Lane): string | undefined =>
      otherPath(this.#comparison, 'b', lane.object, lane.count > 0 ? lane.steps.at(0) : 0);
    const twins = yield* pairingLanes(...indexes, { pairs, pathInB });
    const alignment = yield* this.#align(indexes, twins);
    return yield* comparingLanes({ lanes: indexes, alignment, twins, events: differences, changes: [] });
  }

  /** Finds lane by lane which events of both stand for each other, and gives all of them a place. */
  *#align(indexes: Pair<LaneIndex>, twins: Twins): Slices<Alignment> {
    const [inA, inB] = [yield* lanesOf(indexes[0], this.lengths[0]), yield* lanesOf(indexes[1], this.lengths[1])];
    const stepsA = new GroupedSteps(inA, indexes[0].tree.lanes.length);
    yield;
    const stepsB = new GroupedSteps(inB, indexes[1].tree.lanes.length);
    const partners = new Int32Array(this.lengths[1]).fill(-1);
    const pairing = {
      pairOf: (b: Step) => this.partner(1, b),
      keyOfA: this.#keys(0),
      keyOfB: this.#keys(1),
    };
    let done = 0;
    for (const lane of indexes[1].tree.lanes) {
      const theirs = stepsB.of(lane.id);
      const twin = twins.ofB.get(lane);
      const mine = twin ? stepsA.of(twin.id) : new Int32Array(0);
      yield* standing(mine, theirs, pairing, (a, b) => {
        partners[b] = a;
      });
      done += mine.length + theirs.length;
      if (done < SLICE) continue;
      done = 0;
      yield;
    }
    return yield* aligning(this.lengths[0], { partners, laneOf: inB });
  }

  /** What events of a trace tell that were not compared: their kinds. */
  #keys(side: SideNumber): (step: Step) => number {
    const { a, b } = this.#comparison;
    const { table } = (side === 0 ? a : b).trace;
    return (step) =>
      this.partner(side, step) >= 0 || this.#differences[side][step]! >= 0 ? -1 : table.kindNumber(step);
  }

  partner(side: SideNumber, step: Step): Step {
    return this.#partners[side][step] ?? -1;
  }

  /** The difference that an event shows. */
  difference(side: SideNumber, step: Step): Difference | undefined {
    return this.#comparison.differences[this.#differences[side][step] ?? -1];
  }

  remark(side: SideNumber, step: Step): string {
    const difference = this.difference(side, step);
    return difference ? differenceText(this.#comparison, difference) : '';
  }

  told(side: SideNumber, step: Step): string {
    const remark = this.remark(side, step);
    const partner = this.partner(side, step);
    if (partner < 0) {
      if (remark !== '') return 'no such event';
      const { a, b } = this.#comparison;
      const why = whyLeftOut(side === 0 ? a : b, step);
      return why === '' ? 'not compared' : `not compared: ${why}`;
    }
    return [`step ${partner}`, remark === '' ? 'the same' : remark].join(', ');
  }
}

/** The number of the lane that each event is in first of all. */
function* lanesOf(index: LaneIndex, length: number): Slices<Int32Array> {
  const lanes = new Int32Array(length);
  for (let step = 0; step < length; step++) {
    lanes[step] = index.laneOf(step)!.id;
    if (step % SLICE === SLICE - 1) yield;
  }
  return lanes;
}

/** The states of one trace after two steps: up to the earlier one both sides are the same. */
export class ComparedSteps implements ComparedParts {
  readonly lengths: Pair<number>;
  readonly #steps: Pair<Step>;
  readonly #rows: readonly StateRow[];

  /** `rows`: what differs between the states after the two steps. */
  constructor(steps: Pair<Step>, rows: readonly StateRow[]) {
    this.#steps = steps;
    this.#rows = rows;
    this.lengths = [steps[0] + 1, steps[1] + 1];
  }

  names(): Pair<string> {
    return [`after step ${this.#steps[0]}`, `after step ${this.#steps[1]}`];
  }

  *lanes([index, same]: Pair<LaneIndex>): Slices<ComparedLanes> {
    const changes = yield* this.#changes(index);
    const twins = pairingWithItself(index);
    const alignment = aligningParts(...this.lengths);
    return yield* comparingLanes({ lanes: [index, same], alignment, twins, events: [], changes });
  }

  partner(side: SideNumber, step: Step): Step {
    return step <= this.#steps[side === 0 ? 1 : 0] ? step : -1;
  }

  remark(side: SideNumber, step: Step): string {
    return this.partner(side, step) < 0 ? `not yet in ${NAMES[side === 0 ? 1 : 0]}` : '';
  }

  told(side: SideNumber, step: Step): string {
    return this.partner(side, step) < 0 ? 'not yet' : 'the same';
  }

  /** The steps between the two at which an object was written that differs, in the lane of the object. */
  *#changes(index: LaneIndex): Slices<LaneChange[]> {
    const [a, b] = this.#steps;
    const side: SideNumber = b > a ? 1 : 0;
    const [first, last] = [Math.min(a, b) + 1, Math.max(a, b)];
    const { world, log } = index.trace;
    const wanted = new Uint8Array(world.cells);
    const lanes = new Map<number, Lane>();
    for (const { object: path } of this.#rows) {
      const object = world.objectAt(path);
      const lane = laneAbout(index, path);
      if (object < 0 || lane === undefined) continue;
      lanes.set(object, lane);
      wanted.fill(1, world.base(object), world.base(object) + world.type(object)!.size);
    }
    const changes: LaneChange[] = [];
    const told = new Map<Lane, Step>();
    for (let from = first; from <= last; from += SLICE) {
      log.scan(from, Math.min(last, from + SLICE - 1), wanted, (step, cell) => {
        const lane = lanes.get(world.objectOfCell(cell));
        if (lane === undefined || told.get(lane) === step) return;
        told.set(lane, step);
        changes.push({ side, step, lane });
      });
      yield;
    }
    return changes;
  }
}

/** The lane of an object, or of the nearest object above it that has one. */
export function laneAbout({ tree }: LaneIndex, path: string): Lane | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const lane = tree.find(path.slice(0, end));
    if (lane) return lane;
  }
  return undefined;
}
