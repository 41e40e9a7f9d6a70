/**
 * zstd (RFC 8878): frames one behind the other, each with a header, blocks, and the checksum of what was packed where the
 * packer put it in; skippable frames between them. Zeros behind a frame are padding.
 */
import { wordAt } from '../../base/bytes.ts';
import { cutOff, Damage, damaged, type PieceReader, type UnpackingEvents } from './damage.ts';
import { Xxh64 } from './xxh64.ts';
import { Blocks, LARGEST_BLOCK } from './zstd-block.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18];
/** Largest window that is read, as the zstd tool does unless it is told otherwise (`--long=27`). */
const LARGEST_WINDOW = 1 << 27;
/** Least room for unpacked bytes behind the window. */
const BATCH = 1 << 20;

type Kind = 'frame' | 'skippable' | 'none';

/** What begins with these bytes, as far as there are that many. */
function kindOf(b: Uint8Array): Kind {
  const starts = (magic: readonly number[], mask: number): boolean =>
    magic.every((byte, i) => i >= b.length || (i === 0 ? b[0]! & mask : b[i]) === byte);
  if (starts(MAGIC, 0xff)) return 'frame';
  return starts(SKIPPABLE, 0xf0) ? 'skippable' : 'none';
}

/** Whether a source begins like zstd data. */
export const isZstd = (head: Uint8Array): boolean => head.length >= 4 && kindOf(head) !== 'none';

/** A number of `size` bytes, the lowest first. */
function numberAt(b: Uint8Array, at: number, size: number): number {
  let n = 0;
  for (let i = size - 1; i >= 0; i--) n = n * 256 + b[at + i]!;
  return n;
}

/** What the header of a frame says (3.1.1.1). */
interface Frame {
  readonly window: number;
  /** Bytes of the unpacked frame; undefined when the packer did not know. */
  readonly size: number | undefined;
  readonly checked: boolean;
}

export class Unzstd implements PieceReader {
  readonly #events: UnpackingEvents;
  readonly #blocks = new Blocks();
  #state: 'between' | 'block' | 'checksum' | 'skip' | 'garbage' = 'between';
  #frames = 0;
  #frame: Frame = { window: 0, size: 0, checked: false };
  #hash = new Xxh64();
  /** Unpacked bytes of the frame. */
  #size = 0;
  #out: Uint8Array = new Uint8Array(0);
  #written = 0;
  #handed = 0;
  #skip = 0;
  #garbage = 0;

  constructor(events: UnpackingEvents) {
    this.#events = events;
  }

