import type { ObjectId } from '../../base/ids.ts';
import { eachOf, mapOf, type Slices, whole } from '../../base/slices.ts';
import type { PathNode, World } from '../../model/world.ts';
import { type Interrupt, identityOf } from '../../query/interrupts/list.ts';
import type { Joined } from '../../query/interrupts/row.ts';
import { sharedDomain } from '../narrow.ts';
import { type InterruptText, interruptText } from './text.ts';

/** A row of the view Interrupts: an interrupt, an object that is joined in it, or the one row for those never used. */
export interface InterruptNode {
  readonly id: string;
  readonly role: 'interrupt' | 'object' | 'never';
  /** Commands take such a row as the object at `path`, as they do rows of the other trees. */
  readonly kind: 'node';
  readonly node: PathNode;
  readonly path: string;
  readonly parent: InterruptNode | undefined;
  readonly text: InterruptText;
  /** The interrupt of the row, or of the row above an object. */
  readonly interrupt: Interrupt | undefined;
  readonly below: readonly InterruptNode[];
}

/** The objects of an interrupt with what they are to it, from the device to the guest. */
const PARTS: readonly (readonly [part: keyof Joined, what: string, icon: string])[] = [
  ['entry', 'entry', 'circuit-board'],
  ['guestEntry', 'entry of the guest', 'circuit-board'],
  ['irq', 'irq', 'pulse'],
  ['domain', 'domain', 'type-hierarchy'],
  ['translation', 'translation', 'arrow-swap'],
  ['cpu', 'CPU', 'chip'],
  ['vector', 'vector', 'symbol-number'],
  ['previous', 'vector before the move', 'symbol-number'],
  ['vfio', 'VFIO', 'plug'],
  ['guestVfio', 'VFIO in the log of the guest', 'plug'],
  ['route', 'route', 'symbol-number'],
  ['irqfd', 'irqfd', 'plug'],
  ['line', 'line', 'symbol-number'],
  ['vcpu', 'virtual CPU', 'chip'],
  ['vcpuVector', 'vector of the virtual CPU', 'symbol-number'],
  ['guestIrq', 'irq of the guest', 'pulse'],
];

const NEVER = 'never used';

/** Rows of a list of interrupts. `open`: those never used stand in the list, not in a row of their own. */
export const interruptRows = (world: World, list: readonly Interrupt[], open: boolean): InterruptNode[] =>
  whole(makingRows(world, list, open));

/** The same in slices. */
export function* makingRows(world: World, list: readonly Interrupt[], open: boolean): Slices<InterruptNode[]> {
  const used = open ? list : list.filter(({ neverUsed }) => !neverUsed);
  const rows = yield* mapOf(used, (interrupt) => interruptRow(world, interrupt, undefined));
  const never = list.length - used.length;
  if (never === 0) return rows;
  const below: InterruptNode[] = [];
  const row: InterruptNode = {
    id: NEVER,
    role: 'never',
    kind: 'node',
    node: world.root,
    path: '',
    parent: undefined,
    text: {
      label: `${never} ${NEVER}`,
      description: '',
      icon: 'circle-slash',
      color: undefined,
      spoken: `${never} ${NEVER}`,
    },
    interrupt: undefined,
    below,
  };
  yield* eachOf(list, (interrupt) => {
    if (interrupt.neverUsed) below.push(interruptRow(world, interrupt, row));
  });
  return [...rows, row];
}

function interruptRow(world: World, interrupt: Interrupt, parent: InterruptNode | undefined): InterruptNode {
  const id = identityOf(interrupt);
  let below: readonly InterruptNode[] | undefined;
  const row: InterruptNode = {
    id,
    role: 'interrupt',
    kind: 'node',
    node: world.find(id) ?? world.root,
    path: id,
    parent,
    text: interruptText(interrupt, sharedDomain(world)),
    interrupt,
    // Few are opened.
    get below() {
      return (below ??= objectRows(world, interrupt, row));
    },
  };
  return row;
}

function objectRows(world: World, interrupt: Interrupt, parent: InterruptNode): InterruptNode[] {
  const seen = new Set<ObjectId>();
  return PARTS.flatMap(([part, what, icon]) => {
    const object = interrupt.joined[part];
    const node = object < 0 || seen.has(object) ? undefined : world.node(object);
    if (node === undefined) return [];
    seen.add(object);
    const { path } = node;
    const text = { label: what, description: path, icon, color: undefined, spoken: `${what}, ${path}` };
    const id = `${parent.id} ${part}`;
    return [{ id, role: 'object', kind: 'node', node, path, parent, text, interrupt, below: [] } as const];
  });
}

/** Whether two rows look the same and have the same objects. */
export function sameRow(a: InterruptNode, b: InterruptNode): boolean {
  if (a.id !== b.id || a.text.label !== b.text.label || a.text.description !== b.text.description) return false;
  if (a.text.icon !== b.text.icon || a.text.color !== b.text.color) return false;
  const [x, y] = [a.interrupt?.joined, b.interrupt?.joined];
  return PARTS.every(([part]) => x?.[part] === y?.[part]);
}

/** Rows of a list, and how they differ from those that were there before. */
export interface InterruptList {
  readonly rows: readonly InterruptNode[];
  /** All rows but those of objects, by their ids. */
  readonly byId: ReadonlyMap<string, InterruptNode>;
  /** How many stand for an interrupt that was used. */
  readonly used: number;
  /** Other rows than before, or another order. */
  readonly moved: boolean;
  /** Rows that look different now, or have other rows below them. */
  readonly changed: readonly InterruptNode[];
}

/** Compares rows with those that were there before, in slices. */
export function* comparedRows(
  before: readonly InterruptNode[],
  known: ReadonlyMap<string, InterruptNode>,
  rows: readonly InterruptNode[],
): Slices<InterruptList> {
  const byId = new Map<string, InterruptNode>();
  const changed: InterruptNode[] = [];
  let used = 0;
  let moved = before.length !== rows.length;
  yield* eachOf(rows, (row, i) => {
    byId.set(row.id, row);
    if (row.role === 'interrupt') used++;
    moved ||= before[i]!.id !== row.id;
    const old = known.get(row.id);
    if (old === undefined || !sameRow(old, row) || (row.role === 'never' && !sameIds(old.below, row.below)))
      changed.push(row);
  });
  const never = rows.at(-1)?.role === 'never' ? rows.at(-1)!.below : [];
  yield* eachOf(never, (row) => byId.set(row.id, row));
  return { rows, byId, used, moved, changed };
}

const sameIds = (a: readonly InterruptNode[], b: readonly InterruptNode[]): boolean =>
  a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);
