import type { ObjectId } from '../../base/ids.ts';
import { devRaise } from '../../model/events/msix.ts';
import { merged } from '../../model/events/outcome.ts';
import { grantedVectors, maskedBy } from '../../model/masking.ts';
import { msiControl, msiData } from '../../model/registers/pci.ts';
import { device, msi } from '../../model/things/pci.ts';
import type { Machine } from '../machine.ts';
import { MSI_AT } from './offsets.ts';
import type { PciFunction } from './pci-function.ts';

/** Offsets of the mask bits and of the pending bits in a capability with a 64-bit address. */
export const MSI_MASK = 16;
export const MSI_PENDING = 20;

/** Object of the MSI capability of a function; -1 when it has none. */
export function msiObject(fn: PciFunction): ObjectId | -1 {
  return fn.machine.world.objectAt(`device/${fn.bdf}/msi`);
}

/** Config offset of the MSI capability of a function. */
export function msiOffset(fn: PciFunction): number {
  const at = fn.machine.state.num(fn.object, device.at.msiAt);
  return at < 0 ? MSI_AT : at;
}

/** Whether a function has a mask bit for each vector of MSI. */
export function msiMaskable(fn: PciFunction): boolean {
  const object = msiObject(fn);
  return object >= 0 && msiControl.f.maskable.flag(fn.machine.state, object, msi.at.control) === true;
}

/** What a function does about its MSI capability: all vectors share one message, into whose data it puts their numbers. */
class MsiMessages {
  readonly #fn: PciFunction;
  readonly #machine: Machine;
  /** The cause that waits behind the pending bit of each vector. */
  readonly #waiting = new Map<number, number>();

  constructor(fn: PciFunction) {
    this.#fn = fn;
    this.#machine = fn.machine;
    fn.afterConfig.push(() => this.#settle());
  }

  /** A cause arises for a message: sent, kept while its mask bit is set, lost while MSI is off. Its number. */
  raise(number: number): number {
    const machine = this.#machine;
    const fn = this.#fn;
    return machine.as(fn.actor, () => {
      const { state } = machine;
      const object = msiObject(fn);
      const cause = machine.ledger.open(machine.now);
      // A function that was granted fewer messages than it has causes for shares them; this one drops the upper bits of the number.
      const vector = msiMaskable(fn) ? number % Math.max(1, grantedVectors(state, object)) : number;
      machine.emit(devRaise, object, { vector, cause });
      if (msiControl.f.enable.flag(state, object, msi.at.control) !== true)
        fn.drop(object, cause, 'MSI is not enabled');
      else if (maskedBy(state, object, vector) !== 'own') this.#send(object, vector, cause);
      else if (this.#waiting.has(vector)) {
        machine.emit(merged, object, { cause, into: this.#waiting.get(vector) });
        machine.ledger.note(cause, 'merged', machine.now);
      } else {
        this.#waiting.set(vector, cause);
        machine.ledger.note(cause, 'pending', machine.now);
      }
      return cause;
    });
  }

  #send(object: ObjectId, vector: number, cause: number): void {
    const { state } = this.#machine;
    const granted = 2 ** msiControl.f.multipleEnable.of(state.get(object, msi.at.control));
    const address = state.get(object, msi.at.address) + state.get(object, msi.at.address + 1) * 0x100000000;
    const data = msiData.f.data.of(state.get(object, msi.at.data));
    this.#fn.send(object, address, data - (data % granted) + (vector % granted), cause);
  }

  /** Config space was written: what nothing masks any more is sent. */
  #settle(): void {
    const machine = this.#machine;
    for (const [vector, cause] of this.#waiting) {
      const object = msiObject(this.#fn);
      if (maskedBy(machine.state, object, vector) !== 'none') continue;
      this.#waiting.delete(vector);
      machine.ledger.note(cause, 'inFlight', machine.now);
      machine.as(this.#fn.actor, () => this.#send(object, vector, cause));
    }
  }
}

const known = new WeakMap<PciFunction, MsiMessages>();

/** A cause arises for a message of the MSI of a function. The number of the cause. */
export function raiseMsi(fn: PciFunction, vector = 0): number {
  let messages = known.get(fn);
  if (messages === undefined) known.set(fn, (messages = new MsiMessages(fn)));
  return messages.raise(vector);
}
