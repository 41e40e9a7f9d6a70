import type { Actor, Machine } from '../machine.ts';
import type { Message } from './message.ts';

/** Nanoseconds that a posted write needs from the function to the root complex. */
const FLIGHT = 300;

/** A message that has left a function. */
interface Flight {
  readonly message: Message;
  landed: boolean;
}

/** The way from a function to the receiver of its messages: posted writes keep their order (PCI ordering rules). */
export class Wire {
  readonly #machine: Machine;
  readonly #carrier: Actor;
  readonly #arrive: (message: Message) => void;
  readonly #flights: Flight[] = [];

  /** `arrive` is called by the carrier when a message is there. */
  constructor(machine: Machine, carrier: Actor, arrive: (message: Message) => void) {
    this.#machine = machine;
    this.#carrier = carrier;
    this.#arrive = arrive;
  }

  /** Sends a message: it arrives after its flight. */
  send(message: Message): void {
    const flight: Flight = { message, landed: false };
    this.#flights.push(flight);
    this.#machine.after(FLIGHT, this.#carrier, () => this.#land(flight));
  }

  /** Whether a message is on its way whose object `is` says so of. */
  some(is: (from: number) => boolean): boolean {
    return this.#flights.some(({ message }) => is(message.from));
  }

  /** Lands every message on its way: what a completed read of the function guarantees. */
  flush(): void {
    const last = this.#flights.at(-1);
    if (last) this.#machine.as(this.#carrier, () => this.#land(last));
  }

  /** A message arrives, and before it all that were sent before. */
  #land(flight: Flight): void {
    while (!flight.landed) {
      const first = this.#flights.shift()!;
      first.landed = true;
      this.#arrive(first.message);
    }
  }
}
