/**
 * Text in UTF-16, as a redirect of Windows PowerShell writes it (`command > file`), becomes UTF-8: all that reads bytes behind this
 * reads UTF-8.
 */

/** So many bytes are enough to tell UTF-16 that has no byte order mark. */
const TELLING = 32;
const BYTE_ORDER_MARK = 0xfeff;
const REPLACEMENT = 0xfffd;

/** The first of the two bytes of a character: the low one (little-endian) or the high one. */
type Order = 'little' | 'big';

/** The order of bytes that a text begins with; undefined when it is not in UTF-16. */
function orderOf(head: Uint8Array): Order | undefined {
  const [first, second, third, fourth] = head;
  // The mark of UTF-32 begins like that of UTF-16.
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? undefined : 'little';
  if (first === 0xfe && second === 0xff) return 'big';
  if (head.length < TELLING) return undefined;
  // Without a mark: one byte of each pair is NUL, the other one never.
  const zeros = [0, 0];
  const pairs = TELLING / 2;
  for (let i = 0; i < TELLING; i++) if (head[i] === 0) zeros[i & 1]!++;
  if (zeros[0] === 0 && zeros[1] === pairs) return 'little';
  return zeros[1] === 0 && zeros[0] === pairs ? 'big' : undefined;
}

/** Hands bytes on: those of UTF-16 text as UTF-8, all others as they are. What it hands on is valid only during the call. */
export class Utf16 {
  readonly #take: (chunk: Uint8Array) => void;
  #order: Order | 'none' | undefined;
  #head: Uint8Array = new Uint8Array(0);
  /** The first byte of a character of which the second has not come. */
  #half = -1;
  /** The first half of a character outside the basic plane, 0 for none. */
  #high = 0;
  #first = true;
  #out = new Uint8Array(1 << 12);
  #length = 0;
  #cut = false;

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = take;
  }

  /** Whether the text was in UTF-16. */
  get decoded(): boolean {
    return this.#order === 'little' || this.#order === 'big';
  }

  /** What is wrong with the text, if anything. */
  get problem(): string | undefined {
    return this.#cut ? 'the UTF-16 text ends in the middle of a character' : undefined;
  }

  /** Takes the next bytes of the text. */
  push(chunk: Uint8Array): void {
    if (this.#order !== undefined) {
      this.#feed(chunk);
      return;
    }
    const head = new Uint8Array(this.#head.length + chunk.length);
    head.set(this.#head);
    head.set(chunk, this.#head.length);
    this.#head = head;
    if (head.length >= TELLING) this.settle();
  }

  /** Hands on what was kept back to tell the encoding: the text may end here. */
  settle(): void {
    if (this.#order !== undefined || this.#head.length === 0) return;
    const head = this.#head;
    this.#head = new Uint8Array(0);
    this.#order = orderOf(head) ?? 'none';
    this.#feed(head);
  }

  /** The text has ended. */
  end(): void {
    this.settle();
    this.#cut = this.#half >= 0 || this.#high !== 0;
  }

  #feed(chunk: Uint8Array): void {
    if (this.#order === 'none') {
      this.#take(chunk);
      return;
    }
    const little = this.#order === 'little';
    // A character takes at most three bytes for its two; one more may come from the bytes kept back.
    const most = (chunk.length + 1) * 2 + 4;
    if (this.#out.length < most) this.#out = new Uint8Array(most);
    this.#length = 0;
    for (const byte of chunk) {
      if (this.#half < 0) this.#half = byte;
      else {
        this.#unit(little ? (byte << 8) | this.#half : (this.#half << 8) | byte);
        this.#half = -1;
      }
    }
    if (this.#length > 0) this.#take(this.#out.subarray(0, this.#length));
  }

  /** Takes 16 bits of the text. */
  #unit(code: number): void {
    const high = this.#high;
    this.#high = 0;
    const first = this.#first;
    this.#first = false;
    if (code >= 0xdc00 && code < 0xe000 && high !== 0) {
      this.#put(0x10000 + (high - 0xd800) * 0x400 + code - 0xdc00);
      return;
    }
    if (high !== 0) this.#put(REPLACEMENT);
    if (code >= 0xd800 && code < 0xdc00) this.#high = code;
    else if (code >= 0xdc00 && code < 0xe000) this.#put(REPLACEMENT);
    else if (!first || code !== BYTE_ORDER_MARK) this.#put(code);
  }

  #put(code: number): void {
    const out = this.#out;
    if (code < 0x80) out[this.#length++] = code;
    else if (code < 0x800) {
      out[this.#length++] = 0xc0 | (code >> 6);
      out[this.#length++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      out[this.#length++] = 0xe0 | (code >> 12);
      out[this.#length++] = 0x80 | ((code >> 6) & 0x3f);
      out[this.#length++] = 0x80 | (code & 0x3f);
    } else {
      out[this.#length++] = 0xf0 | (code >> 18);
      out[this.#length++] = 0x80 | ((code >> 12) & 0x3f);
      out[this.#length++] = 0x80 | ((code >> 6) & 0x3f);
      out[this.#length++] = 0x80 | (code & 0x3f);
    }
  }
}
