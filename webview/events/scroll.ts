/** Height of a row in CSS pixels. */
export const ROW = 22;
/** Browsers draw nothing beyond some 16 million pixels. In a list that would be higher, a pixel of the scroll bar is more than a pixel of the list. */
const HIGHEST = 8_000_000;

/** Which rows of a list are on display. The row at the top counts, with its fraction; the scroll bar only shows it. */
export class Scroll {
  #rows = 0;
  #height = 0;
  #top = 0;

  /** Row at the upper edge, with its fraction. */
  get top(): number {
    return this.#top;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows that fit, with the fraction of the last one. */
  get visible(): number {
    return this.#height / ROW;
  }

  /** Whole rows by which a page is turned. */
  get page(): number {
    return Math.max(1, Math.floor(this.visible) - 1);
  }

  /** Height of what is scrolled, in pixels. */
  get content(): number {
    return Math.min(this.#rows * ROW, HIGHEST);
  }

  /** Where the scroll bar stands, in pixels. */
  get pixels(): number {
    const most = this.#most;
    return most === 0 ? 0 : (this.#top / most) * (this.content - this.#height);
  }

  /** The first row on display, and the one behind the last. */
  get range(): readonly [first: number, end: number] {
    return [Math.floor(this.#top), Math.min(this.#rows, Math.ceil(this.#top + this.visible))];
  }

  /** There are so many rows, and so many pixels for them. */
  resize(rows: number, height: number): void {
    this.#rows = rows;
    this.#height = height;
    this.#set(this.#top);
  }

  /** Moves by some rows. */
  by(rows: number): void {
    this.#set(this.#top + rows);
  }

  /** The user moved the scroll bar. */
  drag(pixels: number): void {
    const room = this.content - this.#height;
    this.#set(room <= 0 ? 0 : (pixels / room) * this.#most);
  }

  /** Moves as little as needed to show a row; one that is far away comes into the middle. */
  reveal(row: number): void {
    const { visible } = this;
    if (row >= this.#top && row + 1 <= this.#top + visible) return;
    const near = row > this.#top - visible && row < this.#top + 2 * visible;
    if (!near) this.#set(row - (visible - 1) / 2);
    else this.#set(row < this.#top ? row : row + 1 - visible);
  }

  get #most(): number {
    return Math.max(0, this.#rows - this.visible);
  }

  #set(top: number): void {
    this.#top = Math.max(0, Math.min(this.#most, top));
  }
}
