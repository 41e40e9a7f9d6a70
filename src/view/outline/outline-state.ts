import type { State } from '../../model/state.ts';
import { vector } from '../../model/things/irq.ts';
import type { PathNode } from '../../model/world.ts';
import type { ChangeKind, ObjectChange } from '../../query/changes.ts';
import { keyValue } from '../../query/view.ts';
import { computedFields, registerField } from '../values.ts';
import type { OutlineSource } from './rows.ts';

/** What outlines show at a step: what is there, and what the step did. */
export class OutlineState {
  readonly state: State;
  readonly before: State;
  readonly onlyChanged: boolean;
  readonly changes: readonly ObjectChange[];
  readonly #byObject = new Map<number, ObjectChange>();
  /** Nodes with a change in them or below. */
  readonly #touched = new Set<PathNode>();

  constructor(source: OutlineSource) {
    this.state = source.state;
    this.before = source.before;
    this.onlyChanged = source.onlyChanged;
    this.changes = source.changes;
    for (const change of source.changes) {
      this.#byObject.set(change.object, change);
      for (let node = this.state.world.node(change.object); node && !this.#touched.has(node); node = node.parent)
        this.#touched.add(node);
    }
  }

  /** Whether this is what a source holds right now. */
  isOf(source: OutlineSource): boolean {
    return this.state === source.state && this.before === source.before && this.onlyChanged === source.onlyChanged;
  }

  /** The object at a node exists, or did before this step. */
  presents(node: PathNode): boolean {
    return this.state.present(node.object) || this.mark(node) === 'D';
  }

  /** The state in which to look at a node: the one before, for what this step took away. */
  stateFor(node: PathNode): State {
    return this.state.present(node.object) || !this.before.present(node.object) ? this.state : this.before;
  }

  /** What this step did to the object at a node. */
  mark(node: PathNode): ChangeKind | undefined {
    return this.#byObject.get(node.object)?.kind;
  }

  /** What this step did to a key of it. */
  keyMark(node: PathNode, key: string): ChangeKind | undefined {
    const change = this.#byObject.get(node.object);
    if (!change?.keys.some((k) => k.key === key)) return undefined;
    return change.kind;
  }

  /** What this step did to a field of a key. */
  fieldMark(node: PathNode, key: string, field: string): ChangeKind | undefined {
    const mark = this.keyMark(node, key);
    if (mark === undefined) return undefined;
    return this.fieldOf(this.before, node, key, field) === this.fieldOf(this.state, node, key, field)
      ? undefined
      : mark;
  }

  /** The value of a field of a register or of a computed key. */
  fieldOf(state: State, node: PathNode, key: string, field: string): boolean | number | string | null {
    if (!state.present(node.object)) return null;
    const value = registerField(state, node.object, key, field);
    if (value !== undefined) return value;
    return computedFields(keyValue(state, node.object, key))?.[field] ?? null;
  }

  /** Whether there is something to show at a node or below it. */
  shows(node: PathNode): boolean {
    return this.onlyChanged ? this.#touched.has(node) : this.#exists(node);
  }

  #exists(node: PathNode): boolean {
    if (this.presents(node) && !this.#isFree(node)) return true;
    for (const child of node.children.values()) if (this.#exists(child)) return true;
    return false;
  }

  /** An unused vector that this step did not touch gets no row. */
  #isFree(node: PathNode): boolean {
    const { state } = this;
    if (state.world.type(node.object) !== vector || this.#byObject.has(node.object)) return false;
    if (state.flag(node.object, vector.at.allocated) === true) return false;
    return state.num(node.object, vector.at.irq) < 0 && state.num(node.object, vector.at.name) < 0;
  }
}
