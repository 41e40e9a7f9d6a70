import type { ObjectId } from '../base/ids.ts';
import type { State } from './state.ts';

/**
 * Stores up to 8 bytes (`lo`, then `hi`, little endian) into the run of cells of an object that starts at `cell`, from
 * byte `offset` on. Bytes at `end` and beyond are left out. Only the bytes stored change or become known.
 */
export function storeBytes(
  state: State,
  object: ObjectId,
  cell: number,
  end: number,
  offset: number,
  size: number,
  lo: number,
  hi: number,
): void {
  const stop = Math.min(end, offset + Math.min(size, 8));
  for (let at = offset; at < stop; ) {
    // The bytes of one cell at a time: `from` is the first one in the value.
    const from = at - offset;
    const count = Math.min(4 - (at & 3), stop - at);
    const shift = (from & 3) * 8;
    const first = from < 4 ? lo : hi;
    const word = shift === 0 ? first : (first >>> shift) | ((from < 4 ? hi : 0) << (32 - shift));
    const mask = count === 4 ? 0xffffffff : (1 << (count * 8)) - 1;
    state.setBits(object, cell + (at >>> 2), word << ((at & 3) * 8), mask << ((at & 3) * 8));
    at += count;
  }
}
