import type { Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { Eventfd } from './eventfd.ts';

/** The eventfds of the VMM by number. */
export class Eventfds {
  readonly machine: Machine;
  readonly #all = new Map<number, Eventfd>();
  #next = 100;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** A new eventfd with the next number. */
  make(): Eventfd {
    while (this.#all.has(this.#next)) this.#next++;
    return this.#enter(new Eventfd(this.machine, this.#next++));
  }

  #enter(eventfd: Eventfd): Eventfd {
    this.#all.set(eventfd.fd, eventfd);
    return eventfd;
  }

  /** The eventfd with a number; undefined: that number is none (-EBADF). */
  get(fd: number): Eventfd | undefined {
    return this.#all.get(fd);
  }

  /** The eventfd with a number; a new one that user space reads when there is none. */
  open(fd: number): Eventfd {
    return this.#all.get(fd) ?? this.#listen(this.#enter(new Eventfd(this.machine, fd)));
  }

  /** A new eventfd with the next number, that user space reads. */
  read(): Eventfd {
    return this.#listen(this.make());
  }

  #listen(eventfd: Eventfd): Eventfd {
    const { machine } = this;
    eventfd.listen((cause) => machine.ledger.note(cause, 'delivered', machine.now));
    return eventfd;
  }
}

/** The eventfds of the system. */
export const eventfds: Service<Eventfds> = service('eventfds');

/** The eventfds, made when they are asked for first. */
export function eventfdsOf(setup: Setup): Eventfds {
  return setup.find(eventfds) ?? setup.provide(eventfds, new Eventfds(setup.machine));
}
