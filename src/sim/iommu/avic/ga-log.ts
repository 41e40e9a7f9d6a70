import type { ObjectId } from '../../../base/ids.ts';
import { gaLogRead, gaLogStart, gaLogWrite } from '../../../model/events/platform/avic.ts';
import { gaLog } from '../../../model/things/avic.ts';
import type { Actions, Machine } from '../../machine.ts';

/** Nanoseconds to read an entry of the log, and to switch the log off and on. */
const READ = 200;
const RESTART = 1000;

/** The GA log of an AMD IOMMU: a ring of GATags, read by a handler of the host. */
export class GaLog {
  readonly machine: Machine;
  readonly object: ObjectId;
  readonly entries: number;
  /** Called when an entry was written, or did not fit: the unit interrupts the host. */
  onWrite: (() => void) | undefined;
  readonly #waiting: number[] = [];
  #overflow = false;

  constructor(machine: Machine, entries: number) {
    this.machine = machine;
    this.entries = entries;
    this.object = machine.world.object(gaLog, 'galog/0');
  }

  start(): void {
    this.#overflow = false;
    this.machine.emit(gaLogStart, this.object, { entries: this.entries });
  }

  /** The unit logs a tag. A full ring, or one that overflowed and was not started again, takes nothing. */
  write(tag: number): void {
    const { machine } = this;
    const full = this.#overflow || this.#waiting.length >= this.entries - 1;
    machine.emit(gaLogWrite, this.object, full ? { tag, dropped: true } : { tag });
    if (!full) this.#waiting.push(tag);
    const news = !full || !this.#overflow;
    this.#overflow ||= full;
    if (news) this.onWrite?.();
  }

  /** amd_iommu_int_thread_galog: reads what is there, tells KVM of each, and starts a log again that overflowed. */
  *serve(notify: (tag: number) => void): Actions {
    for (let tag = this.#waiting.shift(); tag !== undefined; tag = this.#waiting.shift()) {
      yield READ;
      this.machine.emit(gaLogRead, this.object, { tag });
      notify(tag);
    }
    if (!this.#overflow) return;
    yield RESTART;
    this.start();
  }
}
