// Writes trace.dat files of versions 6 and 7, byte by byte, as the descriptions of the format say (trace-cmd.dat.v6.5 and v7.5 of trace-cmd,
// include/linux/ring_buffer.h). It shares nothing with the importer.
import { deflateSync, zstdCompressSync } from 'node:zlib';

/** What a file is written for. */
export interface Machine {
  readonly big: boolean;
  /** Bytes of a long of the kernel. */
  readonly long: 4 | 8;
}

export const LITTLE: Machine = { big: false, long: 8 };

/** Numbers and texts in the byte order of a machine. */
export class Bytes {
  readonly #big: boolean;
  #bytes: number[] = [];

  constructor(big: boolean) {
    this.#big = big;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** A number of so many bytes; negative ones in two's complement. */
  n(size: number, value: number | bigint): this {
    const wide = BigInt.asUintN(size * 8, BigInt(value));
    for (let i = 0; i < size; i++) {
      const shift = BigInt(8 * (this.#big ? size - 1 - i : i));
      this.#bytes.push(Number((wide >> shift) & 255n));
    }
    return this;
  }

  /** A text, without a NUL. */
  text(text: string): this {
    this.#bytes.push(...new TextEncoder().encode(text));
    return this;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** Zeros up to a multiple of a size. */
  align(size: number): this {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
    return this;
  }

  /** Writes a number over what stands at a place. */
  patch(at: number, size: number, value: number | bigint): void {
    const other = new Bytes(this.#big).n(size, value);
    for (const [i, byte] of other.#bytes.entries()) this.#bytes[at + i] = byte;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** An entry of a ring buffer. */
export type Entry =
  /** A record: the time since the entry before it, and its data. `long`: its length stands in its first word, however short it is. */
  | { readonly after: number; readonly data: Uint8Array; readonly long?: boolean }
  | { readonly extend: number }
  | { readonly stamp: bigint }
  /** A record that was discarded, of so many bytes. */
  | { readonly discarded: number; readonly after: number }
  /** Nothing more on this page. */
  | { readonly rest: true };

/** A page: its stamp, its entries, and how many events were lost before it; -1: some. */
export interface Page {
  readonly stamp: bigint;
  readonly entries: readonly Entry[];
  readonly lost?: number;
}

/** A page as it lies in a ring buffer. */
export interface RawPage {
  readonly raw: Uint8Array;
}

/** The data of one CPU. */
export interface Cpu {
  readonly cpu: number;
  readonly pages: readonly (Page | RawPage)[];
}

/** A ring buffer. */
export interface Ring {
  readonly name?: string;
  readonly clock?: string;
  readonly cpus: readonly Cpu[];
}

/** What a file holds. */
export interface Dat {
  readonly machine?: Machine;
  readonly pageSize?: number;
  /** Formats of events: system, and the text. */
  readonly formats: readonly (readonly [system: string, text: string])[];
  readonly kallsyms?: string;
  readonly printk?: string;
  readonly cmdlines?: string;
  /** Options beside those that the writer makes. */
  readonly options?: readonly (readonly [id: number, data: Uint8Array])[];
  readonly rings: readonly Ring[];
  readonly headerPage?: string;
}

/** One entry as bytes (struct ring_buffer_event): type and length in 5 bits, time in 27. */
function entryBytes(entry: Entry, { big }: Machine): Uint8Array {
  const out = new Bytes(big);
  const word = (kind: number, time: number): Bytes => out.n(4, big ? kind * 2 ** 27 + time : time * 32 + kind);
  if ('extend' in entry) word(30, entry.extend % 2 ** 27).n(4, Math.floor(entry.extend / 2 ** 27));
  else if ('stamp' in entry) word(31, Number(entry.stamp & 0x7ffffffn)).n(4, (entry.stamp >> 27n) & 0xffffffffn);
  else if ('discarded' in entry)
    word(29, entry.after)
      .n(4, entry.discarded - 4)
      .raw(new Uint8Array(entry.discarded - 8).fill(0xee));
  else if ('rest' in entry) word(29, 0).raw([0xff, 0xff, 0xff, 0xff]);
  else {
    const { data, after } = entry;
    if (entry.long === true || data.length > 28 * 4 || data.length === 0) word(0, after).n(4, data.length + 4);
    else word(Math.ceil(data.length / 4), after);
    out.raw(data).align(4);
  }
  return out.bytes;
}

/** A page as bytes: stamp, length with what was lost, entries. */
function pageBytes(page: Page | RawPage, machine: Machine, size: number): Uint8Array {
  if ('raw' in page) return page.raw;
  const { stamp, entries, lost } = page;
  const body = new Bytes(machine.big);
  for (const entry of entries) body.raw(entryBytes(entry, machine));
  let length = body.size;
  if (lost !== undefined) {
    length += 2 ** 31;
    if (lost >= 0) {
      length += 2 ** 30;
      body.n(machine.long, lost);
    }
  }
  const out = new Bytes(machine.big).n(8, stamp).n(machine.long, length).raw(body.bytes);
  if (out.size > size) throw new Error(`a page of ${out.size} bytes`);
  return out.align(size).bytes;
}

const headerPageOf = ({ long }: Machine, size: number): string =>
  `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n` +
  `\tfield: local_t commit;\toffset:8;\tsize:${long};\tsigned:1;\n` +
  `\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n` +
  `\tfield: char data;\toffset:${8 + long};\tsize:${size - 8 - long};\tsigned:0;\n`;

const HEADER_EVENT =
  '# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n\tarray       :   32 bits\n';

const cpusOf = (dat: Dat): number => 1 + Math.max(0, ...dat.rings.flatMap(({ cpus }) => cpus.map(({ cpu }) => cpu)));

function headerInfo(dat: Dat, machine: Machine, pageSize: number): Uint8Array {
  const page = dat.headerPage ?? headerPageOf(machine, pageSize);
  const out = new Bytes(machine.big);
  out.text('header_page\0').n(8, page.length).text(page);
  return out.text('header_event\0').n(8, HEADER_EVENT.length).text(HEADER_EVENT).bytes;
}

function ftraceFormats(dat: Dat, { big }: Machine): Uint8Array {
  const own = dat.formats.filter(([system]) => system === 'ftrace');
  const out = new Bytes(big).n(4, own.length);
  for (const [, text] of own) out.n(8, text.length).text(text);
  return out.bytes;
}

function eventFormats(dat: Dat, { big }: Machine): Uint8Array {
  const systems = [...new Set(dat.formats.map(([system]) => system))].filter((system) => system !== 'ftrace');
  const out = new Bytes(big).n(4, systems.length);
  for (const system of systems) {
    const texts = dat.formats.filter(([of]) => of === system);
    out.text(`${system}\0`).n(4, texts.length);
    for (const [, text] of texts) out.n(8, text.length).text(text);
  }
  return out.bytes;
}

const sized = (text: string, width: number, { big }: Machine): Uint8Array => {
  const bytes = new TextEncoder().encode(text);
  return new Bytes(big).n(width, bytes.length).raw(bytes).bytes;
};

const TRACE_CLOCK = 4;
const CPU_COUNT = 8;
const clockText = (clock: string): Uint8Array => new TextEncoder().encode(`[${clock}] other\n\0`);

/** A file of version 6. */
export function datV6(dat: Dat): Uint8Array {
  const machine = dat.machine ?? LITTLE;
  const pageSize = dat.pageSize ?? 4096;
  const count = cpusOf(dat);
  const out = new Bytes(machine.big);
  out
    .raw([0x17, 0x08, 0x44])
    .text('tracing6\0')
    .n(1, machine.big ? 1 : 0)
    .n(1, 8)
    .n(4, pageSize);
  out
    .raw(headerInfo(dat, machine, pageSize))
    .raw(ftraceFormats(dat, machine))
    .raw(eventFormats(dat, machine));
  out.raw(sized(dat.kallsyms ?? '', 4, machine)).raw(sized(dat.printk ?? '', 4, machine));
  out
    .raw(sized(dat.cmdlines ?? '', 8, machine))
    .n(4, count)
    .text('options  \0');
  const [main, ...instances] = dat.rings;
  const clock = clockText(main?.clock ?? 'local');
  const options: [number, Uint8Array][] = [
    [TRACE_CLOCK, clock],
    [CPU_COUNT, new Bytes(machine.big).n(4, count).bytes],
    ...(dat.options ?? []).map(([id, data]) => [id, data] as [number, Uint8Array]),
  ];
  for (const [id, data] of options) out.n(2, id).n(4, data.length).raw(data);
  const places: number[] = [];
  for (const { name } of instances) {
    out.n(2, 3).n(4, 8 + name!.length + 1);
    places.push(out.size);
    out.n(8, 0).text(`${name}\0`);
  }
  out.n(2, 0);
  const table = (ring: Ring | undefined): void => {
    out.text('flyrecord\0');
    const at = out.size;
    for (let i = 0; i < count; i++) out.n(8, 0).n(8, 0);
    if (ring === main) out.n(8, clock.length).raw(clock);
    for (const { cpu, pages } of ring?.cpus ?? []) {
      out.align(pageSize);
      out.patch(at + 16 * cpu, 8, out.size);
      out.patch(at + 16 * cpu + 8, 8, pages.length * pageSize);
      for (const page of pages) out.raw(pageBytes(page, machine, pageSize));
    }
  };
  table(main);
  for (const [i, instance] of instances.entries()) {
    out.patch(places[i]!, 8, out.size);
    table(instance);
  }
  return out.bytes;
}

export type Packing = 'none' | 'zstd' | 'zlib';

const pack = (bytes: Uint8Array, packing: Packing): Uint8Array =>
  packing === 'zstd' ? zstdCompressSync(bytes) : packing === 'zlib' ? deflateSync(bytes) : bytes;

/** Pages of one chunk of packed data. */
const CHUNK_PAGES = 10;

/** A file of version 7. */
export function datV7(dat: Dat, packing: Packing = 'none', chunkPages = CHUNK_PAGES): Uint8Array {
  const machine = dat.machine ?? LITTLE;
  const pageSize = dat.pageSize ?? 4096;
  const isPacked = packing !== 'none';
  const out = new Bytes(machine.big);
  out
    .raw([0x17, 0x08, 0x44])
    .text('tracing7\0')
    .n(1, machine.big ? 1 : 0)
    .n(1, 8)
    .n(4, pageSize);
  out.text(`${packing}\0`).text(`${isPacked ? '1.0' : ''}\0`);
  const first = out.size;
  out.n(8, 0);
  const section = (id: number, content: Uint8Array): number => {
    const at = out.size;
    const packed = pack(content, packing);
    const size = isPacked ? packed.length + 8 : content.length;
    out
      .n(2, id)
      .n(2, isPacked ? 1 : 0)
      .n(4, 0)
      .n(8, size);
    if (isPacked) out.n(4, packed.length).n(4, content.length).raw(packed);
    else out.raw(content);
    return at;
  };
  const parts: [number, number][] = (
    [
      [16, headerInfo(dat, machine, pageSize)],
      [17, ftraceFormats(dat, machine)],
      [18, eventFormats(dat, machine)],
      [19, sized(dat.kallsyms ?? '', 4, machine)],
      [20, sized(dat.printk ?? '', 4, machine)],
      [21, sized(dat.cmdlines ?? '', 8, machine)],
    ] as const
  ).map(([id, content]) => [id, section(id, content)]);
  const number = (size: number, value: number | bigint): Uint8Array => new Bytes(machine.big).n(size, value).bytes;
  const options: [number, Uint8Array][] = [
    [TRACE_CLOCK, clockText(dat.rings[0]?.clock ?? 'local')],
    [CPU_COUNT, number(4, cpusOf(dat))],
    ...parts.map(([id, at]) => [id, number(8, at)] as [number, Uint8Array]),
    ...(dat.options ?? []).map(([id, data]) => [id, data] as [number, Uint8Array]),
  ];
  /** Options are sections that are not packed; returns where the offset of the next one stands. */
  const optionSection = (list: readonly [number, Uint8Array][]): number => {
    const body = new Bytes(machine.big);
    for (const [id, data] of list) body.n(2, id).n(4, data.length).raw(data);
    body.n(2, 0).n(4, 8).n(8, 0);
    out.n(2, 0).n(2, 0).n(4, 0).n(8, body.size).raw(body.bytes);
    return out.size - 8;
  };
  out.patch(first, 8, out.size);
  let next = optionSection(options);
  for (const ring of dat.rings) {
    const at = out.size;
    out
      .n(2, 3)
      .n(2, isPacked ? 1 : 0)
      .n(4, 0)
      .n(8, 0);
    const about = new Bytes(machine.big).n(8, at).text(`${ring.name ?? ''}\0${ring.clock ?? 'local'}\0`);
    about.n(4, pageSize).n(4, ring.cpus.length);
    for (const { cpu, pages } of ring.cpus) {
      out.align(pageSize);
      const start = out.size;
      const all = pages.map((page) => pageBytes(page, machine, pageSize));
      if (!isPacked) for (const page of all) out.raw(page);
      else {
        const chunks: Uint8Array[] = [];
        for (let i = 0; i < all.length; i += chunkPages)
          chunks.push(Uint8Array.from(all.slice(i, i + chunkPages).flatMap((page) => [...page])));
        out.n(4, chunks.length);
        for (const chunk of chunks) {
          const packed = pack(chunk, packing);
          out.n(4, packed.length).n(4, chunk.length).raw(packed);
        }
      }
      about
        .n(4, cpu)
        .n(8, start)
        .n(8, out.size - start);
    }
    out.patch(at + 8, 8, out.size - at - 16);
    out.patch(next, 8, out.size);
    next = optionSection([[3, about.bytes]]);
  }
  return out.bytes;
}

/** A field of a format: C type and name, bytes, whether it is signed. */
export type FieldSpec = readonly [declared: string, size: number, signed?: boolean];

const COMMON: readonly FieldSpec[] = [
  ['unsigned short common_type', 2],
  ['unsigned char common_flags', 1],
  ['unsigned char common_preempt_count', 1],
  ['int common_pid', 4, true],
];

/** The text of a format with fields one behind the other, each aligned to its size. */
export function formatText(name: string, id: number, fields: readonly FieldSpec[], print: string): string {
  let at = 0;
  const line = ([declared, size, signed]: FieldSpec): string => {
    const step = Math.max(1, Math.min(8, size));
    at = Math.ceil(at / step) * step;
    const text = `\tfield:${declared};\toffset:${at};\tsize:${size};\tsigned:${signed === true ? 1 : 0};\n`;
    at += size;
    return text;
  };
  const common = COMMON.map(line).join('');
  return `name: ${name}\nID: ${id}\nformat:\n${common}\n${fields.map(line).join('')}\nprint fmt: ${print}\n`;
}

/** The data of a record of such a format: the values of its fields, in their order; `tail`: what stands behind them. */
export function recordOf(
  machine: Machine,
  id: number,
  pid: number,
  fields: readonly FieldSpec[],
  values: readonly (number | bigint | Uint8Array)[],
  tail: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const out = new Bytes(machine.big).n(2, id).n(1, 0).n(1, 0).n(4, pid);
  for (const [i, [, size]] of fields.entries()) {
    out.align(Math.max(1, Math.min(8, size)));
    const value = values[i]!;
    if (typeof value === 'object') out.raw(value);
    else out.n(size, value);
  }
  return out.raw(tail).bytes;
}
