import type { Step } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import type { PathNode, World } from '../../model/world.ts';
import type { ChangeKind, ObjectChange } from '../../query/changes.ts';
import type { Job } from '../../query/jobs.ts';
import type { Trace } from '../../trace/trace.ts';
import { groupAt } from '../presentation/groups.ts';
import { type OutlineName, sectionOf } from '../presentation/sections.ts';

/** The outlines in the order in which they are shown. */
export const OUTLINES: readonly OutlineName[] = ['domains', 'devices', 'cpus'];

/** What an outline shows: the state at the cursor and what the step there changed. A session is one. */
export interface OutlineSource {
  readonly trace: Trace;
  /** Step of the cursor, -1 before the first event. */
  readonly cursor: Step;
  readonly state: State;
  readonly before: State;
  readonly changes: readonly ObjectChange[];
  readonly onlyChanged: boolean;
}

/**
 * One row of an outline. `node`: an object, or a node that only groups some; `range`: a run of entries of a long table;
 * `key`: a key of an object; `field`: a field of such a key; `job`: who does one of the four jobs for an irq. An outline keeps the same object for a row as long as it lives.
 */
export interface OutlineRow {
  /** Unique and stable in its outline. The id of a row begins with the id of its parent row. */
  readonly id: string;
  readonly kind: 'node' | 'range' | 'key' | 'field' | 'job';
  readonly parent: OutlineRow | undefined;
  /** The node that the row shows. For a key or field it is the node of the object; for a range, of the table. */
  readonly node: PathNode;
  readonly key?: string;
  readonly field?: string;
  readonly job?: Job;
  /** Of a range: its first number. */
  readonly from?: number;
  /** The object path, with key and field, that commands take as argument. */
  readonly path: string;
}

/** The text, the icon and the mark of a row. */
export interface RowText {
  readonly label: string;
  /** The start and end of the part of the label that the current step changed. */
  readonly highlight?: readonly [number, number];
  readonly description: string;
  /** The kind of change that the current step made. */
  readonly mark?: ChangeKind;
  readonly collapsible: boolean;
  /** The name of a codicon, or the empty text for no icon. */
  readonly icon: string;
  /** The text of the row for a screen reader. */
  readonly spoken: string;
}

/** A table with more entries than this is listed in ranges. */
const LONGEST = 512;
/** The number of entries in a range. */
const RANGE = 256;

/** Whether the children of a node are listed in ranges. */
export function ranged(node: PathNode): boolean {
  if (node.children.size <= LONGEST) return false;
  for (const child of node.children.values()) return !Number.isNaN(Number(child.segment));
  return false;
}

/** The first number of the range that a child belongs to. */
export const rangeOf = (child: PathNode): number => Math.floor(Number(child.segment) / RANGE) * RANGE;

/** Label of a range. */
export const rangeLabel = (from: number): string => `[${from} … ${from + RANGE - 1}]`;

/** Whether the children of a node are listed directly below the row of its parent. */
export const inlined = (node: PathNode): boolean => groupAt(node.path)?.inline === true;

/** The topmost nodes of an outline, in order: section by section, and within a section system by system. */
export function rootsOf(world: World, name: OutlineName): PathNode[] {
  const place = (node: PathNode): number => sectionOf(node.path)!.outline![1];
  return [...world.root.children.values()]
    .filter((node) => sectionOf(node.path)?.outline?.[0] === name)
    .sort((a, b) => place(a) - place(b) || (a.path < b.path ? -1 : 1));
}

/** The vector domain of the system that a node belongs to, if there is one. The irqs of that system are then shown below it. */
export const vectorDomainOf = (node: PathNode): PathNode | undefined => {
  const domain = node.space.find('domain/VECTOR');
  return domain && domain.object >= 0 ? domain : undefined;
};
