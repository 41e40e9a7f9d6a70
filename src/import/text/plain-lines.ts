/** Lines that were looked at and are text: a file that repeats a few lines by the million is read in seconds. */
import { bytesAt, hashBytes } from '../../base/bytes.ts';

const SLOTS = 256;
/** Longer lines repeat less. */
const LONGEST = 200;

export class PlainLines {
  readonly #lines: (Uint8Array | undefined)[] = new Array(SLOTS);

  /** Whether bytes `start` to `end` are such a line. */
  has(buf: Uint8Array, start: number, end: number): boolean {
    if (end - start > LONGEST) return false;
    const line = this.#lines[hashBytes(buf, start, end) % SLOTS];
    return line !== undefined && line.length === end - start && bytesAt(buf, start, end, line);
  }

  /** Remembers a line. */
  add(line: Uint8Array): void {
    if (line.length <= LONGEST) this.#lines[hashBytes(line, 0, line.length) % SLOTS] = line;
  }
}
