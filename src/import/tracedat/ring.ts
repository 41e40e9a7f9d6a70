/**
 * The ring buffer of one CPU, page by page: struct buffer_data_page and struct ring_buffer_event of kernel/trace/ring_buffer.c and
 * include/linux/ring_buffer.h. A page has a stamp, and each record the time since the one before.
 */
import { RecordBytes } from './record.ts';

/** Kinds of records that are no data (enum ring_buffer_type); 0 has its length in its first word, 1 to 28 are lengths in words. */
const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
/** What the word with the length of the data says beside it (RB_MISSED_EVENTS, RB_MISSED_STORED). */
const MISSED_EVENTS = 0x80000000;
const MISSED_STORED = 0x40000000;
const COMMIT_MASK = 0x7ffffff;
/** The low 27 bits of a time stand in the record, the others in the word behind. */
const TIME_BITS = 27;
const TIME_STEP = 2 ** TIME_BITS;
const HALF = 2 ** 32;
/** Bits of a stamp that an absolute time stamp lacks. */
const HIGH_STAMP = 0xf8000000;

/** Room behind the page in its buffer, for texts that rules read together with the record. */
export const SCRATCH = 4096;

/** Where parts of a page stand: events/header_page. */
export interface PageLayout {
  readonly size: number;
  /** Offset of the word with the length, and its size: that of a `long` of the kernel. */
  readonly commit: number;
  readonly long: number;
  /** Offset of the first record. */
  readonly data: number;
}

/** What the kernel says of the header of its pages; where it does not, what all kernels have. `long`: bytes of a `long` of the recorder. */
export function pageLayout(header: string, size: number, long: number): PageLayout {
  const field = (name: string): readonly [number, number] | undefined => {
    const m = new RegExp(
      `^\\s{0,20}field:[^;\\n]{0,200}\\b${name};\\s{0,5}offset:(\\d{1,4});\\s{0,5}size:(\\d{1,9});`,
      'm',
    ).exec(header);
    return m ? [Number(m[1]), Number(m[2])] : undefined;
  };
  const [commit, width] = field('commit') ?? [8, long];
  const kernelLong = width === 4 ? 4 : 8;
  const data = field('data')?.[0] ?? commit + kernelLong;
  return { size, commit, long: kernelLong, data };
}

/** Where pages come from. */
export interface Pages {
  /** Copies the next page to the start of a buffer; returns its offset in the file, or -1 behind the last one. */
  next(into: Uint8Array): number;
  /** Pages in front of the one that was copied last cannot be read. */
  readonly skipped: boolean;
}

/** Where a record tells its event. */
export interface TypeField {
  readonly offset: number;
  readonly size: number;
}

/** A record at hand, and what is told of it. */
export interface RecordAt {
  readonly cpu: number;
  readonly record: RecordBytes;
  /** Its time, since the base. */
  readonly time: number;
  /** Its offset in the file. */
  readonly offset: number;
  /** Events that were lost before it: 0 none, -1 it is not known how many. */
  readonly missed: number;
  /** The number of its event; -1 where it is too short to tell one. */
  readonly event: number;
}

/** The records of one CPU in one ring buffer, in their order. */
export interface RecordStream extends RecordAt {
  /** Reads the first page; returns its stamp, or undefined when there is none. */
  open(): bigint | undefined;
  /** Counts times from a stamp; called before the first record is read. */
  from(stamp: bigint): void;
  /** Goes to the next record; false behind the last one: `missed` tells then what was lost behind it. */
  next(): boolean;
}

/** The records of a ring, found page by page. */
export class Ring implements RecordStream {
  readonly record: RecordBytes;
  readonly cpu: number;
  readonly #pages: Pages;
  readonly #layout: PageLayout;
  readonly #type: TypeField;
  /** What is wrong with a page or record: what, and where. */
  readonly #wrong: (what: string, offset: number) => void;
  /** The stamp that times are counted from, in halves. */
  #baseHi = 0;
  #baseLo = 0;
  /** The stamp of the page. */
  #pageHi = 0;
  #pageLo = 0;
  #at = 0;
  #end = 0;
  time = 0;
  offset = 0;
  missed = 0;
  #pageOffset = 0;
  #pageMissed = 0;

  constructor(
    cpu: number,
    pages: Pages,
    layout: PageLayout,
    big: boolean,
    type: TypeField,
    wrong: (what: string, offset: number) => void,
  ) {
    this.cpu = cpu;
    this.#pages = pages;
    this.#layout = layout;
    this.#type = type;
    this.#wrong = wrong;
    this.record = new RecordBytes(big, layout.long);
    this.record.buf = new Uint8Array(layout.size + SCRATCH);
    this.record.view = new DataView(this.record.buf.buffer);
    this.record.words = new Int32Array(this.record.buf.buffer);
  }

