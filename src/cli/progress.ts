import { shown } from '../base/visible.ts';

/** The part of a terminal that progress needs. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Milliseconds before the first sign, and between two of them. */
const FIRST = 300;
const EVERY = 100;
const MB = 1_000_000;
const ERASE = '\r\x1b[K';

const mb = (bytes: number): string => (bytes / MB).toFixed(1);

/** Tells on a terminal how far the reading of a long file has come; says nothing anywhere else. */
export class Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  #name = '';
  #total: number | undefined;
  #started = 0;
  #shown = 0;
  #visible = false;

  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  /** The reading of a source begins; `total` bytes, unless that is not known. */
  begin(name: string, total: number | undefined): void {
    this.#name = shown(name);
    this.#total = total;
    this.#started = this.#now();
    this.#shown = this.#started + FIRST - EVERY;
  }

  /** So many bytes are read by now. */
  at(bytes: number): void {
    if (!this.#screen.isTTY) return;
    const now = this.#now();
    if (now - this.#shown < EVERY) return;
    this.#shown = now;
    const seconds = (now - this.#started) / 1000;
    const total = this.#total;
    const share = total === undefined || total === 0 ? '' : `, ${Math.floor(Math.min(1, bytes / total) * 100)} %`;
    const size = total === undefined ? `${mb(bytes)} MB` : `${mb(bytes)} of ${mb(total)} MB`;
    this.#screen.write(`${ERASE}${this.#name}: ${size}${share}, ${mb(bytes / seconds)} MB/s`);
    this.#visible = true;
  }

  /** Tells how far something else has come. */
  tell(text: string): void {
    if (!this.#screen.isTTY) return;
    this.#screen.write(`${ERASE}${shown(text)}`);
    this.#visible = true;
  }

  /** Takes the line away. */
  erase(): void {
    if (this.#visible) this.#screen.write(ERASE);
    this.#visible = false;
  }
}
