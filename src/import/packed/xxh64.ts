/**
 * The checksum of zstd frames (RFC 8878 3.1.1): the low 32 bits of XXH64 with seed 0, computed in halves of 32 bits
 * (xxHash specification, doc/xxhash_spec.md).
 */

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const P1_LOW = 0x85ebca87 | 0;
const P1_HIGH = 0x9e3779b1 | 0;
const P2_LOW = 0x27d4eb4f;
const P2_HIGH = 0xc2b2ae3d | 0;

const wrap = (n: bigint): bigint => BigInt.asUintN(64, n);
const rotated = (n: bigint, by: bigint): bigint => wrap(n << by) | (n >> (64n - by));
const round = (acc: bigint, lane: bigint): bigint => wrap(rotated(wrap(acc + lane * P2), 31n) * P1);

/** The high 32 bits of the product of two 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = Math.imul(a0, b1);
  const high = Math.imul(a1, b0);
  const middle = (Math.imul(a0, b0) >>> 16) + (low & 0xffff) + (high & 0xffff);
  return (Math.imul(a1, b1) + (low >>> 16) + (high >>> 16) + (middle >>> 16)) | 0;
}

/** XXH64 of a stream of bytes. */
export class Xxh64 {
  /** The four lanes, each low half first. */
  readonly #lanes = new Int32Array(8);
  readonly #rest = new Uint8Array(32);
  #resting = 0;
  #length = 0;

  constructor() {
    const starts = [P1 + P2, P2, 0n, -P1];
    for (const [i, start] of starts.entries()) {
      this.#lanes[2 * i] = Number(BigInt.asIntN(32, start));
      this.#lanes[2 * i + 1] = Number(BigInt.asIntN(32, start >> 32n));
    }
  }

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#resting > 0) {
      at = Math.min(32 - this.#resting, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#resting);
      this.#resting += at;
      if (this.#resting < 32) return;
      this.#stripes(this.#rest, 0, 32);
      this.#resting = 0;
    }
    const end = at + ((bytes.length - at) & ~31);
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#resting = bytes.length - end;
  }

  #stripes(b: Uint8Array, start: number, end: number): void {
    const lanes = this.#lanes;
    for (let at = start, lane = 0; at < end; at += 8, lane = (lane + 2) & 7) {
      const inLow = b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
      const inHigh = b[at + 4]! | (b[at + 5]! << 8) | (b[at + 6]! << 16) | (b[at + 7]! << 24);
      const addLow = Math.imul(inLow, P2_LOW);
      const addHigh = highProduct(inLow, P2_LOW) + Math.imul(inLow, P2_HIGH) + Math.imul(inHigh, P2_LOW);
      const low = (lanes[lane]! + addLow) | 0;
      const high = (lanes[lane + 1]! + addHigh + (low >>> 0 < addLow >>> 0 ? 1 : 0)) | 0;
      const turnedLow = (low << 31) | (high >>> 1);
      const turnedHigh = (high << 31) | (low >>> 1);
      lanes[lane] = Math.imul(turnedLow, P1_LOW);
      lanes[lane + 1] = highProduct(turnedLow, P1_LOW) + Math.imul(turnedLow, P1_HIGH) + Math.imul(turnedHigh, P1_LOW);
    }
  }

  /** The low 32 bits of the hash of all bytes. */
  low(): number {
    const lane = (i: number): bigint =>
      BigInt(this.#lanes[2 * i]! >>> 0) | (BigInt(this.#lanes[2 * i + 1]! >>> 0) << 32n);
    let h = P5;
    if (this.#length >= 32) {
      const all = [lane(0), lane(1), lane(2), lane(3)] as const;
      h = wrap(rotated(all[0], 1n) + rotated(all[1], 7n) + rotated(all[2], 12n) + rotated(all[3], 18n));
      for (const v of all) h = wrap((h ^ round(0n, v)) * P1 + P4);
    }
    h = wrap(h + BigInt(this.#length));
    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 8 <= this.#resting; at += 8)
      h = wrap(rotated(h ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
    if (at + 4 <= this.#resting) {
      h = wrap(rotated(h ^ wrap(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
      at += 4;
    }
    for (; at < this.#resting; at++) h = wrap(rotated(h ^ wrap(BigInt(this.#rest[at]!) * P5), 11n) * P1);
    h = wrap((h ^ (h >> 33n)) * P2);
    h = wrap((h ^ (h >> 29n)) * P3);
    return Number((h ^ (h >> 32n)) & 0xffffffffn);
  }
}
