/** The rows that are selected: from where the selection began to the row that the keys move. -1: none. */
export class Selection {
  #anchor = -1;
  #active = -1;

  /** The row that the keys move. */
  get active(): number {
    return this.#active;
  }

  /** First and last selected row; undefined when there is none. */
  get range(): readonly [from: number, to: number] | undefined {
    if (this.#active < 0) return undefined;
    return [Math.min(this.#anchor, this.#active), Math.max(this.#anchor, this.#active)];
  }

  has(row: number): boolean {
    const { range } = this;
    return range !== undefined && row >= range[0] && row <= range[1];
  }

  /** Selects one row. */
  set(row: number): void {
    this.#anchor = row;
    this.#active = row;
  }

  /** Selects up to a row. */
  extend(row: number): void {
    if (this.#active < 0) this.set(row);
    else this.#active = row;
  }

  all(rows: number): void {
    if (rows === 0) return;
    this.#anchor = 0;
    this.#active = rows - 1;
  }
}
