import type { State } from '../../model/state.ts';
import type { PathNode, World } from '../../model/world.ts';
import type { ChangeKind, ObjectChange } from '../../query/changes.ts';
import type { Job } from '../../query/jobs.ts';
import type { Trace } from '../../trace/trace.ts';

/** The three outlines: irq domains with everything behind them, PCI functions, processors. */
export type OutlineName = 'domains' | 'devices' | 'cpus';

/** Their names, in the order in which they are shown. */
export const OUTLINES: readonly OutlineName[] = ['domains', 'devices', 'cpus'];

/** What an outline shows: the state at the cursor and what the step there changed. A session is one. */
export interface Moment {
  readonly trace: Trace;
  /** Step of the cursor, -1 before the first event. */
  readonly cursor: number;
  readonly state: State;
  readonly before: State;
  readonly changes: readonly ObjectChange[];
  readonly onlyChanged: boolean;
}

/**
 * One row of an outline. `node`: an object, or a node that only groups some; `range`: a run of entries of a long table;
 * `key`: a key of an object; `field`: a field of such a key; `job`: who does one of the four jobs for an irq. A row is the same object as long as its outline lives.
 */
export interface Row {
  /** Unique and stable in its outline; the ids of the rows above it are its beginnings. */
  readonly id: string;
  readonly kind: 'node' | 'range' | 'key' | 'field' | 'job';
  readonly parent: Row | undefined;
  /** The node that the row (or the object whose key it is) stands for; for a range the table. */
  readonly node: PathNode;
  readonly key?: string;
  readonly field?: string;
  readonly job?: Job;
  /** Range: the first number that belongs to it. */
  readonly from?: number;
  /** Object path that commands take, with key and field. */
  readonly path: string;
}

/** What a row shows. */
export interface RowText {
  readonly label: string;
  /** Start and end of the part of the label that the current step changed. */
  readonly highlight?: readonly [number, number];
  readonly description: string;
  /** What the current step did to it. */
  readonly mark?: ChangeKind;
  readonly collapsible: boolean;
  /** Name of a codicon, or the empty text. */
  readonly icon: string;
  /** The row as a screen reader says it. */
  readonly spoken: string;
}

/** Entries of one table that are listed without ranges, and the size of a range. */
const LONGEST = 512;
const RANGE = 256;

/** Whether the children of a node are cut into ranges. */
export function ranged(node: PathNode): boolean {
  if (node.children.size <= LONGEST) return false;
  for (const child of node.children.values()) return !Number.isNaN(Number(child.segment));
  return false;
}

/** The first number of the range that a child belongs to. */
export const rangeOf = (child: PathNode): number => Math.floor(Number(child.segment) / RANGE) * RANGE;

/** Label of a range. */
export const rangeLabel = (from: number): string => `[${from} … ${from + RANGE - 1}]`;

/** Nodes whose children are shown in their place. */
const INLINE = new Set(['vector', 'intid', 'event', 'pin', 'spi', 'stream', 'ioas', 'map']);

/** Whether the children of a node are listed directly below the row of its parent. */
export function inlined(node: PathNode): boolean {
  if (INLINE.has(node.segment)) return node.parent?.parent !== undefined;
  return node.segment === 'msix' && node.parent?.parent?.path === 'table';
}

/** Top-level nodes whose children are the rows of an outline, in order. */
export const ROOTS: Readonly<Record<OutlineName, readonly string[]>> = {
  domains: ['domain', 'irte', 'its', 'smmu', 'gic', 'ioapic', 'ntb', 'kvm', 'vfio', 'iommufd', 'hypervisor', 'guest'],
  devices: ['device'],
  cpus: ['cpu', 'vcpu'],
};

/** Top-level nodes that have a row of their own: the irqs below the vector domain, the tables below the devices. */
export const GROUPED: Readonly<Record<OutlineName, string | undefined>> = {
  domains: 'irq',
  devices: 'table',
  cpus: undefined,
};

/** All top-level nodes that an outline shows something of. */
export function rootsOf(name: OutlineName): readonly string[] {
  const grouped = GROUPED[name];
  return grouped === undefined ? ROOTS[name] : [...ROOTS[name], grouped];
}

/** The outline in which a path is shown. */
export function outlineOf(path: string): OutlineName {
  const root = path.slice(0, path.indexOf('/') < 0 ? undefined : path.indexOf('/'));
  for (const name of ['devices', 'cpus'] as const) if (rootsOf(name).includes(root)) return name;
  return 'domains';
}

/** The node of the vector domain, under which the irqs are shown when there is one. */
export const vectorDomainNode = (world: World): PathNode | undefined => {
  const node = world.find('domain/VECTOR');
  return node && node.object >= 0 ? node : undefined;
};
