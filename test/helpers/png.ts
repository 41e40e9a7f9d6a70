// Makes screenshots small: a window shows few colours, and a palette of 256 of them tells it as well as true colour does.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLOURS = 256;

interface Pixels {
  width: number;
  height: number;
  /** 0xRRGGBB, row by row. */
  colours: Uint32Array;
}

/** The same picture with at most 256 colours, as an indexed PNG. Takes what screenshots are: 8 bits per sample, RGB or RGBA. */
export function shrinkPng(png: Buffer): Buffer {
  const { width, height, colours } = decode(png);
  const { palette, index } = choosePalette(colours);
  // Rows of indexes compress best as they are: filter 0.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = index.get(colours[y * width + x]!)!;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const entries = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const parts = [
    chunk('IHDR', header),
    chunk('PLTE', entries),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND'),
  ];
  return Buffer.concat([SIGNATURE, ...parts]);
}

function chunk(type: string, data = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** Reads a PNG of 8 bits per sample, RGB or RGBA, not interlaced; transparency is dropped. */
function decode(png: Buffer): Pixels {
  let header: Buffer = Buffer.alloc(0);
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (type === 'IHDR') header = body;
    if (type === 'IDAT') data.push(body);
  }
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const samples = { 2: 3, 6: 4 }[header[9]!];
  if (header[8] !== 8 || samples === undefined || header[12] !== 0) throw new Error('not a PNG as screenshots are');
  const bytes = unfilter(inflateSync(Buffer.concat(data)), width * samples, samples);
  const colours = new Uint32Array(width * height);
  for (let i = 0; i < colours.length; i++) colours[i] = bytes.readUIntBE(i * samples, 3);
  return { width, height, colours };
}

/** Undoes the five filters of PNG (ISO/IEC 15948, 9.2); every row begins with the number of its filter. */
function unfilter(rows: Buffer, stride: number, samples: number): Buffer {
  const height = rows.length / (stride + 1);
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const at = y * stride + i;
      const left = i >= samples ? out[at - samples]! : 0;
      const above = y > 0 ? out[at - stride]! : 0;
      const corner = i >= samples && y > 0 ? out[at - stride - samples]! : 0;
      const predicted = [0, left, above, (left + above) >> 1, filter === 4 ? paeth(left, above, corner) : 0][filter]!;
      out[at] = rows[y * (stride + 1) + 1 + i]! + predicted;
    }
  }
  return out;
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The most frequent colours, no two of them nearly the same, and for every colour the nearest of them. */
function choosePalette(colours: Uint32Array): { palette: number[]; index: Map<number, number> } {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a - b).map(([colour]) => colour);
  let palette = sorted;
  for (let apart = 1; palette.length > COLOURS; apart = Math.ceil(apart * 1.5)) {
    palette = [];
    for (const colour of sorted)
      if (palette.every((other) => distance(colour, other) >= apart) && palette.push(colour) > COLOURS) break;
  }
  const index = new Map<number, number>();
  for (const colour of sorted) {
    let best = 0;
    for (let i = 1; i < palette.length; i++)
      if (distance(colour, palette[i]!) < distance(colour, palette[best]!)) best = i;
    index.set(colour, best);
  }
  return { palette, index };
}

/** Square of the distance of two colours. */
function distance(a: number, b: number): number {
  const red = (a >> 16) - (b >> 16);
  const green = ((a >> 8) & 255) - ((b >> 8) & 255);
  const blue = (a & 255) - (b & 255);
  return red * red + green * green + blue * blue;
}
