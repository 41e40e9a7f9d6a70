/**
 * The half of the reader that can run in a thread of its own: it unpacks the pages of CPUs, finds the records in them and puts them into one
 * order. What it answers are batches: columns that tell of each record, and the bytes of all of them. It also brings the names of addresses into
 * order. The other half is ahead.ts.
 */
import type { Helpers } from '../helpers.ts';
import type { CpuData } from './contents.ts';
import type { Bytes } from './file.ts';
import { type Loss, type Ordered, RingsHere } from './merge.ts';
import { allAllowed, PackedPages } from './pages.ts';
import { type PageLayout, Ring, SCRATCH, type TypeField } from './ring.ts';
import { indexSymbols, type SymbolIndex } from './symbols.ts';
import { PartUnpacker } from './unpack.ts';

/** The ring buffer of a CPU. */
export interface RingRequest {
  readonly cpu: number;
  readonly packing: string;
  /** The packed data of the CPU, where they stand in the file, and the size of the file. */
  readonly packed: Uint8Array;
  readonly data: CpuData;
  readonly fileSize: number;
  readonly big: boolean;
  /** Where the first page would lie if nothing were packed. */
  readonly offset: number;
  readonly layout: PageLayout;
  readonly type: TypeField;
}

/** Reads the rings of a group from here on: their records come in one order. */
export interface OpenRequest {
  readonly is: 'open';
  readonly group: number;
  readonly rings: readonly RingRequest[];
  /** Records of a batch at most. */
  readonly records: number;
}

/** Asks for the next records of a group. */
export interface BatchRequest {
  readonly is: 'batch';
  readonly group: number;
  /** The stamp that times count from. */
  readonly from: bigint;
  /** The memory of a batch that was read, to be filled again. */
  readonly memory: ArrayBuffer | undefined;
}

/** Asks for the index of the names of addresses; the text comes back with it. */
export interface IndexRequest {
  readonly is: 'index';
  readonly group: number;
  readonly text: Uint8Array;
}

export type Request = OpenRequest | BatchRequest | IndexRequest;

/** The answer to an OpenRequest: the earliest stamp of a first page, undefined where there is none. */
export interface Opened {
  readonly is: 'opened';
  readonly group: number;
  readonly stamp: bigint | undefined;
  readonly problems: readonly Problem[];
}

/** The answer to a BatchRequest. */
export interface Batch {
  readonly is: 'batch';
  readonly group: number;
  readonly memory: ArrayBuffer;
  readonly count: number;
  /** Losses in front of records, by the place of the record in the batch; see RecordStream.missed. */
  readonly missed: readonly (readonly [number, number])[];
  /** What was found to be wrong on the way to the records of the batch, and behind the last one. */
  readonly problems: readonly Problem[];
  /** There are no more records: what was lost behind the last one of each ring. */
  readonly behind: readonly Loss[] | undefined;
}

/** The answer to an IndexRequest. */
export interface Indexed {
  readonly is: 'indexed';
  readonly group: number;
  readonly index: SymbolIndex;
}

export type Answer = Opened | Batch | Indexed;

/** What is wrong, as the rest of a sentence that begins with `the file`. */
type Problem = string;

/** Bytes of the columns for each record, and of its data as they are counted for the size of a batch. */
const RECORD_BYTES = 32;
const DATA_BYTES = 64;

/** The columns of a batch, and the data of its records behind them. */
export interface Columns {
  readonly times: Float64Array;
  readonly offsets: Float64Array;
  /** First byte of each record in `data`, and the byte behind it. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** The number of its event, -1 where it is too short to tell one. */
  readonly events: Int32Array;
  readonly cpus: Int32Array;
  readonly data: Uint8Array;
}

/** Bytes of the memory of a batch: there is room for a page, since that is what a record may fill. */
export const batchBytes = (records: number, pageSize: number): number =>
  records * RECORD_BYTES + Math.max(records * DATA_BYTES, pageSize) + SCRATCH;

/** The columns in the memory of a batch. */
export function columnsOf(memory: ArrayBuffer, records: number): Columns {
  return {
    times: new Float64Array(memory, 0, records),
    offsets: new Float64Array(memory, records * 8, records),
    starts: new Uint32Array(memory, records * 16, records),
    ends: new Uint32Array(memory, records * 20, records),
    events: new Int32Array(memory, records * 24, records),
    cpus: new Int32Array(memory, records * 28, records),
    data: new Uint8Array(memory, records * RECORD_BYTES),
  };
}

