import type { SourceId } from '../base/ids.ts';
import type { TimeBase } from '../base/time.ts';
import { type Accounting, emptyAccounting } from './accounting.ts';
import { EventTable } from './table.ts';

/** What recorded a source, seen from its system: the kernel inside, the hardware around it, or the hypervisor under it. */
export type Vantage = 'kernel' | 'hardware' | 'hypervisor';

/** Two events of two sources that show the same instant. */
export interface Evidence {
  /** The source, and the event by its place there. */
  readonly source: SourceId;
  readonly row: number;
  /** The other source, and its event. */
  readonly otherSource: SourceId;
  readonly other: number;
  /** What both show, such as `the same message was stored`. */
  readonly what: string;
}

/** How the clock of a source was brought to that of another one. */
export interface Alignment {
  /** The source whose clock it was compared with; -1 where nothing was compared. */
  readonly with: SourceId;
  /** Nanoseconds by which the offset may be wrong; undefined where nothing tells. */
  readonly uncertainty: number | undefined;
  /** The offset was given by the user. */
  readonly given: boolean;
  /** One of the two sources tells it (`shift`). */
  readonly told?: boolean | undefined;
  /** What tells it, in words, where no pair of events does. */
  readonly why?: string | undefined;
  /** Nothing shows it: it holds where the recorder was used as it is set up by default. */
  readonly assumed?: boolean | undefined;
  /** Both sources tell the time of day, and nothing else of one another. */
  readonly day?: boolean | undefined;
  readonly evidence: readonly Evidence[];
}

/** How the times of a source become those of another recording, as the source itself tells: both were measured against each other. */
export interface ToldShift {
  /** The other recording, by the name that its files give (`recording`). */
  readonly to: string;
  /** Nanoseconds to add to a time at `origin`. */
  readonly offset: bigint;
  /** What is added for each unit behind `origin`, in units since the base of the source. */
  readonly rate: number;
  readonly origin: number;
  /** Nanoseconds by which measurements differ from that. */
  readonly uncertainty: number;
}

/** One moment in the clock of a source and in the time of day. */
export interface ClockMoment {
  /** Its own time, in nanoseconds since the base of the source. */
  readonly own: number;
  /** Nanoseconds since 1970. */
  readonly day: bigint;
}

/** How the clock of a file goes with that of another one that recorded the same events: the line takes its times to those of the other. */
export interface SameRecords {
  readonly of: string;
  /** Nanoseconds that are added at `origin`, and what is added for each unit behind it; times since the base of each source. */
  readonly offset: number;
  readonly rate: number;
  readonly origin: number;
  /** Nanoseconds by which the stamps of one event differ after that. */
  readonly uncertainty: number;
  /** Lines of such events in the other file: the first ones. */
  readonly lines: readonly number[];
}

/** Events of a file that another one has, too. */
export interface Repeats {
  /** The other file; the last one where there are several. */
  readonly of: string;
  readonly events: number;
}

/** How a file goes on from another one that was recorded just before it, by the same recorder with the same clock. */
export interface Continues {
  readonly file: string;
  /** The latest time of an event before it, in units since the base of the source: its own events stand behind that. */
  readonly until: number;
}

/** A byte that a guest wrote to the debug console of its machine. */
export interface MarkByte {
  readonly value: number;
  /** In nanoseconds since the base of the source. */
  readonly time: number;
  /** The event of the source that came before it, by its place there; -1 for none. */
  readonly row: number;
}

/** A line that a kernel logged. */
export interface LogLine {
  /** What stands behind stamp and level, up to a bound. */
  readonly text: string;
  /** In nanoseconds since the base of the source. */
  readonly time: number;
  /** The event of the source that came before it, by its place there; -1 for none. */
  readonly row: number;
  /** How many events the line became. */
  events: number;
}

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
  /** Release of the kernel that recorded, such as `6.12.9`; undefined where the source does not tell it. */
  kernel?: string | undefined;
  /** How the times of the source are stored. */
  time: TimeBase;
  /** Nanoseconds to add to the times of the source to get times of the trace. */
  offset: bigint;
  /** Parts per million by which the clock of the trace goes faster than that of the source, counted from its `start`. */
  drift: number;
  /** How the clock of the source was brought to that of the trace; undefined for the source whose clock it is. */
  alignment?: Alignment | undefined;
  /** Where a source without stamps stands: behind all events up to that time of the trace; undefined before all of them. */
  place?: number | undefined;
  /** What gave a source without stamps its place, in words; undefined for sources with stamps, and where it is the only one. */
  placedBy?: string | undefined;
  /** The earliest and the latest time of a record in the source, whether it became an event or not; NaN while no record had a stamp. */
  start: number;
  end: number;
  /** What is wrong with the source as a whole, such as packed data that is cut off; nothing read before is lost. */
  problem?: string | undefined;
  /** Header lines of a trace file that say more than its format and clock, each `name value` without its `#`. */
  header?: readonly string[] | undefined;
  /** What was undone to read it, such as quoting. */
  undone: readonly string[];
  /** Nobody recorded it: its events follow from what other sources of the trace show together. */
  derived: boolean;
  /**
   * It is no text: `line` of an event is the number of its record in order of time, and `offset` goes back where the file keeps the
   * records of each CPU together.
   */
  binary: boolean;
  /** The name of the recording that it is a part of: files of a host and of its guests name each other by it. */
  recording?: string | undefined;
  /** What it tells of its clock and that of another recording. */
  shift?: ToldShift | undefined;
  /** What it, or a file beside it, tells of its clock and the time of day. */
  moments?: readonly ClockMoment[] | undefined;
  /** Bytes that a guest wrote to the debug console of its machine (port 0xe9): a script puts them beside its marks in a trace. */
  markBytes?: MarkByte[] | undefined;
  /** Lines of the log of the kernel, with the times of this source: another source may show them with its own. */
  logLines?: LogLine[] | undefined;
  /** Events of the file that another one of the trace has, too, and that are not told again. */
  repeats?: Repeats | undefined;
  /** What another file recorded, too, tells of their clocks. */
  same?: SameRecords | undefined;
  /** The file that it goes on from, where one recording was cut into several. */
  continues?: Continues | undefined;
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
  kernel?: string | undefined;
  time: TimeBase = { base: 0n, ticks: false, digits: 6 };
  offset = 0n;
  drift = 0;
  alignment?: Alignment | undefined;
  place?: number | undefined;
  placedBy?: string | undefined;
  start = Number.NaN;
  end = Number.NaN;
  problem?: string | undefined;
  header?: readonly string[] | undefined;
  undone: readonly string[] = [];
  derived = false;
  binary = false;
  recording?: string | undefined;
  shift?: ToldShift | undefined;
  moments?: readonly ClockMoment[] | undefined;
  markBytes?: MarkByte[] | undefined;
  logLines?: LogLine[] | undefined;
  repeats?: Repeats | undefined;
  same?: SameRecords | undefined;
  continues?: Continues | undefined;
  readonly accounting: Accounting;
  readonly events = new EventTable();

  constructor(facts: Partial<SourceFacts> & { readonly file: string }, accounting = emptyAccounting()) {
    this.accounting = accounting;
    Object.assign(this, facts);
  }

  /** What is known of the file and of how it was read. */
  get facts(): SourceFacts {
    const { events: _, accounting: _accounting, ...facts } = this;
    return facts;
  }
}
