// Makes a small trace.dat of a large one of version 7: `node test/helpers/trim-dat.ts IN OUT FUNCTIONS CHUNKS...`. FUNCTIONS is a regular
// expression: of /proc/kallsyms, the symbols whose names match and the ones behind them are kept. Each CHUNKS, `CPU:FROM-TO`, keeps packed
// chunks of pages of one CPU (counted from 0). Everything else is copied byte for byte; only the offsets of sections and the sizes are new.
import { readFileSync, writeFileSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const [from, to, functions, ...chunks] = process.argv.slice(2);
const file = readFileSync(from!);
const SECTION = 16;
const KALLSYMS = 19;
const BUFFER = 3;

interface Section {
  readonly id: number;
  readonly at: number;
  readonly end: number;
}

/** Offset behind the text that ends with a NUL. */
const behindText = (at: number): number => file.indexOf(0, at) + 1;

// Magic, version, byte order, size of a long, page size, packing and its version, then where the options stand.
const pageAt = behindText(10) + 2;
const pageSize = file.readUInt32LE(pageAt);
const optionsAt = behindText(behindText(pageAt + 4));
const sections: Section[] = [];
for (let at = optionsAt + 8; at + SECTION <= file.length; ) {
  const end = at + SECTION + Number(file.readBigUInt64LE(at + 8));
  sections.push({ id: file.readUInt16LE(at), at, end });
  at = end;
}

const parts: Buffer[] = [file.subarray(0, optionsAt + 8)];
let size = optionsAt + 8;
const add = (bytes: Buffer): void => {
  parts.push(bytes);
  size += bytes.length;
};
/** Where sections stand in the new file, by where they stood. */
const moved = new Map<number, number>();

/** The lines of symbols that match, each with the next symbol: its address tells the size. */
function kallsyms({ at }: Section): Buffer {
  const packed = file.readUInt32LE(at + SECTION);
  const whole = zstdDecompressSync(file.subarray(at + SECTION + 8, at + SECTION + 8 + packed)).subarray(4);
  const lines = whole
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
  const sorted = [...lines].sort();
  const wanted = new RegExp(functions!);
  const keep = new Set<string>();
  for (const [i, line] of sorted.entries()) {
    if (!wanted.test(line.split(' ')[2]!.split('\t')[0]!)) continue;
    keep.add(line);
    const next = sorted.slice(i + 1).find((other) => other.slice(0, 16) !== line.slice(0, 16));
    if (next !== undefined) keep.add(next);
  }
  const text = Buffer.from(
    lines
      .filter((line) => keep.has(line))
      .map((line) => `${line}\n`)
      .join(''),
    'latin1',
  );
  const content = Buffer.alloc(4 + text.length);
  content.writeUInt32LE(text.length);
  text.copy(content, 4);
  const again = zstdCompressSync(content);
  const out = Buffer.alloc(SECTION + 8);
  file.copy(out, 0, at, at + SECTION);
  out.writeBigUInt64LE(BigInt(again.length + 8), 8);
  out.writeUInt32LE(again.length, SECTION);
  out.writeUInt32LE(content.length, SECTION + 4);
  return Buffer.concat([out, again]);
}

/** The options of a section, each with where its data stand in it. */
function* optionsOf(bytes: Buffer): Generator<{ readonly id: number; readonly at: number; readonly size: number }> {
  for (let at = SECTION; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 2);
    yield { id: bytes.readUInt16LE(at), at: at + 6, size: length };
    at += 6 + length;
  }
}

/** The data of the CPUs that are kept: original chunks, each CPU at the begin of a page. */
const placed = new Map<number, readonly [at: number, size: number]>();
function buffer({ at }: Section, about: Buffer): Buffer {
  const out: Buffer[] = [Buffer.from(file.subarray(at, at + SECTION))];
  let length = SECTION;
  const put = (bytes: Buffer): void => {
    out.push(bytes);
    length += bytes.length;
  };
  // Offset of the section (8), name and clock, page size (4), number of CPUs (4), then CPU (4), offset (8), size (8) of each.
  const first = about.indexOf(0, about.indexOf(0, 8) + 1) + 1;
  const count = about.readUInt32LE(first + 4);
  for (let i = 0; i < count; i++) {
    const entry = first + 8 + 20 * i;
    const cpu = about.readUInt32LE(entry);
    put(Buffer.alloc((pageSize - ((size + length) % pageSize)) % pageSize));
    const start = size + length;
    let from = Number(about.readBigUInt64LE(entry + 4));
    const all: Buffer[] = [];
    for (let n = file.readUInt32LE(from), p = from + 4; n > 0; n--) {
      const end = p + 8 + file.readUInt32LE(p);
      all.push(file.subarray(p, end));
      p = end;
    }
    const kept = chunks.flatMap((word) => {
      const m = /^(\d+):(\d+)-(\d+)$/.exec(word)!;
      return Number(m[1]) === cpu ? all.slice(Number(m[2]), Number(m[3]) + 1) : [];
    });
    const number = Buffer.alloc(4);
    number.writeUInt32LE(kept.length);
    put(Buffer.concat([number, ...kept]));
    placed.set(cpu, [start, size + length - start]);
    console.log(`CPU ${cpu}: ${kept.length} of ${all.length} chunks`);
    from = entry;
  }
  out[0]!.writeBigUInt64LE(BigInt(length - SECTION), 8);
  return Buffer.concat(out);
}

/** The option that tells of the buffer, as it was. */
const about = sections
  .filter(({ id }) => id === 0)
  .flatMap(({ at, end }) => {
    const bytes = file.subarray(at, end);
    return [...optionsOf(bytes)].filter(({ id }) => id === BUFFER).map((o) => bytes.subarray(o.at, o.at + o.size));
  })[0]!;
const later: (() => void)[] = [];
for (const section of sections) {
  const { id, at, end } = section;
  moved.set(at, size);
  if (id === KALLSYMS) add(kallsyms(section));
  else if (id === BUFFER) add(buffer(section, Buffer.from(about)));
  else {
    const bytes = Buffer.from(file.subarray(at, end));
    add(bytes);
    if (id !== 0) continue;
    later.push(() => {
      for (const option of optionsOf(bytes)) {
        const old = option.size >= 8 ? Number(bytes.readBigUInt64LE(option.at)) : 0;
        // Offsets of sections: of the next options (0), of a buffer (3), of parts (16 to 21).
        if ((option.id === 0 && old !== 0) || option.id === BUFFER || (option.id >= 16 && option.id <= 21))
          bytes.writeBigUInt64LE(BigInt(moved.get(old)!), option.at);
        if (option.id !== BUFFER) continue;
        const data = bytes.subarray(option.at, option.at + option.size);
        const first = data.indexOf(0, data.indexOf(0, 8) + 1) + 1;
        for (let i = 0; i < data.readUInt32LE(first + 4); i++) {
          const entry = first + 8 + 20 * i;
          const [start, length] = placed.get(data.readUInt32LE(entry))!;
          data.writeBigUInt64LE(BigInt(start), entry + 4);
          data.writeBigUInt64LE(BigInt(length), entry + 12);
        }
      }
    });
  }
}
for (const work of later) work();
const head = Buffer.from(parts[0]!);
head.writeBigUInt64LE(BigInt(moved.get(Number(file.readBigUInt64LE(optionsAt)))!), optionsAt);
parts[0] = head;
writeFileSync(to!, Buffer.concat(parts));
console.log(`${size} bytes`);
