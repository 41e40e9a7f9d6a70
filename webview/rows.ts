import type { LaneMessage } from '../src/protocol/timeline.ts';
import { wordsOf } from '../src/view/query-text.ts';

/** A lane that is on display. */
export interface ShownRow {
  readonly lane: LaneMessage;
  /** 0 for the topmost. */
  readonly level: number;
  /** Whether there are lanes below it; the others cannot be opened or closed. */
  readonly branch: boolean;
  readonly open: boolean;
  /** Shows the events of all lanes below it too. */
  readonly deep: boolean;
  /** Place among the rows of the same parent, from 1, and their number. */
  readonly position: number;
  readonly siblings: number;
  /** It belongs to the row above it, which shows the same of trace A. */
  readonly twin: boolean;
  /** It stands for both traces of a comparison: an open group of both that has no events of its own. */
  readonly both: boolean;
}

/** The name of a lane; in a comparison with the letter of its trace. */
export const nameOf = ({ side, label }: LaneMessage): string =>
  side === '' ? label : `${side.toUpperCase()} ${label}`;

/** Whether a lane has nothing of its own to draw. */
const isBare = ({ events, layers }: LaneMessage): boolean => events === 0 && layers.length === 0;

/** Lanes that begin closed: all that lie deeper than the functions of the PCI bus. */
function beginsOpen(lane: LaneMessage): boolean {
  const depth = lane.path.split('/').length;
  return depth === 1 || (depth === 2 && lane.path.startsWith('device/'));
}

