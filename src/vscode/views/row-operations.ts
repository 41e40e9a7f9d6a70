import { firstSegment } from '../../base/path-pattern.ts';
import type { PathNode } from '../../model/world.ts';
import { fitsObject } from '../../sim/operation.ts';
import type { Sessions } from '../sessions.ts';

/** The operations that can be done to the objects of rows of the active trace: menus offer them. */
export class RowOperations {
  readonly #sessions: Sessions;
  /** Names of operations by type and topmost node of objects: such objects have paths of one shape. */
  readonly #names = new Map<string, readonly string[]>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Their names. */
  on({ object, path }: PathNode): readonly string[] {
    const { active } = this.#sessions;
    const type = active?.session.trace.world.type(object);
    if (!active || !type) return [];
    const shape = `${active.branch?.recipe ? 'run' : 'read'} ${type.name} ${firstSegment(path)}`;
    let names = this.#names.get(shape);
    if (!names) {
      const specs = [...this.#sessions.operationsFor(active).values()];
      names = specs.filter((spec) => fitsObject(spec, path)).map(({ name }) => name);
      this.#names.set(shape, names);
    }
    return names;
  }
}
