import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { message } from '../../model/events/notes.ts';
import type { Machine } from '../machine.ts';

/** Where a BAR of a function answers. */
export interface BarRange {
  readonly bdf: string;
  readonly bar: number;
  readonly address: number;
  readonly size: number;
}

const text = ({ address, size }: BarRange): string => `[mem ${hexText(address)}-${hexText(address + size - 1)}]`;

/** The BARs of one bus: no two of them may answer at one address. */
export class Bars {
  readonly #taken = new Map<string, BarRange>();

  /**
   * pci_claim_resource(): takes the range of a BAR, in place of the one that the BAR had. False, and the kernel says so (-EBUSY),
   * where another function answers in it.
   */
  claim(machine: Machine, object: ObjectId, one: BarRange): boolean {
    const end = one.address + one.size;
    const key = `${one.bdf} ${one.bar}`;
    const other = [...this.#taken.values()].find(
      (b) => `${b.bdf} ${b.bar}` !== key && b.address < end && one.address < b.address + b.size,
    );
    if (other) {
      const said = `can't claim; address conflict with ${other.bdf} ${text(other)}`;
      machine.emit(message, object, { text: `pci ${one.bdf}: BAR ${one.bar} ${text(one)}: ${said}` });
      return false;
    }
    this.#taken.set(key, one);
    return true;
  }
}

/** pci_enable_resources(): a driver cannot enable a function whose BAR was not claimed (-EINVAL). */
export function notClaimed(machine: Machine, object: ObjectId, name: string, one: BarRange): void {
  const said = `can't enable device: BAR ${one.bar} ${text(one)}: not claimed`;
  machine.emit(message, object, { text: `${name} ${one.bdf}: ${said}` });
}
