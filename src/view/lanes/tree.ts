import type { ObjectId, Step } from '../../base/ids.ts';
import { typeOfPath } from '../../model/paths.ts';
import type { State } from '../../model/state.ts';
import { mention } from '../../model/things/pci.ts';
import type { World } from '../../model/world.ts';
import { compareSegments } from '../../query/paths.ts';
import { titleBelow } from '../presentation/groups.ts';
import type { LayerSpec } from '../presentation/layer.ts';
import { sectionRank, sectionTitle } from '../presentation/sections.ts';
import { presentationOf } from '../presentation/types.ts';
import type { DrawnLane, DrawnLayer } from './drawn.ts';
import { type List, u8List, u32List } from './list.ts';
import { ABSENT, ON } from './values.ts';

/** A property of a lane over time: the steps after which it has another value. */
export class Layer implements DrawnLayer {
  readonly spec: LayerSpec;
  readonly steps: List<Uint32Array> = u32List();
  readonly values: List<Uint8Array> = u8List();
  /** Whether it was ever on. */
  everOn = false;

  constructor(spec: LayerSpec) {
    this.spec = spec;
  }
}

/** Index of the last change of a layer at or before a step, or -1. */
export const changeAt = ({ steps }: DrawnLayer, step: Step): number => steps.indexFrom(step + 1) - 1;

/** Notes that a layer has a value after a step. */
export function setLayer(layer: Layer | undefined, step: Step, value: number): void {
  if (layer === undefined) return;
  const { steps, values } = layer;
  const last = values.length - 1;
  if (value === (last < 0 ? ABSENT : values.at(last))) return;
  if (value === ON) layer.everOn = true;
  if (last >= 0 && steps.at(last) === step) {
    values.data[last] = value;
    return;
  }
  steps.push(step);
  values.push(value);
}

/** One row of a timeline: the events about one object, and its layers. Groups are lanes too, some without events. */
export class Lane implements DrawnLane {
  /** Number of the lane; it stays the same while the trace grows. */
  readonly id: number;
  readonly path: string;
  /** Its object; -1 for groups, and until the trace names the object itself. */
  object: ObjectId;
  readonly parent: Lane | undefined;
  /** The lane that gets all of its events too: the CPU of a vector. */
  readonly owner: Lane | undefined;
  readonly children: Lane[] = [];
  readonly #steps: List<Uint32Array> = u32List();
  readonly #marks: List<Uint8Array> = u8List();
  readonly #layers: readonly Layer[];
  readonly #filler: LaneFiller;

  constructor(id: number, path: string, parent: Lane | undefined, specs: readonly LayerSpec[], filler: LaneFiller) {
    this.#filler = filler;
    this.id = id;
    this.path = path;
    this.object = -1;
    this.parent = parent;
    this.owner = OWNERS.test(path) ? parent : undefined;
    this.#layers = specs.map((spec) => new Layer(spec));
    parent?.children.push(this);
  }

  /** How many events it has. */
  get count(): number {
    return this.#filler.count(this);
  }

  /** Steps of its events, ascending. */
  get steps(): List<Uint32Array> {
    this.#filler.fill(this, this.#steps, this.#marks);
    return this.#steps;
  }

  /** The mark of each of its events. */
  get marks(): List<Uint8Array> {
    this.#filler.fill(this, this.#steps, this.#marks);
    return this.#marks;
  }

  /** Its layers, those of handlers included. */
  get layers(): readonly Layer[] {
    this.#filler.fill(this, this.#steps, this.#marks);
    return this.#layers;
  }

  /** Its layers as far as they were set: those of handlers follow when the lane is looked at. */
  get set(): readonly Layer[] {
    return this.#layers;
  }

  /** The layer of a spec. */
  layer(spec: LayerSpec): Layer | undefined {
    return this.layers.find((layer) => layer.spec === spec);
  }

  /** Whether there is anything to show here or below: an event, or a pending bit that was set. */
  get visible(): boolean {
    const waited = this.#layers.some((layer) => layer.everOn && layer.spec.style === 'pending');
    return waited || this.count > 0 || this.children.some((child) => child.visible);
  }
}

/** Gives a lane its events when it is looked at. */
export interface LaneFiller {
  count(lane: Lane): number;
  fill(lane: Lane, steps: List<Uint32Array>, marks: List<Uint8Array>): void;
}

