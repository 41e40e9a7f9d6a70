import type { ObjectId } from '../../base/ids.ts';
import { intx } from '../../model/events/msix.ts';
import { pciCommand } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import type { Actor, Machine } from '../machine.ts';

/** The function that a pin belongs to. */
export interface PinOwner {
  readonly machine: Machine;
  readonly object: ObjectId;
  readonly actor: Actor;
  /** Whether MSI-X is on. */
  readonly enabled: boolean | undefined;
  drop(object: ObjectId, cause: number, reason: string): void;
}

/**
 * The INTx pin of a function: asserted while a cause waits to be served, unless MSI-X is on or Interrupt Disable is set
 * (PCIe 6.1.4.1, 7.5.1.1.3).
 */
export class IntxPin {
  readonly #fn: PinOwner;
  readonly #line: (level: boolean) => void;
  readonly #causes: number[] = [];
  #asserted = false;
  /** A planted fault: it stays asserted although its cause was served, until the next one is. */
  #stuck = false;

  /** `line` drives the wire that the pin leads to. */
  constructor(fn: PinOwner, line: (level: boolean) => void) {
    this.#fn = fn;
    this.#line = line;
  }

  /** Interrupt Status: a cause waits, whatever Interrupt Disable says. */
  get waits(): boolean {
    return this.#causes.length > 0 || this.#stuck;
  }

  /** A cause arises in a function without messages. */
  raise(): void {
    const { machine } = this.#fn;
    this.hold(machine.ledger.open(machine.now));
  }

  /** A cause waits to be served. */
  hold(cause: number): void {
    const { machine } = this.#fn;
    machine.ledger.note(cause, 'pending', machine.now);
    this.#causes.push(cause);
    this.update();
  }

  /** The driver reads the status of the function and clears it, of so many causes at most: how many it found. */
  serve(most: number = Number.POSITIVE_INFINITY): number {
    const { machine } = this.#fn;
    const served = this.#causes.splice(0, most);
    for (const cause of served) machine.ledger.note(cause, 'delivered', machine.now);
    if (served.length > 0) this.#stuck = machine.tamper?.strikes('F80', undefined) === true;
    this.update();
    return served.length;
  }

  /** Drives the wire as causes and registers say now. */
  update(): void {
    const { machine, object, actor, enabled } = this.#fn;
    if (enabled === true)
      for (const cause of this.#causes.splice(0))
        this.#fn.drop(object, cause, 'MSI-X was switched on while the cause waited at the INTx pin');
    const disabled = pciCommand.f.intxDisable.flag(machine.state, object, device.at.command) === true;
    const level = (this.#causes.length > 0 || this.#stuck) && enabled !== true && !disabled;
    if (level === this.#asserted) return;
    this.#asserted = level;
    machine.as(actor, () => machine.emit(intx, object, { level }));
    this.#line(level);
  }
}
