import type { ObjectId, Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import { msgSend } from '../model/events/msix.ts';
import { msixEntry } from '../model/things/pci.ts';
import type { World } from '../model/world.ts';
import type { Happened } from './rule.ts';

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

  event(step: Step, { kind, object }: Happened): void {
    if (kind !== msgSend || this.#world.type(object) !== msixEntry || !this.#isUnnamed(object)) return;
    this.#last.set(object, step);
  }

  /** Such a message, which may be one of `kinds` about an object, came after an event. */
  mayBeOf(object: ObjectId, kinds: readonly EventKind[], since: Step): boolean {
    if (this.#last.size === 0 || !kinds.includes(msgSend) || this.#world.type(object) !== msixEntry) return false;
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
