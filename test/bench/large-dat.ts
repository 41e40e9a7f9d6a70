/** A large trace.dat of version 7 with zstd: the pages of the trimmed capture over and over, each time later. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { readDat } from '../helpers/read-dat.ts';
import { datV7 } from '../helpers/trace-dat.ts';

/** Pages of one chunk, as trace-cmd packs them. */
const CHUNK_PAGES = 10;

/** Writes a file of so many unpacked bytes of pages, at least. */
export function largeDat(capture: Uint8Array, size: number, folder: string): string {
  const { dat, records } = readDat(capture);
  const span = records.at(-1)!.stamp - records[0]!.stamp + 1_000_000n;
  const [ring] = dat.rings;
  const pages = ring!.cpus.map(({ cpu, pages: own }) => ({
    cpu,
    own: own.map((page) => Buffer.from('raw' in page ? page.raw : new Uint8Array(0))),
  }));
  const bytes = pages.reduce((sum, { own }) => sum + own.reduce((all, page) => all + page.length, 0), 0);
  const rounds = Math.ceil(size / bytes);
  // All but the pages comes from the small file; its data are replaced by a section behind them.
  const small = Buffer.from(datV7({ ...dat, rings: [] }, 'zstd'));
  const parts: Buffer[] = [small];
  let at = small.length;
  const put = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  const number = (width: 2 | 4 | 8, value: number): Buffer => {
    const out = Buffer.alloc(8);
    out.writeBigUInt64LE(BigInt(value));
    return out.subarray(0, width);
  };
  const buffer = at;
  put(Buffer.concat([number(2, 3), number(2, 1), number(4, 0), number(8, 0)]));
  const pageSize = pages[0]!.own[0]!.length;
  const table: Buffer[] = [];
  for (const { cpu, own } of pages) {
    put(Buffer.alloc((pageSize - (at % pageSize)) % pageSize));
    const start = at;
    put(number(4, Math.ceil((own.length * rounds) / CHUNK_PAGES)));
    for (let n = 0; n < own.length * rounds; n += CHUNK_PAGES) {
      const chunk: Buffer[] = [];
      for (let i = n; i < Math.min(n + CHUNK_PAGES, own.length * rounds); i++) {
        const page = Buffer.from(own[i % own.length]!);
        page.writeBigUInt64LE(page.readBigUInt64LE(0) + span * BigInt(Math.floor(i / own.length)), 0);
        chunk.push(page);
      }
      const packed = zstdCompressSync(Buffer.concat(chunk));
      put(Buffer.concat([number(4, packed.length), number(4, chunk.length * pageSize), packed]));
    }
    table.push(Buffer.concat([number(4, cpu), number(8, start), number(8, at - start)]));
  }
  const about = Buffer.concat([
    number(8, buffer),
    Buffer.from('\0local\0'),
    number(4, pageSize),
    number(4, pages.length),
    ...table,
  ]);
  const options = Buffer.concat([
    number(2, 3),
    number(4, about.length),
    about,
    number(2, 0),
    number(4, 8),
    number(8, 0),
  ]);
  const last = at;
  put(Buffer.concat([number(2, 0), number(2, 0), number(4, 0), number(8, options.length), options]));
  const file = Buffer.concat(parts);
  file.writeBigUInt64LE(BigInt(last - buffer - 16), buffer + 8);
  // The options of the small file end with the place of the next ones.
  file.writeBigUInt64LE(BigInt(last), small.length - 8);
  const name = join(folder, 'large-trace.dat');
  writeFileSync(name, file);
  return name;
}
