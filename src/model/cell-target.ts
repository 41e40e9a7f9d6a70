import type { ObjectId } from '../base/ids.ts';
import type { ObjectType } from './objects.ts';
import type { State } from './state.ts';

/** The object that a cell with a reference names; -1 for none. */
export function cellTarget(state: State, object: ObjectId, type: ObjectType, key: string): ObjectId {
  const cell = type.cells.find((c) => c.name === key);
  const value = cell?.ref ? state.num(object, type.at[key]!) : -1;
  return value < 0 ? -1 : (cell?.ref?.find(state.world, object, value) ?? -1);
}
