import { shown } from '../base/visible.ts';

/** Rows looked at before the widths of columns are settled; later rows may be wider. */
const SAMPLE = 1000;
const GAP = '  ';

/** Rows as lines with aligned columns; the last column is never padded. */
export class Columns {
  readonly #emit: (line: string) => void;
  readonly #right: ReadonlySet<number>;
  #sample: string[][] | undefined = [];
  #widths: number[] = [];

  /** `right`: the columns that are aligned at their right. */
  constructor(emit: (line: string) => void, right: Iterable<number> = []) {
    this.#emit = emit;
    this.#right = new Set(right);
  }

  /** Adds a row. */
  row(...cells: string[]): void {
    for (const [i, cell] of cells.entries()) this.#widths[i] = Math.max(this.#widths[i] ?? 0, cell.length);
    if (this.#sample === undefined) {
      this.#put(cells);
      return;
    }
    this.#sample.push(cells);
    if (this.#sample.length === SAMPLE) this.end();
  }

  /** Settles the widths: there are no more rows, or enough rows were seen. */
  end(): void {
    const rows = this.#sample ?? [];
    this.#sample = undefined;
    for (const row of rows) this.#put(row);
  }

  #put(cells: readonly string[]): void {
    const last = cells.length - 1;
    const padded = cells.map((cell, i) =>
      this.#right.has(i) ? cell.padStart(this.#widths[i]!) : i === last ? cell : cell.padEnd(this.#widths[i]!),
    );
    this.#emit(shown(padded.join(GAP).trimEnd()));
  }
}

/** Texts on lines of at most `width` characters, two spaces between them, each line after the first one indented. */
export function wrapped(texts: readonly string[], width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const text of texts) {
    if (line !== '' && line.length + GAP.length + text.length > width) {
      lines.push(line);
      line = text;
    } else {
      line = line === '' ? text : `${line}${GAP}${text}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}
