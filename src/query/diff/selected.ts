import type { ObjectId } from '../../base/ids.ts';
import { msgSend } from '../../model/events/msix.ts';
import type { PathNode } from '../../model/namespace.ts';
import { amdData } from '../../model/registers/amd.ts';
import { itsTranslater } from '../../model/registers/its.ts';
import { isInterruptAddress, vtdAddress, vtdData, vtdHandle } from '../../model/registers/x86.ts';
import type { World } from '../../model/world.ts';
import type { EventRow } from '../../trace/row.ts';

/** Messages of which the entry that they select is remembered. */
const MOST = 0x10000;

/**
 * The entry of a translation table that a message on the bus selects: it says whose message that is, also where a log does not tell
 * who sent it, as one that begins after the entries were written.
 */
export class Selected {
  readonly #world: World;
  readonly #known = new Map<string, ObjectId>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The IRTE or event of an ITS; -1 where the message names none, or several units have such an entry. */
  of(row: EventRow): ObjectId {
    const { address, data, requester } = msgSend.read(row.words, row.at);
    const space = this.#world.spaceOf(row.object);
    const key = `${space.prefix}${address(1)} ${address(0)} ${data} ${requester ?? -1}`;
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const lo = address(0);
    const found =
      isInterruptAddress(lo) && address(1) === 0
        ? vtdAddress.f.format.of(lo) === 1
          ? this.#irte(space.find('irte'), vtdHandle(lo) + (vtdAddress.f.shv.in(lo) ? vtdData.f.subhandle.of(data) : 0))
          : this.#amdIrte(space.find('irte'), requester, data)
        : requester === undefined
          ? -1
          : this.#event(space.find('its'), requester, itsTranslater.f.eventId.of(data));
    if (this.#known.size < MOST) this.#known.set(key, found);
    return found;
  }

  #irte(units: PathNode | undefined, index: number): ObjectId {
    return only(units, (unit) => (unit.segment.startsWith('amdvi-') ? undefined : unit.children.get(String(index))));
  }

  /** Of a unit that has a table for each requester, where the log tells who sent the message. */
  #amdIrte(units: PathNode | undefined, requester: number | undefined, data: number): ObjectId {
    const table = requester === undefined ? undefined : units?.children.get(`amdvi-0x${requester.toString(16)}`);
    return table?.children.get(String(amdData.f.index.of(data)))?.object ?? -1;
  }

  #event(units: PathNode | undefined, requester: number, event: number): ObjectId {
    return only(units, ({ children }) =>
      children
        .get('device')
        ?.children.get(`0x${requester.toString(16)}`)
        ?.children.get('event')
        ?.children.get(String(event)),
    );
  }
}

/** The object of the only unit that has one. */
function only(units: PathNode | undefined, entryIn: (unit: PathNode) => PathNode | undefined): ObjectId {
  const found = [...(units?.children.values() ?? [])].flatMap((unit) => entryIn(unit)?.object ?? []);
  return found.length === 1 ? found[0]! : -1;
}
