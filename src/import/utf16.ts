/**
 * Text in UTF-16, as a redirect of Windows PowerShell writes it (`command > file`), becomes UTF-8: all that reads bytes behind this
 * reads UTF-8.
 */

/** So many bytes are enough to tell UTF-16 that has no byte order mark. */
const TELLING = 32;
const encoder = new TextEncoder();

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
  /** Reads UTF-16; undefined while the encoding is not told, and for other text. */
  #decoder: TextDecoder | undefined;
  #told = false;
  #head: Uint8Array = new Uint8Array(0);
  #cut = false;

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = take;
  }

  /** Whether the text was in UTF-16. */
  get decoded(): boolean {
    return this.#decoder !== undefined;
  }

  /** What is wrong with the text, if anything. */
  get problem(): string | undefined {
    return this.#cut ? 'the UTF-16 text ends in the middle of a character' : undefined;
  }

  /** Takes the next bytes of the text. */
  push(chunk: Uint8Array): void {
    if (this.#told) {
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
    if (this.#told || this.#head.length === 0) return;
    const head = this.#head;
    this.#head = new Uint8Array(0);
    const order = orderOf(head);
    if (order !== undefined) this.#decoder = new TextDecoder(order === 'little' ? 'utf-16le' : 'utf-16be');
    this.#told = true;
    this.#feed(head);
  }

  /** The text has ended. */
  end(): void {
    this.settle();
    // A piece of a character that is left makes the decoder give a mark for it.
    this.#cut = this.#decoder !== undefined && this.#decoder.decode() !== '';
  }

  #feed(chunk: Uint8Array): void {
    const bytes = this.#decoder === undefined ? chunk : encoder.encode(this.#decoder.decode(chunk, { stream: true }));
    if (bytes.length > 0) this.#take(bytes);
  }
}
