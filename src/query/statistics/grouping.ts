import type { ObjectId } from '../../base/ids.ts';
import type { PathNode } from '../../model/namespace.ts';
import type { ObjectType } from '../../model/objects.ts';
import { processorsOf } from '../../model/reference.ts';
import { cellTarget, vectorOfIrq } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { irq } from '../../model/things/irq.ts';
import { device, msi, msixCap, msixEntry, table } from '../../model/things/pci.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { World } from '../../model/world.ts';
import type { Group } from './group.ts';

/** By what rows are made. */
export const GROUPINGS = ['irq', 'vector', 'cpu', 'device', 'vcpu', 'kind'] as const;
export type By = (typeof GROUPINGS)[number];

/** Which facts a trace records at all: what it never records cannot be counted. */
export interface Recorded {
  handlers: boolean;
  arrivals: boolean;
  sends: boolean;
  irqMasks: boolean;
  exits: boolean;
}

/** The row that a fact belongs to, by its key; the empty text for none. */
export interface Grouping {
  /** A handler of an irq starts. `vector`: the one that the processor took last, -1 unknown. */
  readonly handler?: (state: State, object: ObjectId, cpu: number, vector: ObjectId) => string;
  /** The entry code of a system vector starts. */
  readonly system?: (state: State, vector: ObjectId) => string;
  /** An interrupt is accepted, taken or ended at a vector. */
  readonly arrival?: (state: State, vector: ObjectId) => string;
  /** A function has a cause, sends a message, is masked. */
  readonly owner?: (state: State, object: ObjectId) => string;
  /** A virtual CPU leaves the guest. */
  readonly exit?: (state: State, object: ObjectId) => string;
  /** What the row counts; null where the trace does not record it. */
  readonly count: (group: Group, recorded: Recorded) => number | null;
  readonly masks: (group: Group, recorded: Recorded) => number | null;
}

const none = (): null => null;

/** The processor that a vector or INTID is of; undefined where the record does not tell it (`apic/vector/<n>`). */
export function processorOf(world: World, vector: ObjectId): PathNode | undefined {
  const node = world.node(vector)?.parent?.parent;
  return node?.parent === undefined || node.parent.path === '' ? undefined : node;
}

/** How many levels above an object its function stands, or the table of a function that is not known. */
const LEVELS: ReadonlyMap<ObjectType, number> = new Map<ObjectType, number>([
  [device, 0],
  [table, 0],
  [msixCap, 1],
  [msi, 1],
  [msixEntry, 2],
  [imsEntry, 2],
]);

/** The function that an object belongs to, or the table of a function that is not known; undefined for other objects. */
export function ownerOf(world: World, object: ObjectId): PathNode | undefined {
  const type = world.type(object);
  let node = world.node(object);
  let levels = type && LEVELS.get(type);
  if (levels === undefined) return undefined;
  for (; levels > 0; levels--) node = node?.parent;
  return node;
}

const pathOf = ({ world }: State, object: ObjectId): string => (object < 0 ? '' : world.path(object));

/** The path of the processor on which a handler runs, as the kernel of the irq counts them; the empty text when no record tells it. */
export const processorPath = ({ world }: State, object: ObjectId, cpu: number): string =>
  cpu < 0 ? '' : `${world.spaceOf(object).prefix}${processorsOf(world, object)}/${cpu}`;

/** The function that raises an irq; the trace may name it in no other place. */
export function deviceOf(state: State, object: ObjectId): string {
  const text = state.text(object, irq.at.device);
  if (text === '') return '';
  const known = cellTarget(state, object, irq, 'device');
  return known >= 0 ? pathOf(state, known) : `${state.world.spaceOf(object).prefix}device/${text}`;
}

const isVirtual = ({ world }: State, vector: ObjectId): boolean => world.type(vector) === vcpuVector;

/** The rows of each way of grouping. */
export const groupings: Readonly<Record<By, Grouping>> = {
  irq: {
    handler: pathOf,
    count: ({ handled, isThread }, { handlers }) => (handlers || isThread ? handled : null),
    masks: ({ masks, isThread }, { irqMasks }) => (irqMasks && !isThread ? masks : null),
  },
  vector: {
    handler: (state, object, cpu, vector) => pathOf(state, vector >= 0 ? vector : vectorOfIrq(state, object, cpu)),
    system: pathOf,
    arrival: pathOf,
    count: ({ interrupts }) => interrupts,
    masks: none,
  },
  cpu: {
    handler: processorPath,
    arrival: (state, vector) => (isVirtual(state, vector) ? '' : (processorOf(state.world, vector)?.path ?? '')),
    count: ({ handled }, { handlers }) => (handlers ? handled : null),
    masks: none,
  },
  device: {
    handler: deviceOf,
    owner: (state, object) => ownerOf(state.world, object)?.path ?? '',
    count: ({ sent, handled }, { sends, handlers }) => (sends ? sent : handlers ? handled : null),
    masks: ({ masks, masksShown }) => (masksShown ? masks : null),
  },
  vcpu: {
    arrival: (state, vector) => (isVirtual(state, vector) ? (processorOf(state.world, vector)?.path ?? '') : ''),
    exit: pathOf,
    count: ({ interrupts }, { arrivals }) => (arrivals ? interrupts : null),
    masks: none,
  },
  kind: { count: ({ handled }) => handled, masks: none },
};
