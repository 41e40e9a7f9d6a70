import type { CellId, ObjectId, Step } from '../../base/ids.ts';
import type { ObjectType } from '../../model/objects.ts';
import { typeOfPath } from '../../model/paths.ts';
import { PRESENT, State } from '../../model/state.ts';
import { device } from '../../model/things/pci.ts';
import type { Trace } from '../../trace/trace.ts';
import { type LayerSpec, layerValue } from '../presentation/layer.ts';
import { presentationOf, presentations } from '../presentation/types.ts';
import { type LaneTree, setLayer } from './tree.ts';

/** The cell is kept in the state: a layer reads it. */
const KEPT = 1;
/** Layers of its own object depend on it. */
const OWN = 2;
/** Layers of other objects depend on it. */
const FOREIGN = 4;
/** It tells where the MSI capability of a function lies. */
const MSI_AT = 8;

/** The types whose cells are read by layers without a list of cells: their own type, and the types of the objects that they name. */
const readByLayers: ReadonlySet<ObjectType> = new Set(
  [...presentations].flatMap(([type, { layers = [] }]) => {
    const unlisted = layers.filter((spec) => spec.value && spec.cells === undefined);
    return unlisted.flatMap((spec) => [type, ...(spec.reads ?? [])]);
  }),
);

/** The cells that the layers of a type list; undefined when it has no layers with values. */
function cellsOfLayers(type: ObjectType): readonly number[] | undefined {
  const specs = (presentationOf(type).layers ?? []).filter((spec) => spec.value);
  return specs.length === 0 ? undefined : specs.flatMap((spec) => spec.cells ?? []);
}

/**
 * Updates the layers of lanes when cells change that the layers read. It reads only changes of such cells from the
 * change log of the trace.
 */
export class LayerValues {
  readonly #trace: Trace;
  readonly #tree: LaneTree;
  /** Holds only the cells that layers read. */
  readonly #state: State;
  #flags = new Uint8Array(0);
  #objects = 0;
  readonly #types = new Map<ObjectType, readonly number[] | undefined>();
  readonly #readers = new Map<CellId, Set<ObjectId>>();
  /** Objects with layers whose reads were recorded: they may have missed an object that came into the world later. */
  readonly #recordedOf = new Set<ObjectId>();
  /** Objects to look at when the event at hand is complete. */
  #stale = new Set<ObjectId>();
  #step = -1;
  /** Where the MSI capability of each function lies, from which step on. */
  readonly #msiAt = new Map<ObjectId, { readonly step: Step; readonly at: number }[]>();

  constructor(trace: Trace, tree: LaneTree) {
    this.#trace = trace;
    this.#tree = tree;
    this.#state = new State(trace.world);
  }

  /** Takes the changes of the events `from` to `to`, both included. */
  advance(from: number, to: number): void {
    this.#grow();
    this.#refresh();
    const { log, world } = this.#trace;
    const flags = this.#flags;
    log.scan(from, to, flags, (step, cell, value, known) => {
      if (step !== this.#step) this.#refresh();
      this.#step = step;
      this.#state.restore(cell, value, known);
      const flag = flags[cell]!;
      if ((flag & OWN) !== 0) this.#mark(world.objectOfCell(cell));
      if ((flag & MSI_AT) !== 0) this.#noteMsi(world.objectOfCell(cell), step, known === 0 ? -1 : value);
      if ((flag & FOREIGN) !== 0) for (const reader of this.#readers.get(cell) ?? []) this.#mark(reader);
    });
    this.#refresh();
  }

  /** Config offset of the MSI capability of a function after a step that was taken; -1 unknown. */
  msiAt(dev: ObjectId, step: Step): number {
    return this.#msiAt.get(dev)?.findLast((place) => place.step <= step)?.at ?? -1;
  }

  #noteMsi(dev: ObjectId, step: Step, at: number): void {
    const places = this.#msiAt.get(dev);
    if (places) places.push({ step, at });
    else this.#msiAt.set(dev, [{ step, at }]);
  }

  #mark(object: ObjectId): void {
    this.#stale.add(object);
  }

  /** Flags the cells of objects that are new in the world. */
  #grow(): void {
    const { world } = this.#trace;
    if (world.cells > this.#flags.length) {
      const wider = new Uint8Array(Math.max(world.cells, this.#flags.length * 2));
      wider.set(this.#flags);
      this.#flags = wider;
    }
    if (this.#objects < world.objects) for (const object of this.#recordedOf) this.#mark(object);
    for (; this.#objects < world.objects; this.#objects++) {
      const type = world.type(this.#objects)!;
      const base = world.base(this.#objects);
      if (readByLayers.has(type)) this.#flags.fill(KEPT, base, base + type.size);
      if (type === device) this.#flags[base + device.at.msiAt]! |= MSI_AT;
      const cells = this.#cellsOf(typeOfPath(world.path(this.#objects)));
      if (cells === undefined) continue;
      this.#flags[base + PRESENT]! |= KEPT | OWN;
      for (const cell of cells) this.#flags[base + cell]! |= KEPT | OWN;
    }
  }

  #cellsOf(type: ObjectType): readonly number[] | undefined {
    if (!this.#types.has(type)) this.#types.set(type, cellsOfLayers(type));
    return this.#types.get(type);
  }

  /** Sets the layers of the objects that the last event touched. */
  #refresh(): void {
    const step = this.#step;
    if (this.#stale.size === 0) return;
    const stale = this.#stale;
    this.#stale = new Set();
    for (const object of stale) {
      if (!(this.#tree.has(object) || this.#state.present(object))) continue;
      for (const layer of this.#tree.laneOf(object).set) {
        const { spec } = layer;
        if (!spec.value) continue;
        const value = spec.cells === undefined ? this.#recorded(spec, object) : layerValue(spec, this.#state, object);
        setLayer(layer, step, value);
      }
    }
  }

  /** The value of a layer. It records which cells the layer reads, so that their changes update the layer. */
  #recorded(spec: LayerSpec, object: ObjectId): number {
    this.#recordedOf.add(object);
    const cells = new Set<CellId>();
    const value = layerValue(spec, this.#state.reading(cells), object);
    const { world } = this.#trace;
    const base = world.base(object);
    const end = base + world.type(object)!.size;
    for (const cell of cells) {
      if (cell >= base && cell < end) {
        this.#flags[cell]! |= OWN;
        continue;
      }
      this.#flags[cell]! |= FOREIGN;
      const known = this.#readers.get(cell);
      if (known) known.add(object);
      else this.#readers.set(cell, new Set([object]));
    }
    return value;
  }
}
