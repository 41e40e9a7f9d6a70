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
 * `key`: a key of an object; `field`: a field of such a key; `job`: who does one of the four jobs for an irq. A row is the same object as long as its outline lives.
 */
export interface OutlineRow {
  /** Unique and stable in its outline; the ids of the rows above it are its beginnings. */
  readonly id: string;
  readonly kind: 'node' | 'range' | 'key' | 'field' | 'job';
  readonly parent: OutlineRow | undefined;
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
  /** The text of the row for a screen reader. */
  readonly spoken: string;
}

/** Most entries of a table that are listed without ranges; also the size of a range. */
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

/** Whether the children of a node are listed directly below the row of its parent. */
export const inlined = (node: PathNode): boolean => groupAt(node.path)?.inline === true;

/** The topmost nodes of an outline, in order: those of each section, one system after the other. */
export function rootsOf(world: World, name: OutlineName): PathNode[] {
  const place = (node: PathNode): number => sectionOf(node.path)!.outline![1];
  return [...world.root.children.values()]
    .filter((node) => sectionOf(node.path)?.outline?.[0] === name)
    .sort((a, b) => place(a) - place(b) || (a.path < b.path ? -1 : 1));
}

/** The node of the vector domain of the system of a node, under which its irqs are shown when there is one. */
export const vectorDomainOf = (node: PathNode): PathNode | undefined => {
  const domain = node.space.find('domain/VECTOR');
  return domain && domain.object >= 0 ? domain : undefined;
};
