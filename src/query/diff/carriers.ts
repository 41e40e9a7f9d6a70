import type { ObjectId } from '../../base/ids.ts';
import { apicAccept, apicDeliver } from '../../model/events/apic.ts';
import { msgSend } from '../../model/events/msix.ts';
import { kvmMsi } from '../../model/events/virt.ts';
import { isInterruptAddress, x86Address, x86Data, x86Destination } from '../../model/registers/x86.ts';
import type { State } from '../../model/state.ts';
import type { EventRow } from '../../trace/row.ts';
import type { ThingId } from './things.ts';

/** Vectors are 8 bits wide. */
const VECTORS = 256;

/**
 * Whose interrupt a vector of a virtual CPU is. Its records name no sender: it is the thing whose message stands in an entry or
 * route for this CPU and vector, or else the thing whose message came with this vector last.
 */
export class Carriers {
  /** By vector: whose message came last. */
  readonly #carried = new Map<number, ThingId>();
  /** By CPU and vector: whose entry holds that message; and what each entry holds. */
  readonly #placed = new Map<number, ThingId>();
  readonly #places = new Map<ObjectId, number>();
  /** By vector of a virtual CPU: whose interrupt it accepted last. */
  readonly #accepted = new Map<ObjectId, ThingId>();

  /** A remapping unit sent a vector for an entry of its table. */
  remapped(vector: number, thing: ThingId): void {
    this.#carried.set(vector, thing);
  }

  /** A device sent a message that holds its vector. */
  sent(row: EventRow, thing: ThingId): void {
    const { address, data } = msgSend.read(row.words, row.at);
    const lo = address(0);
    if (address(1) === 0 && isInterruptAddress(lo) && x86Address.f.format.of(lo) === 0)
      this.#carried.set(x86Data.f.vector.of(data), thing);
  }

  /** An entry may hold another message now: its address (two cells) and its data. */
  stored(state: State, object: ObjectId, address: number, data: number, thing: ThingId): void {
    const old = this.#places.get(object);
    if (old !== undefined && this.#placed.get(old) === thing) this.#placed.delete(old);
    const [lo, hi, word] = [state.num(object, address), state.num(object, address + 1), state.num(object, data)];
    if (lo < 0 || hi < 0 || word < 0 || !isInterruptAddress(lo)) return;
    if (x86Address.f.format.of(lo) !== 0 || x86Address.f.destMode.of(lo) !== 0) return;
    const place = x86Destination(lo, hi) * VECTORS + x86Data.f.vector.of(word);
    this.#places.set(object, place);
    this.#placed.set(place, thing);
  }

  /** Whose message KVM decoded; undefined where no entry holds it. */
  decoded(row: EventRow): ThingId | undefined {
    const { dest, vector } = kvmMsi.read(row.words, row.at);
    return this.#placed.get(dest * VECTORS + vector);
  }

  /** Whose interrupt an event about a vector of a virtual CPU is; `own`: if nobody's. */
  atVcpu(row: EventRow, cpu: number, vector: number, own: ThingId): ThingId {
    const { object, kind } = row;
    if (kind === apicDeliver) {
      const message = apicDeliver.read(row.words, row.at);
      return this.#placed.get(message.dest * VECTORS + message.vector) ?? this.#carried.get(message.vector) ?? own;
    }
    if (kind === apicAccept)
      this.#accepted.set(object, this.#placed.get(cpu * VECTORS + vector) ?? this.#carried.get(vector) ?? own);
    return this.#accepted.get(object) ?? own;
  }
}
