import type { ObjectId } from '../../base/ids.ts';
import { cpuSeen } from '../../model/events/cpu.ts';
import { lost } from '../../model/events/notes.ts';
import { cpu } from '../../model/things/irq.ts';
import type { TraceBuilder } from '../../trace/builder.ts';

const ONLINE = cpu.at.online;

/** The CPUs of a trace, as their records show them. */
export class Cpus {
  readonly #out: TraceBuilder;
  readonly #online = new Set<number>();
  /** The object of each CPU that recorded something. */
  readonly #objects: ObjectId[] = [];

  constructor(out: TraceBuilder) {
    this.#out = out;
  }

  /** How many recorded something. */
  get count(): number {
    return this.#online.size;
  }

  /** Whether it is known that this CPU is online. */
  isOnline(n: number): boolean {
    const object = this.#objects[n];
    return object !== undefined && this.#out.state.num(object, ONLINE) === 1;
  }

  /** A record of this CPU: it is online, until something says otherwise. */
  seen(n: number): void {
    if (this.isOnline(n)) return;
    this.#online.add(n);
    this.#out.emit(cpuSeen.put(), (this.#objects[n] ??= this.#out.world.object(cpu, `cpu/${n}`)));
  }

  /** Events of a CPU were lost; -1: it is not known how many. */
  lost(n: number, buffer: ObjectId, count: number): void {
    const out = this.#out;
    out.cpu = n;
    if (count < 0) out.accounting.gaps++;
    const event = lost.put();
    if (count >= 0) event.count(count);
    out.emit(event, buffer);
  }
}
