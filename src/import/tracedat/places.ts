/** Finds the pages of each CPU of the buffers of a file. */
import { MOST_CPU } from '../../trace/row.ts';
import type { Helpers } from '../helpers.ts';
import { Reader, RingsAhead } from './ahead.ts';
import type { Buffer, Contents } from './contents.ts';
import type { Bytes } from './file.ts';
import { type Rings, RingsHere } from './merge.ts';
import { Allowance, PackedPages, PlainPages } from './pages.ts';
import { type Pages, pageLayout, Ring, SCRATCH, type TypeField } from './ring.ts';
import type { RingRequest } from './thread.ts';
import { PartUnpacker } from './unpack.ts';

/** Bytes of pages that are held at a time at most: one page for each CPU of each buffer. */
const MOST_HELD = 1 << 29;
/** Bytes of a page that the thread reads. */
const LARGEST_PAGE_AHEAD = 1 << 16;

/** The ring of one CPU that is to be read. */
interface Place {
  readonly cpu: number;
  readonly pages: Pages;
  readonly buffer: Buffer;
  readonly data: Buffer['cpus'][number];
}

export class Places {
  readonly #bytes: Bytes;
  readonly #contents: Contents;
  readonly #type: TypeField;
  readonly #helpers: Helpers;
  readonly #allowance: Allowance;
  readonly #unpacker: PartUnpacker | undefined;
  #reader: Reader | undefined;
  /** Where the next packed page would stand if it were not packed. */
  #next: number;
  #held = 0;

  constructor(bytes: Bytes, contents: Contents, type: TypeField, helpers: Helpers) {
    this.#bytes = bytes;
    this.#contents = contents;
    this.#type = type;
    this.#helpers = helpers;
    this.#allowance = new Allowance(bytes.size);
    this.#unpacker = PartUnpacker.of(contents.head.packing, helpers);
    this.#next = contents.head.pageSize;
  }

  /** The rings of all buffers by their clocks, `clocks` of the buffers; those of a buffer that cannot be read end where the trouble begins. */
  rings(buffers: readonly Buffer[], clocks: readonly string[]): Map<string, Rings> {
    const groups = new Map<string, Place[]>();
    for (const [i, buffer] of buffers.entries()) {
      const group = groups.get(clocks[i]!) ?? [];
      group.push(...this.#places(buffer));
      groups.set(clocks[i]!, group);
    }
    const size = this.#sizeForThread([...groups.values()].flat());
    const thread = size > 0 ? this.#helpers.thread?.(size) : undefined;
    if (thread !== undefined) this.#reader = new Reader(thread);
    return new Map([...groups].map(([clock, places]) => [clock, this.#group(places)]));
  }

  /** The thread of its own that is at work. */
  get reader(): Reader | undefined {
    return this.#reader;
  }

  /** All records were read. */
  end(): void {
    this.#reader?.end();
    this.#reader = undefined;
  }

  #places(buffer: Buffer): Place[] {
    const places: Place[] = [];
    for (const data of buffer.cpus) {
      if (data.size === 0) continue;
      this.#held += buffer.pageSize + SCRATCH;
      if (this.#held > MOST_HELD) {
        this.#contents.wrong(`tells of so many CPUs and so large pages that those of CPU ${data.cpu} are not read`);
        return places;
      }
      const pages = this.#pages(buffer, data);
      if (pages === undefined) return places;
      places.push({ cpu: data.cpu > MOST_CPU ? -1 : data.cpu, pages, buffer, data });
    }
    return places;
  }

  /**
   * Bytes of the pages that a thread could unpack; 0 where it should not. It reads pages that are packed: others cost little. Where the file
   * tells too much, pages are counted as they are read.
   */
  #sizeForThread(places: readonly Place[]): number {
    let sum = 0;
    for (const { pages, buffer } of places) {
      if (!(pages instanceof PackedPages) || buffer.pageSize > LARGEST_PAGE_AHEAD) return 0;
      sum += pages.unpacked;
    }
    return this.#allowance.has(sum) ? sum : 0;
  }

  #layout = ({ pageSize }: Buffer): ReturnType<typeof pageLayout> => {
    const { headerPage, head } = this.#contents;
    return pageLayout(headerPage, pageSize, head.long);
  };

  #ring({ cpu, pages, buffer }: Place): Ring {
    const { head, wrong } = this.#contents;
    return new Ring(cpu, pages, this.#layout(buffer), head.big, this.#type, (what, at) =>
      wrong(`has ${what} at byte ${at}`),
    );
  }

  #group(places: readonly Place[]): Rings {
    const here = (): Rings => new RingsHere(places.map((place) => this.#ring(place)));
    if (this.#reader === undefined || places.length === 0) return here();
    const requests = places.map((place) => this.#request(place));
    return new RingsAhead(this.#reader, requests, this.#contents.wrong, here);
  }

  #request({ cpu, pages, buffer, data }: Place): RingRequest {
    const { head } = this.#contents;
    const fileSize = this.#bytes.size;
    return {
      cpu,
      packing: head.packing,
      packed: new Uint8Array(this.#bytes.slice(data.at, Math.max(0, Math.min(data.size, fileSize - data.at)))),
      data,
      fileSize,
      big: head.big,
      offset: (pages as PackedPages).first,
      layout: this.#layout(buffer),
      type: this.#type,
    };
  }

  #pages({ packed, pageSize }: Buffer, data: Buffer['cpus'][number]): Pages | undefined {
    const { wrong, head } = this.#contents;
    if (!packed) return new PlainPages(this.#bytes, data, pageSize, this.#allowance, wrong);
    // That the packing is not known was said before.
    if (this.#unpacker === undefined) return undefined;
    const how = { pageSize, big: head.big, offset: this.#next };
    const pages = new PackedPages(this.#unpacker, this.#bytes, data, how, this.#allowance, wrong);
    this.#next += Math.ceil(pages.unpacked / pageSize) * pageSize;
    return pages;
  }
}
