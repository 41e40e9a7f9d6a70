import { bytesAt, bytesOf, hashBytes, textOf } from './bytes.ts';

/** Texts that occur often, each kept once and named by a small number; number 0 is the empty text. */
export class StringTable {
  readonly #texts: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #known = new Map<string, number>();
  #slots = new Int32Array(1024).fill(-1);

  constructor() {
    this.intern('');
  }

  /** How many different texts there are. */
  get size(): number {
    return this.#texts.length;
  }

  /** The text with that number; the empty text when there is none. */
  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** The number of a text, given as a string. */
  intern(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const bytes = bytesOf(text);
    const id = this.internBytes(bytes, 0, bytes.length);
    this.#known.set(text, id);
    return id;
  }

  /** The number of a text, given as bytes `start` to `end` (exclusive); makes a string only when the text is new. */
  internBytes(buf: Uint8Array, start: number, end: number): number {
    let mask = this.#slots.length - 1;
    let slot = hashBytes(buf, start, end) & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id < 0) break;
      const known = this.#bytes[id]!;
      if (known.length === end - start && bytesAt(buf, start, end, known)) return id;
      slot = (slot + 1) & mask;
    }
    if (this.#texts.length * 2 >= this.#slots.length) {
      this.#grow();
      mask = this.#slots.length - 1;
      slot = this.#free(hashBytes(buf, start, end) & mask, mask);
    }
    const id = this.#texts.length;
    const bytes = buf.slice(start, end);
    this.#bytes.push(bytes);
    this.#texts.push(textOf(bytes));
    this.#slots[slot] = id;
    return id;
  }

  #free(slot: number, mask: number): number {
    let at = slot;
    while (this.#slots[at]! >= 0) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = this.#slots.length - 1;
    for (const [id, bytes] of this.#bytes.entries()) {
      this.#slots[this.#free(hashBytes(bytes, 0, bytes.length) & mask, mask)] = id;
    }
  }
}
