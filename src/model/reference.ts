import type { ObjectId } from '../base/ids.ts';
import type { Namespace } from './namespace.ts';
import type { State } from './state.ts';

/** How a value names another object. Trees, links, joins and paths follow references; nobody else takes paths apart. */
export interface Reference {
  /** What the named object is to the one that names it, such as `the irq that the vector is assigned to`. */
  readonly what: string;
  /**
   * The object that `value` names in the state, seen from `object`, which holds the value; -1 when there is none, or when the
   * trace never names it. A text is given by its number in the string table.
   */
  readonly find: (state: State, object: ObjectId, value: number) => ObjectId;
}

/** The names of the system that an object belongs to. */
export const namesOf = (state: State, object: ObjectId): Namespace => state.world.spaceOf(object);

/** A number that counts the children of a path: `byNumber('…', 'irq')` names `irq/<value>`. */
export const byNumber = (what: string, parent: string): Reference => ({
  what,
  find: (state, object, value) => namesOf(state, object).objectAt(`${parent}/${value}`),
});

/** A text that is the last segment of a path: `byText('…', 'device')` names `device/<text>`. */
export const byText = (what: string, parent: string): Reference => ({
  what,
  find: (state, object, value) => namesOf(state, object).objectAt(`${parent}/${state.world.strings.text(value)}`),
});

/** The number of an object itself. */
export const byObject = (what: string): Reference => ({ what, find: (_state, _object, value) => value });

/** A number that counts the children of an object `up` levels above: with 2 and `collection`, `its/0/device/…` names `its/0/collection/<value>`. */
export const besides = (what: string, up: number, segment: string): Reference => ({
  what,
  find: (state, object, value) => {
    let node = state.world.node(object);
    for (let i = 0; i < up; i++) node = node?.parent;
    return node?.children.get(segment)?.children.get(String(value))?.object ?? -1;
  },
});
