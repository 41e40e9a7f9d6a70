import { handleRequest, handleRevoke } from '../../model/events/queue.ts';
import { IDXD_COMMAND, idxdCommand, idxdHandleOperand, idxdIntCause } from '../../model/registers/ims.ts';
import { interruptHandle } from '../../model/things/queue.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';

/**
 * How a function names its interrupt entries to descriptors (policy handleCommand). `absent`: by their index. `other` and `same`: by a handle that
 * the driver requests with a command; once the function revoked them, it grants other numbers, or the same ones.
 */
export type HandleCommand = 'absent' | 'other' | 'same';

/** Nanoseconds of a command of the device and its status. */
const COMMAND = 1200;
/** A handle has 16 bits (command status 23:8). */
const HANDLES = 0x10000;
/** How far the handles that a function grants after a revocation lie from those before. */
const APART = 0x100;

/**
 * The interrupt handles of a function (DSA: command Request Interrupt Handle, INTCAUSE bit 31). The function checks a descriptor's handle when it
 * completes: one that it revoked is not valid, whatever entry it stood for.
 */
export class HandleTable {
  readonly machine: Machine;
  readonly mode: HandleCommand;
  readonly #fn: PciFunction;
  /** Entries by the handle that is granted for them. */
  readonly #granted = new Map<number, number>();
  /** Entries of which handles were revoked and not requested again: the index is no handle any more. */
  #revoked = false;
  #times = 0;

  constructor(machine: Machine, fn: PciFunction, mode: HandleCommand) {
    this.machine = machine;
    this.#fn = fn;
    this.mode = mode;
  }

  /** Whether the driver has the command. */
  get commands(): boolean {
    return this.mode !== 'absent';
  }

  /** The entry that a handle stands for; undefined: the handle is not granted. */
  entry(handle: number): number | undefined {
    if (this.mode === 'absent') return this.#revoked ? undefined : handle;
    return this.#granted.get(handle);
  }

  /** Requests a handle for an entry (command 13, operand bit 16: IMS). Without the command the index of the entry is its handle. */
  *request(index: number): Actions<number> {
    const { machine } = this;
    if (this.mode === 'absent') return index;
    yield COMMAND;
    const handle = (index + (this.mode === 'other' ? this.#times * APART : 0)) % HANDLES;
    this.#granted.set(handle, index);
    const { command, operand } = idxdCommand.f;
    const asked = idxdHandleOperand.f.ims.mask | idxdHandleOperand.f.index.put(index);
    const value = command.put(IDXD_COMMAND.requestInterruptHandle) | operand.put(asked);
    const object = machine.world.child(interruptHandle, this.#fn.object, 'handle', handle);
    machine.emit(handleRequest, object, { command: value, index });
    return handle;
  }

  /** An entry is given back: its handle with it. */
  release(handle: number): void {
    this.#granted.delete(handle);
  }

  /** The function revokes all of its handles. */
  revoke(): void {
    this.#granted.clear();
    this.#revoked = true;
    this.#times++;
    this.machine.emit(handleRevoke, this.#fn.object, { intcause: idxdIntCause.f.handlesRevoked.mask });
  }
}
