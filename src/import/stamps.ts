import type { TraceBuilder } from '../trace/builder.ts';

const NANO = 1_000_000_000n;
/** Digits of the largest 64-bit number. */
const MOST_DIGITS = 20;

/** Reads times that stand as decimal text, as our own formats write them: the first one is the base of the source. */
export class Stamps {
  readonly #out: TraceBuilder;
  #base: bigint | undefined;

  constructor(out: TraceBuilder) {
    this.#out = out;
  }

  /** Whether a time was read. */
  get begun(): boolean {
    return this.#base !== undefined;
  }

  /** Sets the time of the record at hand; `-` is none. Returns what is wrong with it. */
  take(text: string): string | undefined {
    if (text === '-') return undefined;
    const out = this.#out;
    const meta = out.source;
    const [whole, fraction = ''] = text.split('.') as [string, string?];
    if (whole.length > MOST_DIGITS) return `a time of more than ${MOST_DIGITS} digits`;
    if (meta.time.ticks && fraction !== '') return 'a count with a fraction';
    if (this.#base === undefined) {
      this.#base = BigInt(whole);
      meta.time = { ...meta.time, base: this.#base };
    }
    if (fraction.length > meta.time.digits) meta.time = { ...meta.time, digits: fraction.length };
    const units = BigInt(whole) - this.#base;
    const rest = Number(fraction.padEnd(9, '0'));
    const signed = whole.startsWith('-') ? -rest : rest;
    out.time = Number(meta.time.ticks ? units : units * NANO + BigInt(signed));
    return undefined;
  }
}
