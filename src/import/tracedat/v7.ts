/** trace.dat version 7: sections anywhere in the file, which options name (trace-cmd.dat.v7.5 of trace-cmd). */
import type { Helpers } from '../helpers.ts';
import { type Contents, type CpuData, OPTION, optionCursor } from './contents.ts';
import { type Bytes, Cursor, Piece, Trouble } from './file.ts';
import {
  checkCpus,
  checkPage,
  readCpuData,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  sized,
} from './parts.ts';
import { PartUnpacker } from './unpack.ts';

/** Number (2 bytes), flags (2), description (4), size (8). */
const SECTION_HEADER = 16;
/** Flag of a section: it is packed. */
const PACKED = 1;

/** Sections that are looked at where no option names them; trace-cmd writes ten, and one for each instance. */
const MOST_SECTIONS = 4096;

/** What the parts are called in messages. */
const NAMES: Readonly<Record<number, string>> = {
  [OPTION.done]: 'the options',
  [OPTION.headerInfo]: 'the header descriptions',
  [OPTION.ftraceEvents]: 'the ftrace formats',
  [OPTION.eventFormats]: 'the event formats',
  [OPTION.kallsyms]: 'the symbols',
  [OPTION.printk]: 'the texts of the kernel',
  [OPTION.cmdlines]: 'the names of processes',
  [OPTION.buffer]: 'the data of a buffer',
};

interface Section {
  readonly id: number;
  readonly packed: boolean;
  /** Where its content begins and ends in the file. */
  readonly at: number;
  readonly end: number;
}

/** Reads the sections of a file. What is missing or wrong goes into the problems; everything else is read. */
export class SectionReader {
  readonly #bytes: Bytes;
  readonly #contents: Contents;
  readonly #unpacker: PartUnpacker | undefined;
  /** Offsets of sections that were read. */
  readonly #seen = new Set<number>();

  constructor(bytes: Bytes, contents: Contents, helpers: Helpers) {
    this.#bytes = bytes;
    this.#contents = contents;
    const { packing } = contents.head;
    this.#unpacker = PartUnpacker.of(packing, helpers);
    if (packing !== 'none' && this.#unpacker === undefined)
      contents.wrong(`is packed with ${packing.replace(/[^ -~]/g, '?').slice(0, 20)}, which is not read`);
  }

  /** `from`: where the first section may stand. */
  read(from: number): void {
    for (let at = this.#contents.head.options; at !== 0; ) {
      const next = this.#guard(() => this.#options(at));
      at = next ?? 0;
    }
    // Without all options, sections are found where they follow each other.
    if (this.#contents.buffers.length === 0 && this.#contents.texts === 0) this.#guard(() => this.#walk(from));
  }

  #guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#contents.wrong(error.message);
      return undefined;
    }
  }

