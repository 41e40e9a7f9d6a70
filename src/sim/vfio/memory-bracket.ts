import { pciCommand } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import { COMMAND } from '../device/offsets.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions } from '../machine.ts';

/** Nanoseconds of an access of config space, and between two looks at the lock. */
const CONFIG = 400;
const SPIN = 100;

/**
 * vfio_pci_memory_lock_and_enable and vfio_pci_memory_unlock_and_restore: the part of VFIO that touches the interrupts of the function holds its
 * memory lock and sees to it that the function decodes memory; the Command register is written back afterwards, as the guest had it. So a guest that
 * turned memory off, or a reset, never makes the host write to a table that does not answer.
 */
export class MemoryBracket {
  readonly #fn: PciFunction;
  #held = false;

  constructor(fn: PciFunction) {
    this.#fn = fn;
  }

  *around<T>(what: Actions<T>): Actions<T> {
    const fn = this.#fn;
    while (this.#held) yield SPIN;
    this.#held = true;
    try {
      yield CONFIG;
      const command = fn.machine.state.get(fn.object, device.at.command);
      fn.configRead(COMMAND, 2, command);
      const { memory } = pciCommand.f;
      if (!memory.in(command)) {
        yield CONFIG;
        fn.configWrite(COMMAND, 2, (command | memory.mask) >>> 0);
      }
      const result = yield* what;
      yield CONFIG;
      fn.configWrite(COMMAND, 2, command);
      return result;
    } finally {
      this.#held = false;
    }
  }
}
