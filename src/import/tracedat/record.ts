import type { Field } from './format.ts';

/** One record of a ring buffer: bytes `at` to `end` of a buffer that holds a page. Values of fields are read where they lie. */
export class RecordBytes {
  buf: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The same in words, where the buffer is that of a page. */
  words: Int32Array = new Int32Array(0);
  at = 0;
  end = 0;
  readonly little: boolean;
  /** Bytes of a `long` of the kernel. */
  readonly long: number;
  /** The last number that was read, in halves of 32 bits. */
  lo = 0;
  hi = 0;
  /** The last range that was found: bytes `start` to `stop` of the buffer. */
  start = 0;
  stop = 0;

  constructor(big: boolean, long: number) {
    this.little = !big;
    this.long = long;
  }

  /** Reads a number; false where the record is too short for it. Signed ones fill both halves. */
  number({ offset, size, signed }: Field): boolean {
    return this.numberAt(offset, size, signed);
  }

  /** The same, given where it stands. */
  numberAt(offset: number, size: number, signed: boolean): boolean {
    const at = this.at + offset;
    if (at + size > this.end) return false;
    const { view, little } = this;
    switch (size) {
      case 4:
        this.lo = signed ? view.getInt32(at, little) : view.getUint32(at, little);
        break;
      case 8:
        this.lo = view.getUint32(little ? at : at + 4, little);
        this.hi = view.getUint32(little ? at + 4 : at, little);
        return true;
      case 1:
        this.lo = signed ? view.getInt8(at) : view.getUint8(at);
        break;
      case 2:
        this.lo = signed ? view.getInt16(at, little) : view.getUint16(at, little);
        break;
      default:
        return false;
    }
    this.hi = this.lo < 0 ? 0xffffffff : 0;
    this.lo >>>= 0;
    return true;
  }

  /** The same, as element `slot` of two columns: most numbers go there, and nowhere else. */
  numberInto(lo: Uint32Array, hi: Uint32Array, slot: number, offset: number, size: number, signed: boolean): boolean {
    const at = this.at + offset;
    if (at + size > this.end) return false;
    const { view, little } = this;
    let n: number;
    switch (size) {
      case 8:
        lo[slot] = view.getUint32(little ? at : at + 4, little);
        hi[slot] = view.getUint32(little ? at + 4 : at, little);
        return true;
      case 4:
        n = view.getInt32(at, little);
        break;
      case 2:
        n = signed ? view.getInt16(at, little) : view.getUint16(at, little);
        break;
      case 1:
        n = signed ? view.getInt8(at) : view.getUint8(at);
        break;
      default:
        return false;
    }
    lo[slot] = n;
    hi[slot] = signed && n < 0 ? 0xffffffff : 0;
    return true;
  }

  /** The same as one number. */
  wide(field: Field): bigint | undefined {
    if (!this.number(field)) return undefined;
    const n = (BigInt(this.hi) << 32n) | BigInt(this.lo);
    return field.signed ? BigInt.asIntN(64, n) : n;
  }

  /** Finds the bytes of an array or a text; false where they do not lie in the record. */
  range({ offset, size, place }: Field): boolean {
    const at = this.at + offset;
    if (at + size > this.end) return false;
    if (place === 'here' || place === 'rest') {
      this.start = at;
      this.stop = place === 'here' ? at + size : this.end;
      return true;
    }
    // The low half tells where, the high half how many bytes (include/trace/stages/stage1_struct_define.h).
    if (size !== 4) return false;
    const word = this.view.getUint32(at, this.little);
    this.start = (place === 'data-loc' ? this.at : at + size) + (word & 0xffff);
    this.stop = this.start + (word >>> 16);
    return this.stop <= this.end;
  }

  /** Finds the bytes of a text, without the NUL that ends it. */
  text(field: Field): boolean {
    if (!this.range(field)) return false;
    const { buf, stop } = this;
    let at = this.start;
    while (at < stop && buf[at] !== 0) at++;
    this.stop = at;
    return true;
  }
}
