/**
 * gzip (RFC 1952): members one behind the other, each with a header, DEFLATE data, and the CRC-32 and size of what was
 * packed. Zeros between and behind members are padding, as tapes and block devices leave them.
 */
import { wordAt } from '../../base/bytes.ts';
import { crc32 } from './crc32.ts';
import { cutOff, Damage, damaged, type PieceReader, type UnpackingEvents } from './damage.ts';
import { Inflate } from './inflate.ts';

const HEADER = 10;
const TRAILER = 8;
/** Longest header that is read: name, comment and extra field have no limit in the format. */
const LONGEST_HEADER = 1 << 20;

/** Flags of the header (2.3.1). */
const HAS_CRC = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const RESERVED = 0xe0;

const MAGIC = [0x1f, 0x8b, 8];

export class Gunzip implements PieceReader {
  readonly #events: UnpackingEvents;
  readonly #inflate: Inflate;
  #state: 'header' | 'data' | 'trailer' | 'between' | 'garbage' = 'header';
  #crc = 0;
  #size = 0;
  /** Where bytes begin that are no gzip data. */
  #garbage = 0;

  constructor(events: UnpackingEvents) {
    this.#events = events;
    this.#inflate = new Inflate((chunk) => {
      this.#crc = crc32(chunk, this.#crc);
      this.#size += chunk.length;
      events.data(chunk);
    });
  }

  take(bytes: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'header':
        return this.#header(bytes, at);
      case 'data': {
        const end = this.#inflate.push(bytes);
        if (end === undefined) return bytes.length;
        this.#state = 'trailer';
        return end - at;
      }
      case 'trailer':
        return this.#trailer(bytes, at);
      case 'between':
        return this.#between(bytes, at);
      case 'garbage':
        return bytes.length;
    }
  }

  end(at: number, left: number): void {
    if (this.#state === 'garbage')
      throw new Damage(`ends at byte ${this.#garbage}; the ${at - this.#garbage} bytes behind it are something else`);
    if (this.#state !== 'between' || left > 0) throw cutOff(at);
  }

  #header(bytes: Uint8Array, at: number): number {
    const size = headerSize(bytes, at);
    if (size === 0 && bytes.length > LONGEST_HEADER) throw damaged(at, 'a header without an end');
    if (size === 0 || size > bytes.length) return 0;
    this.#state = 'data';
    this.#crc = 0;
    this.#size = 0;
    this.#inflate.begin(at + size);
    return size;
  }

  #trailer(bytes: Uint8Array, at: number): number {
    if (bytes.length < TRAILER) return 0;
    if (wordAt(bytes, 0) !== this.#crc) this.#events.problem(damaged(at, 'the checksum is not that of the data'));
    else if (wordAt(bytes, 4) !== this.#size % 2 ** 32)
      this.#events.problem(damaged(at + 4, 'the size is not that of the data'));
    this.#state = 'between';
    return TRAILER;
  }

  #between(bytes: Uint8Array, at: number): number {
    let zeros = 0;
    while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
    if (zeros > 0) return zeros;
    const known = Math.min(bytes.length, MAGIC.length);
    for (let i = 0; i < known; i++) {
      if (bytes[i] === MAGIC[i]) continue;
      this.#state = 'garbage';
      this.#garbage = at;
      return bytes.length;
    }
    if (known < MAGIC.length) return 0;
    this.#state = 'header';
    return this.#header(bytes, at);
  }
}

/** Size of the header at the start of bytes; 0 when it does not end in them. */
function headerSize(bytes: Uint8Array, at: number): number {
  if (bytes.length > 2 && bytes[2] !== MAGIC[2]) throw damaged(at + 2, 'no such compression method');
  if (bytes.length < HEADER) return 0;
  const flags = bytes[3]!;
  if (flags & RESERVED) throw damaged(at + 3, 'reserved flags are set');
  let size = HEADER;
  if (flags & HAS_EXTRA) {
    if (bytes.length < size + 2) return 0;
    size += 2 + (bytes[size]! | (bytes[size + 1]! << 8));
  }
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, size);
    if (end < 0) return 0;
    size = end + 1;
  }
  if (!(flags & HAS_CRC)) return size;
  if (bytes.length < size + 2) return 0;
  if ((bytes[size]! | (bytes[size + 1]! << 8)) !== (crc32(bytes.subarray(0, size)) & 0xffff))
    throw damaged(at + size, 'the checksum of the header is wrong');
  return size + 2;
}