  get event(): number {
    const { record } = this;
    const { offset, size } = this.#type;
    const at = record.at + offset;
    if (at + size > record.end) return -1;
    return size === 2 ? record.view.getUint16(at, record.little) : record.view.getUint32(at, record.little);
  }

  open(): bigint | undefined {
    return this.#page() ? (BigInt(this.#pageHi) << 32n) | BigInt(this.#pageLo) : undefined;
  }

  from(stamp: bigint): void {
    this.#baseHi = Number(stamp >> 32n);
    this.#baseLo = Number(stamp & 0xffffffffn);
    this.time = this.#since(this.#pageHi, this.#pageLo);
  }

  next(): boolean {
    for (;;) {
      while (this.#at >= this.#end) if (!this.#page()) return false;
      if (this.#step()) return true;
    }
  }

  #page(): boolean {
    const { record } = this;
    const { size, commit, long, data } = this.#layout;
    const offset = this.#pages.next(record.buf);
    if (this.#pages.skipped) this.#pageMissed = -1;
    if (offset < 0) {
      this.missed = this.#pageMissed;
      return false;
    }
    const { view, little } = record;
    this.#pageOffset = offset;
    this.#pageHi = view.getUint32(little ? 4 : 0, little);
    this.#pageLo = view.getUint32(little ? 0 : 4, little);
    this.time = this.#since(this.#pageHi, this.#pageLo);
    const word = view.getUint32(commit + (little || long === 4 ? 0 : 4), little);
    const length = word & COMMIT_MASK;
    this.#at = data;
    this.#end = data + length;
    if (this.#end > size) {
      this.#wrong('a page that says it is longer than a page', offset);
      this.#end = data;
      this.#pageMissed = -1;
      return true;
    }
    // Losses that a page without records tells are told with the next record.
    if ((word & MISSED_EVENTS) !== 0) this.#lost((word & MISSED_STORED) !== 0 ? this.#end : -1);
    return true;
  }

  /** Takes down a loss, whose size stands behind the records at `at`. */
  #lost(at: number): void {
    const { view, little } = this.record;
    const { size, long } = this.#layout;
    let count = -1;
    if (at >= 0 && at + long <= size) {
      const low = view.getUint32(long === 4 || little ? at : at + 4, little);
      const high = long === 4 ? 0 : view.getUint32(little ? at + 4 : at, little);
      count = high === 0 ? low : -1;
    }
    this.#pageMissed = count < 0 || this.#pageMissed < 0 ? -1 : this.#pageMissed + count;
  }

  #since = (hi: number, lo: number): number => (hi - this.#baseHi) * HALF + (lo - this.#baseLo);

  /** Takes the next record of the page; false when it is none with data. */
  #step(): boolean {
    const { record } = this;
    const { view, little } = record;
    const at = this.#at;
    const left = this.#end - at;
    if (left < 4) return this.#broken(at);
    const word = view.getUint32(at, little);
    const kind = little ? word & 31 : word >>> TIME_BITS;
    const delta = little ? word >>> 5 : word & (TIME_STEP - 1);
    if (kind > 0 && kind < PADDING) return this.#data(at, at + 4, kind * 4, delta);
    if (kind === PADDING && delta === 0) {
      // Nothing stands behind it on this page.
      this.#at = this.#end;
      return false;
    }
    if (left < 8) return this.#broken(at);
    const second = view.getUint32(at + 4, little);
    switch (kind) {
      case PADDING:
        // A record that was discarded: the time since it counts from it.
        this.time += delta;
        this.#at = at + 4 + Math.max(4, second);
        return this.#at > this.#end ? this.#broken(at) : false;
      case TIME_EXTEND:
        this.time += second * TIME_STEP + delta;
        this.#at = at + 8;
        return false;
      case TIME_STAMP:
        this.time = this.#since(
          ((second >>> 5) | (this.#pageHi & HIGH_STAMP)) >>> 0,
          ((second << TIME_BITS) | delta) >>> 0,
        );
        this.#at = at + 8;
        return false;
      default:
        return second < 4 ? this.#broken(at) : this.#data(at, at + 8, second - 4, delta);
    }
  }

  #data(at: number, start: number, size: number, delta: number): boolean {
    const next = start + ((size + 3) & ~3);
    if (next > this.#end || size > COMMIT_MASK) return this.#broken(at);
    this.#at = next;
    this.time += delta;
    this.record.at = start;
    this.record.end = start + size;
    this.offset = this.#pageOffset + at;
    this.missed = this.#pageMissed;
    this.#pageMissed = 0;
    return true;
  }

  /** The rest of the page cannot be read. */
  #broken(at: number): false {
    this.#wrong('a record that is longer than its page', this.#pageOffset + at);
    this.#at = this.#end;
    this.#pageMissed = -1;
    return false;
  }
}