/** Lanes whose parent gets their events too. */
const OWNERS = /^(?:[^:/]+:)?v?cpu\/[^/]+\/./;

const NOTES = 'notes';
/** A lane in the list: its place and its name. */
export interface LaneInfo {
  readonly id: number;
  /** Number of the lane above it in the tree, or -1. */
  readonly parent: number;
  readonly path: string;
  readonly label: string;
  /** Name of the device, action or vector, where the trace tells it. */
  readonly detail: string;
  /** Its own events. */
  readonly events: number;
  readonly layers: readonly LayerSpec[];
}

/** All lanes of a trace, as a tree that follows the object paths. Lanes are made when they are first asked for. */
export class LaneTree {
  readonly #world: World;
  readonly #byObject: (Lane | undefined)[] = [];
  readonly #byPath = new Map<string, Lane>();
  readonly lanes: Lane[] = [];

  readonly #filler: LaneFiller;

  constructor(world: World, filler: LaneFiller) {
    this.#world = world;
    this.#filler = filler;
  }

  /** Whether an object has a lane. */
  has(object: ObjectId): boolean {
    return this.#byObject[object] !== undefined;
  }

  /** The lane of an object. */
  laneOf(object: ObjectId): Lane {
    const known = this.#byObject[object];
    if (known) return known;
    const lane = this.at(this.#world.path(object));
    lane.object = object;
    this.#byObject[object] = lane;
    return lane;
  }

  /** The lane with that path, if there is one. */
  find(path: string): Lane | undefined {
    return this.#byPath.get(path);
  }

  /** The lane of marks, messages and gaps. */
  notes(): Lane {
    return this.at(NOTES);
  }

  /** The lane with that path; it and the lanes above it are made when they are new. */
  at(path: string): Lane {
    const known = this.#byPath.get(path);
    if (known) return known;
    const parent = this.#parentOf(path);
    const lane = new Lane(this.lanes.length, path, parent, presentationOf(typeOfPath(path)).layers ?? [], this.#filler);
    this.lanes.push(lane);
    this.#byPath.set(path, lane);
    return lane;
  }

  /** The nearest object above a path that has a state of its own, else its section. */
  #parentOf(path: string): Lane | undefined {
    const segments = path.split('/');
    for (let n = segments.length - 1; n > 1; n--) {
      const above = segments.slice(0, n).join('/');
      if (typeOfPath(above) !== mention) return this.at(above);
    }
    return segments.length === 1 ? undefined : this.at(segments[0]!);
  }

  /** The lanes that have anything to show, in display order, each after the lane above it in the tree. */
  list(state: State): LaneInfo[] {
    const out: LaneInfo[] = [];
    const walk = (lane: Lane): void => {
      if (!lane.visible) return;
      out.push(this.info(lane, state));
      for (const child of [...lane.children].sort(compareLanes)) walk(child);
    };
    const top = this.lanes.filter((lane) => lane.parent === undefined);
    for (const lane of top.sort(compareLanes)) walk(lane);
    return out;
  }

  /** A lane as it is listed. */
  info(lane: Lane, state: State): LaneInfo {
    return {
      id: lane.id,
      parent: lane.parent?.id ?? -1,
      path: lane.path,
      label: labelOf(lane),
      detail: detailOf(lane, this.#world, state),
      events: lane.count,
      layers: lane.set.map((layer) => layer.spec),
    };
  }
}

/** The display order of two lanes of the same parent, or of two that have none. */
export function compareLanes(a: Lane, b: Lane): number {
  const top = a.parent === undefined && b.parent === undefined;
  return (top ? rankOf(a) - rankOf(b) : 0) || byPath(a, b);
}

function byPath(a: Lane, b: Lane): number {
  const left = a.path.split('/');
  const right = b.path.split('/');
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareSegments(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** The notes come last. */
const rankOf = ({ path }: Lane): number => (path === NOTES ? Number.POSITIVE_INFINITY : sectionRank(path));

function labelOf({ path, parent }: Lane): string {
  if (path === NOTES) return 'Notes and gaps';
  return parent === undefined ? sectionTitle(path) : titleBelow(path, parent.path);
}

/** Name of the object of a lane, where the trace tells it, or what else tells it apart. */
function detailOf({ object }: Lane, world: World, state: State): string {
  const { name, detail } = presentationOf(world.type(object) ?? mention);
  if (name !== undefined) return state.text(object, name);
  return detail?.(state, object) ?? '';
}
