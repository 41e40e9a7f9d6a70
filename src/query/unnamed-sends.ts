import type { ObjectId, Step } from '../base/ids.ts';
import { msixEntry } from '../model/things/pci.ts';
import type { World } from '../model/world.ts';

/**
 * Messages of MSI-X tables whose function the trace does not tell, such as those of a log that begins after the tables were placed. Each
 * may be that of the entry with its number of any function of its system.
 */
export class UnnamedSends {
  readonly #world: World;
  /** The last such message of each entry. */
  readonly #last = new Map<ObjectId, Step>();

  constructor(world: World) {
    this.#world = world;
  }

  /** An entry sent a message. */
  sent(step: Step, entry: ObjectId): void {
    if (this.#world.type(entry) === msixEntry && this.#isUnnamed(entry)) this.#last.set(entry, step);
  }

  /** Such a message, which may be that of an entry, came after an event. */
  mayBeOf(object: ObjectId, since: Step): boolean {
    if (this.#last.size === 0 || this.#world.type(object) !== msixEntry) return false;
    const index = this.#world.node(object)?.segment;
    const space = this.#world.spaceOf(object);
    for (const [other, step] of this.#last) {
      const same = this.#world.node(other)?.segment === index && this.#world.spaceOf(other) === space;
      if (same && step > since) return true;
    }
    return false;
  }

  /** `table/<address>/msix/<i>`, below the name of its system where the trace has several. */
  #isUnnamed(entry: ObjectId): boolean {
    const table = this.#world.node(entry)?.parent?.parent;
    return table?.parent?.segment === 'table';
  }
}
