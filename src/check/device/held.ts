import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';

/** Words that a message takes in the cells of an MSI-X entry or an MSI capability: address (2), data. */
const WORDS = 3;

/** Which part of a message changed: bits of a mask. */
export const ADDRESS = 1;
export const DATA = 2;

/** What entries and capabilities held before the event at hand: an observer sees the state after it. */
export class Held {
  readonly #words = new Map<ObjectId, Uint32Array>();

  /** Notes what an object holds now: its message from cell `at` on, and one cell more. */
  keep(state: State, object: ObjectId, at: number, control: number): void {
    let words = this.#words.get(object);
    if (words === undefined) this.#words.set(object, (words = new Uint32Array(2 * (WORDS + 1))));
    for (let i = 0; i <= WORDS; i++) {
      const cell = i < WORDS ? at + i : control;
      words[2 * i] = state.get(object, cell);
      words[2 * i + 1] = state.known(object, cell);
    }
  }

  /** Which parts of a message the event at hand changed; parts that were not known before do not count. */
  changed(state: State, object: ObjectId, at: number): number {
    const words = this.#words.get(object);
    if (words === undefined) return 0;
    let parts = 0;
    for (let i = 0; i < WORDS; i++)
      if (words[2 * i + 1] === 0xffffffff && words[2 * i] !== state.get(object, at + i))
        parts |= i < 2 ? ADDRESS : DATA;
    return parts;
  }

  /** The further cell as it was: its bits and which of them were known. */
  control(object: ObjectId): { readonly bits: number; readonly known: number } {
    const words = this.#words.get(object);
    return words === undefined ? { bits: 0, known: 0 } : { bits: words[2 * WORDS]!, known: words[2 * WORDS + 1]! };
  }

  /** The message as it was, as people write it: `0xfee00000/0x21`; `?` where it was not known. */
  message(object: ObjectId): string {
    const words = this.#words.get(object);
    if (words === undefined || [1, 3, 5].some((i) => words[i] !== 0xffffffff)) return '?';
    const address = words[2]! * 0x100000000 + words[0]!;
    return `0x${address.toString(16)}/0x${words[4]!.toString(16)}`;
  }

  forget(object: ObjectId): void {
    this.#words.delete(object);
  }

  clear(): void {
    this.#words.clear();
  }
}
