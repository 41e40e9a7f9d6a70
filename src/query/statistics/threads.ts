import type { ObjectId } from '../../base/ids.ts';
import type { Group } from './group.ts';
import type { Measured } from './samples.ts';

/** When a thread was woken, since when it runs, and how long it ran before; NaN where that is not so, or not known. */
interface Times {
  woken: number;
  since: number;
  ran: number;
}

const NEVER: Readonly<Times> = { woken: Number.NaN, since: Number.NaN, ran: Number.NaN };

/**
 * Threads that handle irqs: the latency is from the wake-up to the run that serves it, the service the time on processors until
 * the thread is done.
 */
export class Threads {
  readonly #times = new Map<ObjectId, Times>();

  woken(thread: ObjectId, time: number): void {
    const times = this.#of(thread);
    if (Number.isNaN(times.woken)) times.woken = time;
  }

  begins(thread: ObjectId, time: number, group: Group, clock: Measured | undefined): void {
    const times = this.#of(thread);
    // It goes on where it was not done; a run that began in front of the trace, or in a gap, has no known length.
    if (Number.isNaN(times.ran)) {
      times.ran = 0;
      group.handled++;
    }
    group.latency.add(time - times.woken, clock);
    times.woken = Number.NaN;
    times.since = time;
  }

  ends(thread: ObjectId, time: number, group: Group, done: boolean | undefined, clock: Measured | undefined): void {
    const times = this.#of(thread);
    const ran = times.ran + time - times.since;
    if (done === true) group.service.add(ran, clock);
    Object.assign(times, { since: Number.NaN, ran: done === false ? ran : Number.NaN });
  }

  /** Events were lost: what began before may have ended in between. */
  lose(): void {
    this.#times.clear();
  }

  #of(thread: ObjectId): Times {
    let times = this.#times.get(thread);
    if (times === undefined) this.#times.set(thread, (times = { ...NEVER }));
    return times;
  }
}
