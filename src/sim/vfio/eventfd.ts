import type { Machine } from '../machine.ts';

/** What happens when an eventfd is signalled: `cause` is the interrupt cause behind the signal, 0 none. */
export type Listener = (cause: number) => void;

/** An eventfd of the VMM: a counter with signallers and a waiter. At most one waiter has priority (irqfd). */
export class Eventfd {
  readonly machine: Machine;
  /** File descriptor in the VMM, as events show it. */
  readonly fd: number;
  #listener: Listener | undefined;
  /** Causes signalled while there was no waiter: the next waiter gets them (nothing is lost, 3.7 of KVM irqfd assign). */
  readonly #kept: number[] = [];

  constructor(machine: Machine, fd: number) {
    this.machine = machine;
    this.fd = fd;
  }

  /** Whether it has a waiter. */
  get taken(): boolean {
    return this.#listener !== undefined;
  }

  /** Sets or removes (undefined) the waiter. A new waiter gets, once, what was signalled before. */
  listen(listener: Listener | undefined): void {
    this.#listener = listener;
    if (listener) for (const cause of this.#kept.splice(0)) listener(cause);
  }

  /** Signals it. */
  signal(cause: number): void {
    if (this.#listener) this.#listener(cause);
    else this.#kept.push(cause);
  }
}
