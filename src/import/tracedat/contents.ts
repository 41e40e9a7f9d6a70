/** What a trace.dat file holds, whatever the version of its form. */
import { type Bytes, Cursor, Trouble } from './file.ts';

/** The first bytes of the file. */
export interface Head {
  readonly version: number;
  /** Numbers have their high byte first. */
  readonly big: boolean;
  /** Bytes of a `long` of the programs that recorded; the kernel's own is in the description of the page header. */
  readonly long: number;
  readonly pageSize: number;
  /** What the parts are packed with: `none`, `zstd`, `zlib` or a word that is not known; '' before version 7. */
  readonly packing: string;
  /** Where the first section of options stands; 0 before version 7. */
  readonly options: number;
}

/** The data of one CPU in one ring buffer. */
export interface CpuData {
  readonly cpu: number;
  readonly at: number;
  readonly size: number;
}

/** One ring buffer: the kernel has one, and one for each instance that was made. */
export interface Buffer {
  /** The name of the instance; '' is the buffer that is always there. */
  readonly name: string;
  /** The clock of the stamps, '' where the file has one clock for all. */
  readonly clock: string;
  readonly pageSize: number;
  /** The data of the CPUs are packed in chunks. */
  readonly packed: boolean;
  readonly cpus: readonly CpuData[];
}

/** One option: a number, and data that the number explains. */
export interface Option {
  readonly id: number;
  readonly data: Bytes;
  /** Where the data begin, in words. */
  readonly place: string;
}

/** Reads the data of an option. */
export const optionCursor = ({ data, place }: Pick<Option, 'data' | 'place'>, big: boolean): Cursor =>
  new Cursor(data, big, 0, data.size, () => place);

/** Options that are read (lib/trace-cmd/include/private/trace-cmd-private.h, TRACECMD_OPTION_*); sections have the same numbers. */
export const OPTION = {
  done: 0,
  date: 1,
  cpuStat: 2,
  buffer: 3,
  traceClock: 4,
  uname: 5,
  offset: 7,
  cpuCount: 8,
  version: 9,
  traceId: 11,
  timeShift: 12,
  guest: 13,
  tscToNs: 14,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
  bufferText: 22,
};

/** The text that describes the records of one event, as the kernel gives it (events/SYSTEM/EVENT/format). */
export interface FormatText {
  readonly system: string;
  readonly text: Uint8Array;
}

/** Options and formats at most: there is an option for each CPU of each buffer, and the number of an event has 16 bits. */
const MOST = 1 << 17;
/** Buffers at most: the kernel has one, and one for each instance that the user made; and the CPUs of all of them. */
const MOST_BUFFERS = 1024;
const MOST_CPUS = 1 << 18;

export class Contents {
  readonly head: Head;
  /** What the kernel says of the header of a page. */
  headerPage = '';
  readonly formats: FormatText[] = [];
  /** /proc/kallsyms of the machine; unpacked only when it is asked for. */
  kallsyms: (() => Uint8Array) | undefined;
  /** printk_formats: texts that the kernel keeps outside of the ring buffer. */
  printk: Uint8Array = new Uint8Array(0);
  /** saved_cmdlines: the names of processes. */
  cmdlines: Uint8Array = new Uint8Array(0);
  readonly options: Option[] = [];
  readonly buffers: Buffer[] = [];
  /** Buffers that hold the text of a tracer instead of records. */
  texts = 0;
  /** The text of a latency tracer (version 6), and where in the file it begins. */
  latency: { readonly text: Uint8Array; readonly at: number } | undefined;
  /** Takes what is wrong with the file, as the rest of a sentence that begins with `the file`. */
  readonly wrong: (problem: string) => void;

  #cpus = 0;

  constructor(head: Head, wrong: (problem: string) => void) {
    this.head = head;
    this.wrong = wrong;
  }

  addOption(option: Option): void {
    if (this.options.push(option) > MOST) throw new Trouble(`has more than ${MOST} options`);
  }

  addFormat(format: FormatText): void {
    if (this.formats.push(format) > MOST) throw new Trouble(`has more than ${MOST} formats`);
  }

  addBuffer(buffer: Buffer): void {
    this.#cpus += buffer.cpus.length;
    if (this.#cpus > MOST_CPUS) throw new Trouble(`has data of more than ${MOST_CPUS} CPUs`);
    if (this.buffers.push(buffer) > MOST_BUFFERS) throw new Trouble(`has more than ${MOST_BUFFERS} buffers`);
  }
}