  #section(at: number, id: number): Section {
    const what = NAMES[id] ?? 'a section';
    if (at >= this.#bytes.size) throw new Trouble(`ends at byte ${this.#bytes.size}, before ${what} at byte ${at}`);
    const c = new Cursor(this.#bytes, this.#contents.head.big, at);
    const found = c.number(2, what);
    const flags = c.number(2, what);
    c.number(4, what);
    const size = c.number(8, what);
    if (found !== id) throw new Trouble(`does not have ${what} at byte ${at}, but section ${found}`);
    return { id, packed: (flags & PACKED) !== 0, at: c.at, end: Math.min(this.#bytes.size, c.at + size) };
  }

  /** The content of a section, unpacked. */
  #content({ id, packed, at, end }: Section): Cursor {
    const { big } = this.#contents.head;
    const what = NAMES[id] ?? 'a section';
    const c = new Cursor(this.#bytes, big, at, end);
    if (!packed) return c;
    const from = c.number(4, what);
    const size = c.number(4, what);
    const start = c.at;
    if (from > c.left) throw new Trouble(`ends at byte ${end}, within ${what} that begin at byte ${at}`);
    if (this.#unpacker === undefined) throw new Trouble(`has ${what} at byte ${at} in a packing that is not read`);
    const bytes = this.#unpacker.unpack(this.#bytes, start, from, size);
    return new Cursor(new Piece(bytes), big, 0, size, (n) => `at byte ${n} of what is packed at byte ${start}`);
  }

  /** Reads a section of options, and what they name; returns where the next one stands, 0 for nowhere. */
  #options(at: number): number {
    if (this.#seen.has(at)) throw new Trouble(`names the options at byte ${at} twice`);
    this.#seen.add(at);
    const c = this.#content(this.#section(at, OPTION.done));
    while (c.left > 0) {
      const id = c.number(2, 'the options');
      const { place } = c;
      const data = new Piece(sized(c, 4, 'the options'));
      if (id === OPTION.done) return data.size < 8 ? 0 : this.#number(data);
      this.#contents.addOption({ id, data, place });
      this.#guard(() => this.#option(id, data, place));
    }
    throw new Trouble(`has options at byte ${at} without an end`);
  }

  #number = (data: Bytes): number => new Cursor(data, this.#contents.head.big).number(8, 'an option');

  #option(id: number, data: Bytes, place: string): void {
    if (id === OPTION.buffer) this.#buffer(data, place);
    else if (id === OPTION.bufferText) this.#contents.texts++;
    else if (id >= OPTION.headerInfo && id <= OPTION.cmdlines && data.size >= 8) this.#part(id, this.#number(data));
  }

  #part(id: number, at: number): void {
    if (this.#seen.has(at)) return;
    this.#seen.add(at);
    const contents = this.#contents;
    const section = this.#section(at, id);
    if (id === OPTION.kallsyms) {
      // The largest part, and most traces do not need it.
      contents.kallsyms = () => this.#guard(() => sized(this.#content(section), 4, 'the symbols')) ?? new Uint8Array(0);
      return;
    }
    const c = this.#content(section);
    if (id === OPTION.headerInfo) readHeaderInfo(c, contents);
    else if (id === OPTION.ftraceEvents) readFtraceFormats(c, contents);
    else if (id === OPTION.eventFormats) readEventFormats(c, contents);
    else if (id === OPTION.printk) contents.printk = sized(c, 4, 'the texts of the kernel');
    else if (id === OPTION.cmdlines) contents.cmdlines = sized(c, 8, 'the names of processes');
  }

  /** The option of a ring buffer: where its section stands, its name, clock and page size, and where the data of each CPU stand. */
  #buffer(data: Bytes, place: string): void {
    const c = optionCursor({ data, place }, this.#contents.head.big);
    const at = c.number(8, 'the option of a buffer');
    const name = c.text('the name of a buffer');
    const clock = c.text('the clock of a buffer');
    const pageSize = c.number(4, 'the page size of a buffer');
    const count = checkCpus(c.number(4, 'the number of CPUs'), place);
    checkPage(pageSize, place);
    const cpus: CpuData[] = [];
    for (let i = 0; i < count; i++) cpus.push(readCpuData(c, c.number(4, 'the option of a buffer')));
    const { packed } = this.#section(at, OPTION.buffer);
    this.#contents.addBuffer({ name, clock, pageSize, packed, cpus });
  }

  /**
   * Finds sections from one to the next: a file whose end is lost, or whose recorder was killed, has no options for its data. Data that are
   * packed tell where they end; which CPU they are of, the statistics of the CPUs tell, if at all.
   */
  #walk(from: number): void {
    const contents = this.#contents;
    const { big, pageSize } = contents.head;
    for (let at = from, n = 0; at + SECTION_HEADER <= this.#bytes.size && n < MOST_SECTIONS; n++) {
      const c = new Cursor(this.#bytes, big, at);
      const id = c.number(2, 'a section');
      const packed = (c.number(2, 'a section') & PACKED) !== 0;
      c.number(4, 'a section');
      const size = c.number(8, 'a section');
      if (id === OPTION.buffer) {
        if (!packed) {
          contents.wrong(`has data at byte ${at} of which no option tells where those of each CPU begin`);
          return;
        }
        const parts = this.#chunks(c.at, pageSize);
        const cpus = cpusWithData(contents);
        contents.addBuffer({
          name: '',
          clock: '',
          pageSize,
          packed,
          cpus: parts.map((part, i) => ({ ...part, cpu: cpus[i] ?? -1 })),
        });
        return;
      }
      if (id >= OPTION.headerInfo && id <= OPTION.cmdlines) this.#guard(() => this.#part(id, at));
      else if (id === OPTION.done && !this.#seen.has(at)) this.#guard(() => this.#options(at));
      at = c.at + size;
    }
  }

  /** Where the packed data of CPUs stand that begin behind a byte, each at the begin of a page. */
  #chunks(from: number, pageSize: number): { readonly at: number; readonly size: number }[] {
    const { size: end } = this.#bytes;
    const parts: { at: number; size: number }[] = [];
    let at = from;
    for (;;) {
      at = Math.ceil(at / pageSize) * pageSize;
      if (at + 12 > end) return parts;
      const c = new Cursor(this.#bytes, this.#contents.head.big, at);
      const chunks = c.number(4, 'a chunk');
      const packed = c.number(4, 'a chunk');
      const size = c.number(4, 'a chunk');
      // What is no list of chunks is another section.
      if (chunks === 0 || packed === 0 || size === 0 || size % pageSize !== 0) return parts;
      c.at = at + 4;
      for (let i = 0; i < chunks && c.left >= 8; i++) {
        const length = c.number(4, 'a chunk');
        c.number(4, 'a chunk');
        c.at = Math.min(end, c.at + length);
      }
      parts.push({ at, size: c.at - at });
      at = c.at;
    }
  }
}

/** The CPUs that recorded something, as the option with the statistics of each tells (per_cpu/cpuN/stats of tracefs). */
function cpusWithData({ options }: Contents): number[] {
  const cpus: number[] = [];
  const seen = new Set<number>();
  for (const { id, data } of options) {
    if (id !== OPTION.cpuStat) continue;
    const text = String.fromCharCode(...data.slice(0, Math.min(data.size, 1000)));
    const number = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const cpu = number('CPU');
    // Statistics of instances name the same CPUs again: then they tell nothing.
    if (seen.has(cpu)) return [];
    seen.add(cpu);
    if (number('entries') + number('read events') > 0) cpus.push(cpu);
  }
  return cpus;
}
