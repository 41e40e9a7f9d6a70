import type { ObjectId } from '../../base/ids.ts';
import type { ObjectType } from '../../model/objects.ts';
import type { State } from '../../model/state.ts';
import type { LayerSpec } from './layer.ts';

/**
 * How all screens show the objects of one type. `segment` is what the path of an object ends with,
 * `above` is the segment before it.
 */
export interface Presentation {
  /** One such object and several of them, for counts. */
  readonly unit: readonly [one: string, many: string];
  /** The name of an object below its group. */
  readonly label: (segment: string, above: string) => string;
  /** Its name where no group is above it, as in the timeline; `label` where this is absent. */
  readonly alone?: (segment: string, above: string) => string;
  /** The cell that holds the name which the trace gives to the object. The name follows the label. */
  readonly name?: number;
  /** What else tells such objects apart in the timeline, where there is no description; the empty text for nothing. */
  readonly detail?: (state: State, object: ObjectId) => string;
  /** Codicon of such an object. */
  readonly icon: string;
  /** Codicon that tells the most important of what an object holds. */
  readonly signal?: (state: State, object: ObjectId) => string;
  /** What an object holds, in one line. */
  readonly describe: (state: State, object: ObjectId) => string;
  /** What holds for spans of time, in drawing order. */
  readonly layers?: readonly LayerSpec[];
}

/** The presentations of all object types of a module: the compiler asks for one for each. */
export type PresentationsOf<Things> = {
  readonly [Name in keyof Things as Things[Name] extends ObjectType ? Name : never]: Presentation;
};