/** All of some words, in small letters, occur in the lane's name or path. */
export function matches(lane: LaneMessage, words: readonly string[]): boolean {
  const text = `${lane.label} ${lane.detail} ${lane.path}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The lanes of a trace, which of them are open, and which the filter leaves; from these the rows on display. */
export class Rows {
  #lanes: readonly LaneMessage[] = [];
  #children = new Map<number, LaneMessage[]>();
  #byId = new Map<number, LaneMessage>();
  /** The lane of trace B for the same thing as a lane of A, by the number of the latter. */
  #twins = new Map<number, LaneMessage>();
  #rows: ShownRow[] = [];
  #index = new Map<number, number>();
  #filter = '';
  #words: readonly string[] = [];
  /** The only lanes that are shown, with those above them; undefined for all. */
  #only: ReadonlySet<number> | undefined;
  /** Paths that the user opened or closed. */
  readonly turned = new Map<string, boolean>();

  get rows(): readonly ShownRow[] {
    return this.#rows;
  }

  get lanes(): readonly LaneMessage[] {
    return this.#lanes;
  }

  get filter(): string {
    return this.#filter;
  }

  /** Index of a lane's row, or -1 when it is not on display. */
  indexOf(lane: number): number {
    return this.#index.get(lane) ?? -1;
  }

  /** The lane with that path, in a comparison that of a trace. */
  byPath(path: string, side?: LaneMessage['side']): LaneMessage | undefined {
    return this.#lanes.find((lane) => lane.path === path && (side === undefined || lane.side === side));
  }

  /** The lane with that number. */
  byId(id: number): LaneMessage | undefined {
    return this.#byId.get(id);
  }

  setLanes(lanes: readonly LaneMessage[]): void {
    this.#lanes = lanes;
    this.#children = new Map();
    this.#byId = new Map(lanes.map((lane) => [lane.id, lane]));
    this.#twins = new Map(lanes.flatMap((lane) => (lane.twin < 0 ? [] : [[lane.twin, lane] as const])));
    for (const lane of lanes) {
      // What lies below two lanes for the same thing hangs from the first of them.
      if (lane.twin >= 0) continue;
      const siblings = this.#children.get(lane.parent);
      if (siblings) siblings.push(lane);
      else this.#children.set(lane.parent, [lane]);
    }
    this.#arrange();
  }

  setFilter(filter: string): void {
    this.#filter = filter.trim();
    this.#words = wordsOf(filter);
    this.#arrange();
  }

  /** Shows only some lanes and those above them, of those that the words leave; all with undefined. */
  setOnly(lanes: ReadonlySet<number> | undefined): void {
    if (lanes === this.#only) return;
    this.#only = lanes;
    this.#arrange();
  }

  /** Opens or closes a lane. */
  turn(lane: LaneMessage, open: boolean): void {
    this.turned.set(this.#headOf(lane).path, open);
    this.#arrange();
  }

  /** Opens or closes all lanes. */
  turnAll(open: boolean): void {
    for (const lane of this.#lanes) if (this.#children.has(lane.id)) this.turned.set(lane.path, open);
    this.#arrange();
  }

  /** Paths of the lanes that are shown while nothing is looked for, in order; undefined while the user has turned none. */
  get layout(): string[] | undefined {
    if (this.turned.size === 0) return undefined;
    const paths: string[] = [];
    const walk = (parent: number): void => {
      for (const lane of this.#children.get(parent) ?? []) {
        paths.push(lane.path);
        if (this.isOpen(lane)) walk(lane.id);
      }
    };
    walk(-1);
    return paths;
  }

  /** Arranges the lanes so that those with these paths are shown. Lanes that the arrangement does not know stay as they are. */
  arrangeLike(paths: readonly string[]): void {
    const shown = new Set(paths);
    for (const lane of this.#lanes) {
      const below = this.#children.get(lane.id);
      if (below === undefined) continue;
      const open = below.some(({ path }) => shown.has(path));
      if (open || shown.has(lane.path)) this.turned.set(lane.path, open);
    }
    this.#arrange();
  }

  /** Opens the rows that hide a lane. */
  reveal(lane: LaneMessage): void {
    let changed = false;
    for (let above = this.byId(lane.parent); above; above = this.byId(above.parent)) {
      if (this.isOpen(above)) continue;
      this.turned.set(above.path, true);
      changed = true;
    }
    if (changed) this.#arrange();
  }

  /** The number of the lane above a lane, of the same trace where there is one; -1 for none. */
  above(id: number): number {
    const lane = this.#byId.get(id);
    if (lane === undefined) return -1;
    const twin = lane.side === 'b' ? this.#twins.get(lane.parent) : undefined;
    return twin?.id ?? lane.parent;
  }

  /** The lane that opens and closes with a lane: that of trace A for the same thing, where there is one. */
  #headOf(lane: LaneMessage): LaneMessage {
    return lane.twin < 0 ? lane : (this.#byId.get(lane.twin) ?? lane);
  }

  isOpen(lane: LaneMessage): boolean {
    return this.turned.get(lane.path) ?? beginsOpen(lane);
  }

  #arrange(): void {
    const filtered = this.#words.length > 0;
    const kept = filtered || this.#only ? this.#kept() : undefined;
    const rows: ShownRow[] = [];
    const walk = (parent: number, level: number): void => {
      const lanes = (this.#children.get(parent) ?? []).filter((lane) => kept?.has(lane.id) ?? true);
      const groups = lanes.map((lane) => this.#group(lane, kept));
      const siblings = groups.reduce((sum, { both, twin }) => sum + (twin && !both ? 2 : 1), 0);
      let position = 0;
      for (const { lane, twin, branch, open, both } of groups) {
        const row = { level, branch, open, deep: branch && !open, both, siblings };
        rows.push({ ...row, lane, twin: false, position: ++position });
        if (twin && !both) rows.push({ ...row, lane: twin, twin: true, position: ++position });
        if (open) walk(lane.id, level + 1);
      }
    };
    walk(-1, 0);
    this.#rows = rows;
    this.#index = new Map(rows.map((row, i) => [row.lane.id, i]));
  }

  /** A lane with its twin, and whether the two are open. `kept`: the lanes that the filter leaves, if there is one. */
  #group(lane: LaneMessage, kept: ReadonlySet<number> | undefined) {
    const below = this.#children.get(lane.id) ?? [];
    const twin = this.#twins.get(lane.id);
    const branch = below.length > 0;
    // A filter opens what it found something in; what matches itself keeps its own state.
    const holds = this.#words.length > 0 && below.some((child) => kept!.has(child.id));
    const open = branch && (holds && !this.#matches(lane) ? true : this.isOpen(lane));
    const both = open && twin !== undefined && isBare(lane) && isBare(twin);
    return { lane, twin, branch, open, both };
  }

  /** Whether the words are in the name or path of a lane, or of its twin: both are shown together. */
  #matches(lane: LaneMessage): boolean {
    const twin = this.#twins.get(lane.id);
    return matches(lane, this.#words) || (twin !== undefined && matches(twin, this.#words));
  }

  #isOneOf(lanes: ReadonlySet<number>, lane: LaneMessage): boolean {
    const twin = this.#twins.get(lane.id);
    return lanes.has(lane.id) || (twin !== undefined && lanes.has(twin.id));
  }

  /** What the filter leaves: lanes that match, all above them, and all below them; of these, where only some lanes are shown, those and all above them. */
  #kept(): Set<number> {
    const kept = new Set<number>();
    const walk = (parent: number, all: boolean): boolean => {
      let some = false;
      for (const lane of this.#children.get(parent) ?? []) {
        const fits = all || this.#matches(lane);
        const mine = fits && (this.#only === undefined || this.#isOneOf(this.#only, lane));
        const below = walk(lane.id, fits);
        if (mine || below) kept.add(lane.id);
        some ||= mine || below;
      }
      return some;
    };
    walk(-1, false);
    return kept;
  }
}
