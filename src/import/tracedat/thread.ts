/**
 * The half of the reader that can run in a thread of its own: it unpacks the pages of CPUs and finds the records in them. What it answers are
 * batches: pages, and columns that say where each record stands in them. The other half is ahead.ts.
 */
import type { Helpers } from '../helpers.ts';
import type { CpuData } from './contents.ts';
import type { Bytes } from './file.ts';
import { allAllowed, PackedPages } from './pages.ts';
import { type PageLayout, Ring, SCRATCH, type TypeField } from './ring.ts';
import { PartUnpacker } from './unpack.ts';

/** Reads the ring buffer of a CPU from here on. */
export interface OpenRequest {
  readonly is: 'open';
  readonly ring: number;
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
  /** Pages of a batch. */
  readonly pages: number;
}

/** Asks for the next records of a ring. */
export interface BatchRequest {
  readonly is: 'batch';
  readonly ring: number;
  /** The stamp that times count from. */
  readonly from: bigint;
  /** The memory of a batch that was read, to be filled again. */
  readonly memory: ArrayBuffer | undefined;
}

export type Request = OpenRequest | BatchRequest;

/** The answer to an OpenRequest: the stamp of the first page, undefined where there is none. */
export interface Opened {
  readonly is: 'opened';
  readonly ring: number;
  readonly stamp: bigint | undefined;
  /** What was lost where there is no page; see Ring.missed. */
  readonly missed: number;
  readonly problems: readonly string[];
}

/** The answer to a BatchRequest. */
export interface Batch {
  readonly is: 'batch';
  readonly ring: number;
  readonly memory: ArrayBuffer;
  readonly count: number;
  /** Losses in front of records, by the place of the record in the batch; see Ring.missed. */
  readonly missed: readonly (readonly [number, number])[];
  /** What was found to be wrong on the way to a record of the batch; behind the last one, the place is `count`. */
  readonly problems: readonly (readonly [number, string])[];
  /** There are no more records; `missed` tells of a loss behind the last one at the place `count`. */
  readonly last: boolean;
}

export type Answer = Opened | Batch;

/** No record with its header is shorter (RB_EVNT_HDR_SIZE and one word, or two words). */
const SHORTEST = 8;
/** Bytes of the columns for each record. */
const RECORD_BYTES = 28;

/** The columns of a batch, and its pages behind them. */
export interface Columns {
  readonly times: Float64Array;
  readonly offsets: Float64Array;
  /** First byte of the data of each record in `pages`, and the byte behind them. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** The number of its event, -1 where it is too short to tell one. */
  readonly events: Int32Array;
  readonly pages: Uint8Array;
}

const capacity = (pages: number, pageSize: number): number => (pages * pageSize) / SHORTEST;

/** Bytes of the memory of a batch. */
export const batchBytes = (pages: number, pageSize: number): number =>
  capacity(pages, pageSize) * RECORD_BYTES + pages * pageSize + SCRATCH;

/** The columns in the memory of a batch. */
export function columnsOf(memory: ArrayBuffer, pages: number, pageSize: number): Columns {
  const n = capacity(pages, pageSize);
  return {
    times: new Float64Array(memory, 0, n),
    offsets: new Float64Array(memory, n * 8, n),
    starts: new Uint32Array(memory, n * 16, n),
    ends: new Uint32Array(memory, n * 20, n),
    events: new Int32Array(memory, n * 24, n),
    pages: new Uint8Array(memory, n * RECORD_BYTES),
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

/** A ring and what the batches of it need. */
class ServedRing {
  readonly #ring: Ring;
  readonly #open: OpenRequest;
  #problems: string[] = [];
  #begun = false;
  /** The record at hand is not in a batch yet. */
  #held = false;

  constructor(request: OpenRequest, helpers: Helpers) {
    this.#open = request;
    const { data, packed, fileSize, layout, big, offset, packing, type } = request;
    const wrong = (what: string): void => {
      this.#problems.push(what);
    };
    const pages = new PackedPages(
      PartUnpacker.of(packing, helpers)!,
      new Part(packed, data.at, fileSize),
      data,
      { pageSize: layout.size, big, offset },
      allAllowed(),
      wrong,
    );
    this.#ring = new Ring(data.cpu, pages, layout, big, type, (what, at) => wrong(`has ${what} at byte ${at}`));
  }

  open(): Opened {
    const stamp = this.#ring.open();
    return { is: 'opened', ring: this.#open.ring, stamp, missed: this.#ring.missed, problems: this.#take() };
  }

  #take(): string[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  batch({ from, memory: given }: BatchRequest): Batch {
    const ring = this.#ring;
    const { pages: most, layout, ring: number } = this.#open;
    if (!this.#begun) ring.from(from);
    this.#begun = true;
    const memory = given ?? new ArrayBuffer(batchBytes(most, layout.size));
    const { times, offsets, starts, ends, events, pages } = columnsOf(memory, most, layout.size);
    const { record } = ring;
    const missed: [number, number][] = [];
    const problems: [number, string][] = [];
    let page = -1;
    let held = 0;
    let count = 0;
    let last = false;
    for (;;) {
      if (!this.#held && !ring.next()) {
        last = true;
        if (ring.missed !== 0) missed.push([count, ring.missed]);
        for (const problem of this.#take()) problems.push([count, problem]);
        break;
      }
      this.#held = true;
      if (ring.pages !== page) {
        if (held === most) break;
        page = ring.pages;
        pages.set(record.buf.subarray(0, layout.size), held * layout.size);
        held++;
      }
      this.#held = false;
      if (this.#problems.length > 0) for (const problem of this.#take()) problems.push([count, problem]);
      if (ring.missed !== 0) missed.push([count, ring.missed]);
      const base = (held - 1) * layout.size;
      times[count] = ring.time;
      offsets[count] = ring.offset;
      starts[count] = base + record.at;
      ends[count] = base + record.end;
      events[count] = ring.event;
      count++;
    }
    return { is: 'batch', ring: number, memory, count, missed, problems, last };
  }
}

/** Answers requests, in order. */
export class PageServer {
  readonly #helpers: Helpers;
  readonly #rings = new Map<number, ServedRing>();

  constructor(helpers: Helpers) {
    this.#helpers = helpers;
  }

  /** The answer to a request, and the buffers of it that go to the part that asked. */
  answer(request: Request): { readonly answer: Answer; readonly moved: readonly ArrayBuffer[] } {
    if (request.is === 'open') {
      const ring = new ServedRing(request, this.#helpers);
      this.#rings.set(request.ring, ring);
      return { answer: ring.open(), moved: [] };
    }
    const answer = this.#rings.get(request.ring)!.batch(request);
    return { answer, moved: [answer.memory] };
  }
}
