import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { processorsOf } from '../../model/reference.ts';
import type { State } from '../../model/state.ts';
import type { PathNode } from '../../model/world.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Slots } from './slots.ts';

/** An event and all that is known when it comes. */
export interface Moment {
  readonly slots: Slots;
  readonly step: Step;
  readonly row: EventRow;
  /** The state after the event. */
  readonly state: State;
}

/** Finds the delivery that an event of a kind belongs to, and enters it there. */
export type Join = (moment: Moment) => void;

/** Joins by kind of event. */
export type Joins = readonly (readonly [kind: EventKind, join: Join])[];

/** The object of a path in the system that an object belongs to; -1 when the trace never names it. */
export const beside = (state: State, object: ObjectId, path: string): ObjectId =>
  state.world.spaceOf(object).objectAt(path);

/** The path of the processor that an event of a kernel was recorded on: a CPU, or for the kernel of a simulated guest a virtual CPU. */
export const processorAt = ({ row, state }: Moment): string =>
  `${state.world.spaceOf(row.object).prefix}${processorsOf(state.world, row.object)}/${row.cpu}`;

/** The processor that a vector or an INTID belongs to: `cpu/2` for `cpu/2/vector/33`. */
export const processorOf = (state: State, object: ObjectId): PathNode | undefined =>
  state.world.node(object)?.parent?.parent;

/** The number that a vector or an INTID has in its path. */
export const numberOf = (state: State, object: ObjectId): number => Number(state.world.node(object)?.segment);
