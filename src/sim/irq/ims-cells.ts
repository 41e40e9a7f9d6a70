import { imsStore } from '../../model/events/ims.ts';
import { devRaise, devWithdraw } from '../../model/events/msix.ts';
import { merged, untold } from '../../model/events/outcome.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { imsEntry } from '../../model/things/ims.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { drop } from '../drop.ts';
import type { Machine } from '../machine.ts';

/** Where entries are: in the device, or in memory of the queue, which the owner of the queue can write. */
export type ImsPlace = 'device memory' | 'queue memory';

const A = imsEntry.at;

/** What a control dword says: each part null while it is not known. */
export interface ImsControl {
  readonly mask: number | null;
  readonly ignore: number | null;
  readonly pasidEnable: number | null;
  readonly pasid: number | null;
}

/** The entries as the device sees them. What they hold is the fold of the events; this class raises, masks and unmasks. */
export class ImsCells {
  readonly machine: Machine;
  readonly fn: PciFunction;
  /** Entries; Infinity where only memory limits them. */
  readonly size: number;
  readonly place: ImsPlace;
  /** Whether entries have a mask bit. */
  readonly maskable: boolean;
  /** Whether messages carry the PASID of their entry as a TLP prefix. */
  tagged = false;
  /** The cause behind the pending bit of each entry, by object. */
  readonly #waiting = new Map<number, number>();

  constructor(machine: Machine, fn: PciFunction, size: number, place: ImsPlace, maskable: boolean) {
    this.machine = machine;
    this.fn = fn;
    this.size = size;
    this.place = place;
    this.maskable = maskable;
  }

  /** Object of an entry. */
  entry(index: number): number {
    return this.machine.world.child(imsEntry, this.fn.object, 'ims', index);
  }

  /** Whether the entry is allocated. Storage alone cannot tell and accepts every entry within its size. */
  has(index: number): boolean {
    return index < this.size;
  }

  /** The control dword as it is known, unknown bits 0. */
  control(index: number): number {
    return this.machine.state.get(this.entry(index), A.control);
  }

  /** The fields of the control dword; null where not known. */
  fields(index: number): ImsControl {
    const entry = this.entry(index);
    const { state } = this.machine;
    const bits = { words: [state.get(entry, A.control)], known: [state.known(entry, A.control)] };
    const { mask, ignore, pasidEnable, pasid } = imsControl.f;
    return {
      mask: mask.read(bits),
      ignore: ignore.read(bits),
      pasidEnable: pasidEnable.read(bits),
      pasid: pasid.read(bits),
    };
  }

  /** Message of an entry; undefined while a part of it is not known. */
  message(index: number): { readonly address: number; readonly data: number } | undefined {
    const { state } = this.machine;
    const entry = this.entry(index);
    const cells = [A.address, A.address + 1, A.data];
    if (cells.some((cell) => state.known(entry, cell) !== 0xffffffff)) return undefined;
    const [lo, hi, data] = cells.map((cell) => state.get(entry, cell)) as [number, number, number];
    return { address: lo + hi * 0x100000000, data };
  }

  /** Writes an entry: 4 or 8 bytes at an offset. If the write unmasks it, a pending message is sent. */
  write(index: number, offset: number, size: number, value: readonly number[], virq?: number): void {
    const { machine } = this;
    const entry = this.entry(index);
    const waiting = machine.state.flag(entry, A.pending) === true;
    machine.emit(imsStore, entry, { offset, size, value, where: this.place, virq });
    if (!waiting || machine.state.flag(entry, A.pending) === true) return;
    const cause = this.#waiting.get(entry) ?? 0;
    this.#waiting.delete(entry);
    machine.ledger.note(cause, 'inFlight', machine.now);
    machine.as(this.fn.actor, () => this.#send(index, cause));
  }

  /** A cause arises inside the function for an entry: sent, kept pending while masked, dropped where there is no entry. Its number. */
  raise(index: number): number {
    const { machine } = this;
    return machine.as(this.fn.actor, () => {
      const cause = machine.ledger.open(machine.now);
      if (!this.has(index)) {
        machine.emit(devRaise, this.fn.object, { vector: index, cause });
        drop(machine, this.fn.object, `IMS entry ${index} is not allocated`, cause);
        return cause;
      }
      const entry = this.entry(index);
      const before = machine.state.flag(entry, A.pending) === true;
      machine.emit(devRaise, entry, { vector: index, cause });
      const { mask } = this.fields(index);
      if (this.maskable && mask === null) this.#untold(entry, cause, 'the mask bit of the IMS entry');
      else if (!this.maskable || mask === 0) this.#send(index, cause);
      else if (before) {
        machine.emit(merged, entry, { cause, into: this.#waiting.get(entry) });
        machine.ledger.note(cause, 'merged', machine.now);
      } else {
        this.#waiting.set(entry, cause);
        machine.ledger.note(cause, 'pending', machine.now);
      }
      return cause;
    });
  }

  /** The cause behind a pending bit goes away: software served it by polling. */
  withdraw(index: number): void {
    const { machine } = this;
    machine.as(this.fn.actor, () => {
      const entry = this.entry(index);
      const cause = this.#waiting.get(entry);
      this.#waiting.delete(entry);
      machine.emit(devWithdraw, entry, { cause });
      if (cause !== undefined) machine.ledger.note(cause, 'withdrawn', machine.now);
    });
  }

  /** Ends what an entry keeps pending, with the reason why. */
  forget(index: number, reason: string): void {
    const { machine } = this;
    const entry = this.entry(index);
    const cause = this.#waiting.get(entry);
    if (cause === undefined) return;
    this.#waiting.delete(entry);
    machine.emit(devWithdraw, entry, { cause });
    drop(machine, entry, reason, cause);
  }

  #untold(entry: number, cause: number, what: string): void {
    this.machine.emit(untold, entry, { what, cause });
    this.machine.ledger.note(cause, 'untold', this.machine.now);
  }

  #send(index: number, cause: number): void {
    const message = this.message(index);
    const entry = this.entry(index);
    if (message === undefined) {
      this.#untold(entry, cause, 'the message in the IMS entry');
      return;
    }
    const { pasidEnable, pasid } = this.fields(index);
    const tag = this.tagged && pasidEnable === 1 ? (pasid ?? undefined) : undefined;
    this.fn.send(entry, message.address, message.data, cause, tag);
  }
}