  take(bytes: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'between':
        return this.#between(bytes, at);
      case 'block':
        return this.#block(bytes, at);
      case 'checksum':
        return this.#checksum(bytes, at);
      case 'skip': {
        const size = Math.min(bytes.length, this.#skip);
        this.#skip -= size;
        if (this.#skip === 0) this.#state = 'between';
        return size;
      }
      case 'garbage':
        return bytes.length;
    }
  }

  end(at: number, left: number): void {
    if (this.#state === 'garbage')
      throw new Damage(`ends at byte ${this.#garbage}; the ${at - this.#garbage} bytes behind it are something else`);
    if (this.#state !== 'between' || left > 0) throw cutOff(at);
  }

  #between(bytes: Uint8Array, at: number): number {
    let zeros = 0;
    if (this.#frames > 0) while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
    if (zeros > 0) return zeros;
    const kind = kindOf(bytes);
    if (kind === 'none') {
      this.#state = 'garbage';
      this.#garbage = at;
      return bytes.length;
    }
    if (kind === 'frame') return this.#header(bytes, at);
    if (bytes.length < 8) return 0;
    this.#frames++;
    this.#skip = wordAt(bytes, 4);
    if (this.#skip > 0) this.#state = 'skip';
    return 8;
  }

  #header(b: Uint8Array, at: number): number {
    if (b.length < 6) return 0;
    const flags = b[4]!;
    if (flags & 8) throw damaged(at + 4, 'a reserved bit is set');
    const single = (flags & 32) !== 0;
    const dictionaryAt = single ? 5 : 6;
    const sizeAt = dictionaryAt + [0, 1, 2, 4][flags & 3]!;
    const sizeBytes = flags >> 6 === 0 ? (single ? 1 : 0) : 1 << (flags >> 6);
    const end = sizeAt + sizeBytes;
    if (b.length < end) return 0;
    const dictionary = numberAt(b, dictionaryAt, sizeAt - dictionaryAt);
    if (dictionary !== 0) throw new Damage(`needs dictionary ${dictionary}, which this program does not have`);
    const size = sizeBytes === 0 ? undefined : numberAt(b, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
    const base = 2 ** (10 + (b[5]! >> 3));
    const window = single ? size! : base + (base / 8) * (b[5]! & 7);
    if (window > LARGEST_WINDOW)
      throw new Damage(`needs a window of ${Math.ceil(window / 2 ** 20)} MiB at byte ${at}; at most 128 MiB is read`);
    this.#begin({ window, size, checked: (flags & 4) !== 0 });
    return end;
  }

  #begin(frame: Frame): void {
    this.#frames++;
    this.#frame = frame;
    this.#state = 'block';
    this.#size = this.#written = this.#handed = 0;
    this.#blocks.begin();
    if (frame.checked) this.#hash = new Xxh64();
    const room = frame.window + Math.max(BATCH, frame.window >> 2) + LARGEST_BLOCK;
    const enough = Math.min(room, frame.size === undefined ? room : frame.size + LARGEST_BLOCK);
    if (this.#out.length < enough) this.#out = new Uint8Array(enough);
  }

  #block(bytes: Uint8Array, at: number): number {
    if (bytes.length < 3) return 0;
    const header = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    const most = Math.min(LARGEST_BLOCK, this.#frame.window);
    if (type === 3) throw damaged(at, 'no block type 3 exists');
    if (size > most) throw damaged(at, 'a block is larger than the frame allows');
    const end = 3 + (type === 1 ? 1 : size);
    if (bytes.length < end) return 0;
    this.#makeRoom();
    const from = this.#written;
    try {
      this.#unpack(type, size, most, bytes.subarray(3), at + 3);
    } finally {
      this.#size += this.#written - from;
      this.#give();
    }
    if (this.#size > (this.#frame.size ?? this.#size)) throw damaged(at, 'the frame is longer than its header says');
    if ((header & 1) === 1) this.#endFrame(at + end);
    return end;
  }

  #unpack(type: number, size: number, most: number, bytes: Uint8Array, at: number): void {
    const out = this.#out;
    const to = this.#written;
    if (type === 0) {
      out.set(bytes.subarray(0, size), to);
      this.#written = to + size;
    } else if (type === 1) {
      out.fill(bytes[0]!, to, to + size);
      this.#written = to + size;
    } else {
      const { window } = this.#frame;
      this.#written = this.#blocks.unpack(bytes, size, out, to, to + most, to, window, (place, what) =>
        damaged(at + place, what),
      );
    }
  }

  /** Hands on what was unpacked. */
  #give(): void {
    if (this.#written === this.#handed) return;
    const chunk = this.#out.subarray(this.#handed, this.#written);
    this.#handed = this.#written;
    if (this.#frame.checked) this.#hash.update(chunk);
    this.#events.data(chunk);
  }

  /** Makes room for a block behind the window. */
  #makeRoom(): void {
    if (this.#out.length - this.#written >= LARGEST_BLOCK) return;
    const { window } = this.#frame;
    // A frame that goes on beyond the size that its header tells needs no window any more: the next check refuses it.
    const keep = Math.min(window, this.#written, this.#out.length - LARGEST_BLOCK);
    this.#out.copyWithin(0, this.#written - keep, this.#written);
    this.#written = this.#handed = keep;
  }

  #endFrame(at: number): void {
    const { size, checked } = this.#frame;
    if (this.#size !== (size ?? this.#size))
      this.#events.problem(damaged(at, `the frame has ${this.#size} bytes, not the ${size} that its header says`));
    this.#state = checked ? 'checksum' : 'between';
  }

  #checksum(bytes: Uint8Array, at: number): number {
    if (bytes.length < 4) return 0;
    if (wordAt(bytes, 0) !== this.#hash.low())
      this.#events.problem(damaged(at, 'the checksum is not that of the data'));
    this.#state = 'between';
    return 4;
  }
}
