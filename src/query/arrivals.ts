// The messages that arrive at a unit which translates them: what their records tell of the entry that sent them.
import type { ObjectId } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import { itsTrans } from '../model/events/its.ts';
import { irRequest } from '../model/events/remap.ts';
import { msiVectorOf, ownerOf } from '../model/masking.ts';
import { requesterOf } from '../model/segments.ts';
import type { State } from '../model/state.ts';
import { imsEntry } from '../model/things/ims.ts';
import { msi, msixEntry } from '../model/things/pci.ts';

/** What shows that a message arrived at the unit that translates it. */
export const arrivalKinds: readonly EventKind[] = [irRequest, itsTrans];

/** An event with its arguments. */
interface Arrival {
  readonly kind: EventKind;
  readonly words: Uint32Array;
  readonly at: number;
}

/** The function that an entry, or an MSI capability, belongs to. */
const functionOf = (state: State, entry: ObjectId): ObjectId =>
  state.world.type(entry) === msi ? (state.world.node(entry)?.parent?.object ?? -1) : ownerOf(state, entry);

/** Whether an entry, or a vector of MSI (-1: any), holds data. Of the address `lo`, `hi` where that is known. */
function holds(state: State, entry: ObjectId, vector: number, data: number, lo?: number, hi?: number): boolean {
  const type = state.world.type(entry);
  if (type !== msixEntry && type !== imsEntry && type !== msi) return false;
  const { address, data: own } = type.at as { readonly address: number; readonly data: number };
  const [ownLo, ownHi] = [state.num(entry, address), state.num(entry, address + 1)];
  if (lo !== undefined && (ownLo !== lo || ownHi !== hi)) return false;
  if (type !== msi) return state.num(entry, own) === data;
  const found = msiVectorOf(state, entry, ownLo, ownHi, data);
  return found >= 0 && (vector < 0 || found === vector);
}

/**
 * Whether an event of these kinds is the arrival of the message of an entry, or of a vector of MSI (-1: of any): it was sent then, also where no
 * record shows it on the bus. An ITS tells EventID and DeviceID, and no address.
 */
export function arrived(state: State, entry: ObjectId, { kind, words, at }: Arrival, vector = -1): boolean {
  if (kind === irRequest) {
    const { address, data, sid } = irRequest.read(words, at);
    // Entries of several functions may hold the same message where each function has a table of its own.
    const requester = sid === undefined ? -1 : requesterOf(state, functionOf(state, entry));
    if (requester >= 0 && requester !== sid) return false;
    return holds(state, entry, vector, data(0), address(0), address(1));
  }
  if (kind !== itsTrans) return false;
  const { event, device } = itsTrans.read(words, at);
  return holds(state, entry, vector, event) && device === requesterOf(state, functionOf(state, entry));
}
