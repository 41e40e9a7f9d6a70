/** Bits that are read from their end to their beginning, as zstd packs symbols (RFC 8878 4.1). */
export class BackwardBits {
  /** The bytes, and the first of them. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  /** Bits that are left; negative when more were read than there are, which read as zeros. */
  left = 0;

  /** Begins with bytes `start` to `end`; false when the last byte lacks the bit that marks the end. */
  begin(bytes: Uint8Array, start: number, end: number): boolean {
    const last = end > start ? bytes[end - 1]! : 0;
    if (last === 0) return false;
    this.bytes = bytes;
    this.start = start;
    this.left = (end - start) * 8 - 8 + (31 - Math.clz32(last));
    return true;
  }

  /** The next `count` bits (0 to 24) without taking them. */
  peek(count: number): number {
    const from = this.left - count;
    if (from < 0) return this.#beyond(count);
    const b = this.bytes;
    const i = this.start + (from >> 3);
    return ((b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (from & 7)) & ((1 << count) - 1);
  }

  /** Takes the next `count` bits, 0 to 32. */
  read(count: number): number {
    if (count > 24) {
      const high = this.read(count - 16);
      return high * 65536 + this.read(16);
    }
    const bits = this.peek(count);
    this.left -= count;
    return bits;
  }

  #beyond(count: number): number {
    if (this.left <= 0) return 0;
    const b = this.bytes;
    const i = this.start;
    const all = b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24);
    return ((all & ((1 << this.left) - 1)) << (count - this.left)) & ((1 << count) - 1);
  }
}