/** The packed data of one CPU at their place in the file. */
class Part implements Bytes {
  readonly size: number;
  readonly isFile = true;
  readonly #bytes: Uint8Array;
  readonly #from: number;

  constructor(bytes: Uint8Array, from: number, size: number) {
    this.#bytes = bytes;
    this.#from = from;
    this.size = size;
  }

  slice(at: number, size: number): Uint8Array {
    return this.#bytes.subarray(at - this.#from, at - this.#from + size);
  }
}

/** A group of rings, and what the batches of it need. */
class Group {
  readonly #open: OpenRequest;
  readonly #rings: RingsHere;
  readonly #size: number;
  #problems: Problem[] = [];
  #records: Ordered | undefined;

  constructor(request: OpenRequest, helpers: Helpers) {
    this.#open = request;
    this.#rings = new RingsHere(request.rings.map((ring) => this.#ring(ring, helpers)));
    const page = Math.max(...request.rings.map(({ layout }) => layout.size));
    this.#size = batchBytes(request.records, page);
  }

  #ring({ cpu, data, packed, fileSize, layout, big, offset, packing, type }: RingRequest, helpers: Helpers): Ring {
    const wrong = (what: Problem): void => {
      this.#problems.push(what);
    };
    const unpacker = PartUnpacker.of(packing, helpers)!;
    const part = new Part(packed, data.at, fileSize);
    const pages = new PackedPages(unpacker, part, data, { pageSize: layout.size, big, offset }, allAllowed(), wrong);
    return new Ring(cpu, pages, layout, big, type, (what, at) => wrong(`has ${what} at byte ${at}`));
  }

  open(): Opened {
    const stamp = this.#rings.open();
    return { is: 'opened', group: this.#open.group, stamp, problems: this.#take() };
  }

  #take(): readonly Problem[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  batch({ from, memory: given }: BatchRequest): Batch {
    const { records: most, group } = this.#open;
    const records = (this.#records ??= this.#rings.from(from));
    const memory = given ?? new ArrayBuffer(this.#size);
    const { times, offsets, starts, ends, events, cpus, data } = columnsOf(memory, most);
    const words = new Int32Array(memory, data.byteOffset, data.length >>> 2);
    const room = data.length - SCRATCH;
    const missed: [number, number][] = [];
    let end = 0;
    let count = 0;
    let ring = records.first;
    for (; ring !== undefined && count < most; ring = records.first) {
      const { record } = ring;
      const size = record.end - record.at;
      if (end + size > room) break;
      if (ring.missed !== 0) missed.push([count, ring.missed]);
      times[count] = ring.time;
      offsets[count] = ring.offset;
      events[count] = ring.event;
      cpus[count] = ring.cpu;
      starts[count] = end;
      ends[count] = end + size;
      const from = record.at >>> 2;
      // Most records stand at whole words, and so do all in the batch; the last word may hold bytes behind the record.
      if ((record.at & 3) === 0) {
        const source = record.words;
        const to = end >>> 2;
        const n = (size + 3) >>> 2;
        for (let i = 0; i < n; i++) words[to + i] = source[from + i]!;
      } else data.set(record.buf.subarray(record.at, record.end), end);
      end = (end + size + 3) & ~3;
      count++;
      records.next();
    }
    const behind = ring === undefined ? this.#behind() : undefined;
    return { is: 'batch', group, memory, count, missed, problems: this.#take(), behind };
  }

  #behind = (): Loss[] => this.#rings.behind().map(({ cpu, offset, missed }) => ({ cpu, offset, missed }));
}

/** Answers requests, in order. */
export class PageServer {
  readonly #helpers: Helpers;
  readonly #groups = new Map<number, Group>();

  constructor(helpers: Helpers) {
    this.#helpers = helpers;
  }

  /** The answer to a request, and the buffers of it that go to the part that asked. */
  answer(request: Request): { readonly answer: Answer; readonly moved: readonly ArrayBuffer[] } {
    if (request.is === 'open') {
      const group = new Group(request, this.#helpers);
      this.#groups.set(request.group, group);
      return { answer: group.open(), moved: [] };
    }
    if (request.is === 'index') {
      const index = indexSymbols(request.text);
      const moved = [index.text, index.addresses, index.names].map(({ buffer }) => buffer as ArrayBuffer);
      return { answer: { is: 'indexed', group: request.group, index }, moved };
    }
    const answer = this.#groups.get(request.group)!.batch(request);
    return { answer, moved: [answer.memory] };
  }
}
