/** Reads the lines of one source, in order, into the builder it was made with. */
export interface Importer {
  /** Takes one line (see TakeLine); the builder stands at it already. */
  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void;
  /** The source has ended: settles what was kept back. */
  end(): void;
}
