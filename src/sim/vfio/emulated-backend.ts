import type { ObjectId } from '../../base/ids.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Fire, lost, type VfioBackend } from './backend.ts';

/** Emulated interrupts: software signals, no irq of the host stands behind them. */
export class EmulatedBackend implements VfioBackend {
  readonly kind = 'emulated';
  readonly dynamic = true;
  readonly machine: Machine;
  /** Object that stands for the emulated device where a cause is lost. */
  readonly #object: ObjectId;
  readonly #fire = new Map<number, Fire>();

  constructor(machine: Machine, object: ObjectId) {
    this.machine = machine;
    this.#object = object;
  }

  *enable(): Actions<number> {
    return 0;
  }

  *disable(): Actions {
    this.#fire.clear();
  }

  *request(vector: number, fire: Fire): Actions<number> {
    this.#fire.set(vector, fire);
    return 0;
  }

  *release(vector: number): Actions {
    this.#fire.delete(vector);
  }

  entry(): undefined {
    return undefined;
  }

  raise(vector: number): void {
    const fire = this.#fire.get(vector);
    if (fire) fire(0);
    else lost(this.machine, this.#object, `the emulated vector ${vector} has no eventfd`);
  }
}
