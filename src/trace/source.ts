import type { TimeBase } from '../base/time.ts';
import { type Accounting, emptyAccounting } from './accounting.ts';
import { EventTable } from './table.ts';

/** What recorded a source, seen from its system: the kernel inside, the hardware around it, or the hypervisor under it. */
export type Vantage = 'kernel' | 'hardware' | 'hypervisor';

/** What is known of a file and of how it was read. */
export interface SourceFacts {
  /** Name of the source as the user gave it. */
  file: string;
  /** Format, such as `qemu-log`. */
  format: string;
  /** Variant of the format, in words. */
  variant: string;
  /** The machine whose interrupts the source tells; '' where there is only one machine and it has no name. */
  system: string;
  /** What recorded it, seen from that machine; null until that is known. */
  vantage: Vantage | null;
  /** Clock of the stamps, as far as the source tells. */
  clock: string;
  /** CPUs that the header names or that were seen; 0 unknown. */
  cpus: number;
  /** How the times of the source are stored. */
  time: TimeBase;
  /** Nanoseconds to add to the times of the source to get times of the trace. */
  offset: bigint;
  /** The earliest and the latest time of a record in the source, whether it became an event or not; NaN while no record had a stamp. */
  start: number;
  end: number;
  /** What is wrong with the source as a whole, such as packed data that is cut off; nothing read before is lost. */
  problem?: string;
  /** Header lines of a trace file that say more than its format and clock, each `name value` without its `#`. */
  header?: readonly string[];
  /** What was undone to read it, such as quoting. */
  undone: readonly string[];
}

/** One file with one clock and one accounting: its events in their own order, and the counts of everything else in it. */
export class Source implements SourceFacts {
  file = '';
  format = '';
  variant = '';
  system = '';
  vantage: Vantage | null = null;
  clock = 'unknown';
  cpus = 0;
  time: TimeBase = { base: 0n, ticks: false, digits: 6 };
  offset = 0n;
  start = Number.NaN;
  end = Number.NaN;
  problem?: string;
  header?: readonly string[];
  undone: readonly string[] = [];
  readonly accounting: Accounting = emptyAccounting();
  readonly events = new EventTable();

  constructor(facts: Partial<SourceFacts> & { readonly file: string }) {
    Object.assign(this, facts);
  }
}
