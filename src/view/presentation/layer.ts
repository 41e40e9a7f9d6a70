import type { ObjectId } from '../../base/ids.ts';
import type { Field } from '../../model/field.ts';
import type { ObjectType } from '../../model/objects.ts';
import type { State } from '../../model/state.ts';
import { ABSENT, type LayerStyle, OFF, ON, UNKNOWN } from '../lanes/values.ts';

/** A property of an object that holds for spans of time, as its lane in the timeline shows it. */
export interface LayerSpec {
  readonly name: string;
  /** Words for the two values. */
  readonly on: string;
  readonly off: string;
  readonly style: LayerStyle;
  /** The band in the middle of the lane, or the narrow strip above it. */
  readonly place: 'band' | 'strip';
  /** Where the value comes from; layers without it follow the begins and ends of handlers. */
  readonly value?: (state: State, object: ObjectId) => number;
  /** All cells of its own object that the value may depend on; a layer without this list also reads other objects. */
  readonly cells?: readonly number[];
  /** The types of the other objects that a layer without `cells` reads. */
  readonly reads?: readonly ObjectType[];
}

/** Words, look and place of a layer that follows one cell or one field. */
type Look = Pick<LayerSpec, 'name' | 'on' | 'off' | 'style'>;

/** The value of a layer for a flag. */
export const threeValued = (flag: boolean | undefined | null): number =>
  flag === undefined || flag === null ? UNKNOWN : flag ? ON : OFF;

/** A layer in the middle of the lane that is on while a flag is set. */
export const flagLayer = (look: Look, cell: number): LayerSpec => ({
  ...look,
  place: 'band',
  value: (state, object) => threeValued(state.flag(object, cell)),
  cells: [cell],
});

/** A layer in the middle of the lane that is on while a field of one bit is set; the register starts at a cell. */
export const bitLayer = (look: Look, field: Field, cell: number): LayerSpec => ({
  ...look,
  place: 'band',
  value: (state, object) => threeValued(field.flag(state, object, cell)),
  cells: [cell + field.word],
});

/** The same layer in the strip above. */
export const strip = (spec: LayerSpec): LayerSpec => ({ ...spec, place: 'strip' });

const handler = (name: string): LayerSpec => ({ name, on: 'running', off: 'idle', style: 'run', place: 'band' });

/** Handlers of irq actions on a CPU. */
export const cpuHandlers: LayerSpec = handler('irq handler');
/** System vectors on a CPU. */
export const cpuSystem: LayerSpec = strip(handler('system vector'));
/** Handlers of one irq on any CPU. */
export const irqHandlers: LayerSpec = handler('handler');

// Words that several types share.
export const pending: Look = { name: 'pending', on: 'pending', off: 'not pending', style: 'pending' };
export const requested: Look = { name: 'requested', on: 'requested', off: 'not requested', style: 'pending' };
export const inService: Look = { name: 'in service', on: 'in service', off: 'not in service', style: 'run' };
export const level: Look = { name: 'level', on: 'high', off: 'low', style: 'run' };
export const mapped: Look = { name: 'valid', on: 'mapped', off: 'not mapped', style: 'hold' };
export const present: Look = { name: 'present', on: 'present', off: 'not present', style: 'hold' };
export const stale: Look = { name: 'stale', on: 'invalidated since', off: 'as last read', style: 'stale' };

/** The value of a layer of an object; ABSENT while the object does not exist. */
export function layerValue(spec: LayerSpec, state: State, object: ObjectId): number {
  return state.present(object) && spec.value ? spec.value(state, object) : ABSENT;
}
