// Reads a little-endian trace.dat of version 7 in the plainest way: all of it at once, with the numbers where the description of the format says
// they stand (trace-cmd.dat.v7.5 of trace-cmd, include/linux/ring_buffer.h). It shares nothing with the importer.
import { zstdDecompressSync } from 'node:zlib';
import type { Dat } from './trace-dat.ts';

/** One record: its CPU, stamp, event, process and data. */
export interface NaiveRecord {
  readonly cpu: number;
  readonly stamp: bigint;
  readonly id: number;
  readonly pid: number;
  readonly data: Buffer;
}

/** What a file holds. */
export interface NaiveDat {
  readonly dat: Dat;
  /** Names of events by their numbers. */
  readonly names: ReadonlyMap<number, string>;
  /** The records in order of time; of equal stamps, those of the lower CPU first. */
  readonly records: readonly NaiveRecord[];
}

const HEADER = 16;

export function readDat(bytes: Uint8Array): NaiveDat {
  const file = Buffer.from(bytes);
  const behind = (at: number): number => file.indexOf(0, at) + 1;
  const pageAt = behind(10) + 2;
  const pageSize = file.readUInt32LE(pageAt);
  const first = Number(file.readBigUInt64LE(behind(behind(pageAt + 4))));
  const content = (at: number): Buffer => {
    const isPacked = (file.readUInt16LE(at + 2) & 1) !== 0;
    const size = Number(file.readBigUInt64LE(at + 8));
    if (!isPacked) return file.subarray(at + HEADER, at + HEADER + size);
    return zstdDecompressSync(file.subarray(at + HEADER + 8, at + HEADER + 8 + file.readUInt32LE(at + HEADER)));
  };
  const options: { readonly id: number; readonly data: Buffer }[] = [];
  for (let at = first; at !== 0; ) {
    const body = content(at);
    let next = 0;
    for (let p = 0; p < body.length; ) {
      const [id, size] = [body.readUInt16LE(p), body.readUInt32LE(p + 2)];
      const data = body.subarray(p + 6, p + 6 + size);
      if (id === 0) next = Number(data.readBigUInt64LE(0));
      else options.push({ id, data });
      p += 6 + size;
    }
    at = next;
  }
  const part = (id: number): Buffer => content(Number(options.find((o) => o.id === id)!.data.readBigUInt64LE(0)));
  const formats: [string, string][] = [];
  const ftrace = part(17);
  for (let n = ftrace.readUInt32LE(0), p = 4; n > 0; n--) {
    const size = Number(ftrace.readBigUInt64LE(p));
    formats.push(['ftrace', ftrace.subarray(p + 8, p + 8 + size).toString('latin1')]);
    p += 8 + size;
  }
  const systems = part(18);
  for (let n = systems.readUInt32LE(0), p = 4; n > 0; n--) {
    const end = systems.indexOf(0, p);
    const system = systems.subarray(p, end).toString('latin1');
    p = end + 5;
    for (let m = systems.readUInt32LE(end + 1); m > 0; m--) {
      const size = Number(systems.readBigUInt64LE(p));
      formats.push([system, systems.subarray(p + 8, p + 8 + size).toString('latin1')]);
      p += 8 + size;
    }
  }
  const names = new Map(
    formats.map(([, text]) => [Number(/^ID: (\d+)/m.exec(text)![1]), /^name: (\S+)/m.exec(text)![1]!] as const),
  );
  const text = (id: number, width: number): string => part(id).subarray(width).toString('latin1');
  const cpus: { readonly cpu: number; readonly pages: { readonly raw: Uint8Array }[] }[] = [];
  const { data: about } = options.find((o) => o.id === 3)!;
  const table = about.indexOf(0, about.indexOf(0, 8) + 1) + 5;
  for (let i = 0; i < about.readUInt32LE(table); i++) {
    const entry = table + 4 + 20 * i;
    const pages: { readonly raw: Uint8Array }[] = [];
    let p = Number(about.readBigUInt64LE(entry + 4));
    const chunks = file.readUInt32LE(p);
    p += 4;
    for (let n = 0; n < chunks; n++) {
      const size = file.readUInt32LE(p);
      const chunk = zstdDecompressSync(file.subarray(p + 8, p + 8 + size));
      for (let at = 0; at < chunk.length; at += pageSize) pages.push({ raw: chunk.subarray(at, at + pageSize) });
      p += 8 + size;
    }
    cpus.push({ cpu: about.readUInt32LE(entry), pages });
  }
  const records = cpus.flatMap(({ cpu, pages }) => pages.flatMap(({ raw }) => recordsOf(cpu, Buffer.from(raw))));
  // The sort is stable: records of one CPU with equal stamps stay as they are.
  records.sort((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : a.cpu - b.cpu));
  const dat = { formats, kallsyms: text(19, 4), printk: text(20, 4), cmdlines: text(21, 8), rings: [{ cpus }] };
  return { dat, names, records };
}

/** The records of a page: the stamp, the length of the data, then entries of a word with 5 bits of kind and 27 of time. */
function recordsOf(cpu: number, page: Buffer): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  let stamp = page.readBigUInt64LE(0);
  const end = 16 + (page.readUInt32LE(8) & 0x7ffffff);
  for (let p = 16; p < end; ) {
    const word = page.readUInt32LE(p);
    const [kind, time] = [word & 31, BigInt(word >>> 5)];
    if (kind === 30) {
      stamp += (BigInt(page.readUInt32LE(p + 4)) << 27n) + time;
      p += 8;
      continue;
    }
    if (kind > 28) throw new Error(`the fixture has an entry of kind ${kind}`);
    stamp += time;
    const from = kind === 0 ? p + 8 : p + 4;
    const size = kind === 0 ? page.readUInt32LE(p + 4) - 4 : kind * 4;
    const data = page.subarray(from, from + size);
    records.push({ cpu, stamp, id: data.readUInt16LE(0), pid: data.readInt32LE(4), data });
    p = from + Math.ceil(size / 4) * 4;
  }
  return records;
}
