/** zlib data (RFC 1950): a header of two bytes, DEFLATE data, and the Adler-32 of what was packed; one stream behind the other. */
import { cutOff, damaged, type PieceReader, type UnpackingEvents } from './damage.ts';
import { Inflate } from './inflate.ts';

/** The largest prime below 2^16 (RFC 1950 8.2). */
const MODULUS = 65521;
/** So many bytes can be added up before the sums must be reduced to stay exact. */
const RUN = 3800;
const HAS_DICTIONARY = 32;

/** The Adler-32 of bytes behind bytes whose Adler-32 is `before`; 1 for none (RFC 1950 8.2). */
export function adler32(bytes: Uint8Array, before = 1): number {
  let a = before & 0xffff;
  let b = before >>> 16;
  for (let at = 0; at < bytes.length; ) {
    const stop = Math.min(bytes.length, at + RUN);
    for (; at < stop; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}

export class Unzlib implements PieceReader {
  readonly #events: UnpackingEvents;
  readonly #inflate: Inflate;
  #state: 'header' | 'data' | 'trailer' = 'header';
  #sum = 1;

  constructor(events: UnpackingEvents) {
    this.#events = events;
    this.#inflate = new Inflate((chunk) => {
      this.#sum = adler32(chunk, this.#sum);
      events.data(chunk);
    });
  }

  take(bytes: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'header': {
        if (bytes.length < 2) return 0;
        const [method, flags] = [bytes[0]!, bytes[1]!];
        if ((method & 15) !== 8 || method >> 4 > 7) throw damaged(at, 'no such compression method');
        if ((method * 256 + flags) % 31 !== 0) throw damaged(at + 1, 'the check bits of the header are wrong');
        if (flags & HAS_DICTIONARY) throw damaged(at + 1, 'it needs a dictionary, which this program does not have');
        this.#state = 'data';
        this.#sum = 1;
        this.#inflate.begin(at + 2);
        return 2;
      }
      case 'data': {
        const end = this.#inflate.push(bytes);
        if (end === undefined) return bytes.length;
        this.#state = 'trailer';
        return end - at;
      }
      case 'trailer': {
        if (bytes.length < 4) return 0;
        const sum = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
        if (sum !== this.#sum) this.#events.problem(damaged(at, 'the checksum is not that of the data'));
        this.#state = 'header';
        return 4;
      }
    }
  }

  end(at: number, left: number): void {
    if (this.#state !== 'header' || left > 0) throw cutOff(at);
  }
}
