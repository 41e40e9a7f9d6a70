import type { Machine } from '../machine.ts';

/** What happens when an eventfd is signalled: `cause` is the interrupt cause behind the signal, 0 none. */
export type Listener = (cause: number) => void;

/** An eventfd of the VMM: a counter with signallers and a waiter. At most one waiter has priority (irqfd). */
export class Eventfd {
  readonly machine: Machine;
  /** File descriptor in the VMM, as events show it. */
  readonly fd: number;
  /** What kind of part signals it, where that is known: events of its irqfd tell it. */
  source: string | undefined;
  #reader: Listener | undefined;
  #waiter: Listener | undefined;
  /** Causes signalled while there was no waiter: the next waiter gets them (nothing is lost, 3.7 of KVM irqfd assign). */
  readonly #kept: number[] = [];

  constructor(machine: Machine, fd: number) {
    this.machine = machine;
    this.fd = fd;
  }

  /** Whether it has a waiter with priority. */
  get taken(): boolean {
    return this.#waiter !== undefined;
  }

  /** Sets or removes (undefined) who reads it. A new reader gets, once, what was signalled before. */
  listen(reader: Listener | undefined): void {
    this.#reader = reader;
    if (this.#waiter === undefined) this.#hand(reader);
  }

  /** Sets or removes (undefined) the waiter with priority: while there is one, nobody else sees a signal. */
  wait(waiter: Listener | undefined): void {
    this.#waiter = waiter;
    this.#hand(waiter);
  }

  #hand(listener: Listener | undefined): void {
    if (listener) for (const cause of this.#kept.splice(0)) listener(cause);
  }

  /** Signals it. */
  signal(cause: number): void {
    const listener = this.#waiter ?? this.#reader;
    if (listener) listener(cause);
    else {
      this.#kept.push(cause);
      this.machine.ledger.note(cause, 'pending', this.machine.now);
    }
  }
}
