/** Finds the pages of each CPU of the buffers of a file. */
import { MOST_CPU } from '../../trace/row.ts';
import type { Buffer, Contents } from './contents.ts';
import type { Bytes } from './file.ts';
import { Allowance, PackedPages, PlainPages } from './pages.ts';
import { type Pages, pageLayout, Ring, SCRATCH } from './ring.ts';
import { PartUnpacker } from './unpack.ts';

/** Bytes of pages that are held at a time at most: one page for each CPU of each buffer. */
const MOST_HELD = 1 << 29;

export class Places {
  readonly #bytes: Bytes;
  readonly #contents: Contents;
  readonly #allowance: Allowance;
  readonly #unpacker: PartUnpacker | undefined;
  /** Where the next packed page would stand if it were not packed. */
  #next: number;
  #held = 0;

  constructor(bytes: Bytes, contents: Contents) {
    this.#bytes = bytes;
    this.#contents = contents;
    this.#allowance = new Allowance(bytes.size);
    this.#unpacker = PartUnpacker.of(contents.head.packing);
    this.#next = contents.head.pageSize;
  }

  /** The rings of a buffer: one for each CPU that has data. */
  rings(buffer: Buffer): Ring[] {
    const { contents, rings } = { contents: this.#contents, rings: [] as Ring[] };
    const { headerPage, head } = contents;
    const layout = pageLayout(headerPage, buffer.pageSize, head.long);
    for (const data of buffer.cpus) {
      if (data.size === 0) continue;
      this.#held += layout.size + SCRATCH;
      if (this.#held > MOST_HELD) {
        contents.wrong(`tells of so many CPUs and so large pages that those of CPU ${data.cpu} are not read`);
        return rings;
      }
      const pages = this.#pages(buffer, data);
      if (pages === undefined) return rings;
      const cpu = data.cpu > MOST_CPU ? -1 : data.cpu;
      rings.push(new Ring(cpu, pages, layout, head.big, (what, at) => contents.wrong(`has ${what} at byte ${at}`)));
    }
    return rings;
  }

  #pages({ packed, pageSize }: Buffer, data: Buffer['cpus'][number]): Pages | undefined {
    const wrong = (problem: string): void => this.#contents.wrong(problem);
    if (!packed) return new PlainPages(this.#bytes, data, pageSize, this.#allowance, wrong);
    // That the packing is not known was said before.
    if (this.#unpacker === undefined) return undefined;
    const how = { pageSize, big: this.#contents.head.big, offset: this.#next };
    const pages = new PackedPages(this.#unpacker, this.#bytes, data, how, this.#allowance, wrong);
    this.#next += Math.ceil(pages.unpacked / pageSize) * pageSize;
    return pages;
  }
}
