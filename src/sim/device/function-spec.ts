/** What a PCI function is like; taken from a scenario. */
export interface FunctionSpec {
  /** With segment: `0000:03:00.0`. */
  readonly bdf: string;
  readonly name: string;
  /** Entries of the MSI-X table, 1 to 2048; 0: no MSI-X. */
  readonly vectors: number;
  /** Base of the BAR that holds table and PBA, and which one it is. */
  readonly barAddress: number;
  readonly bar: number;
  readonly barSize: number;
  readonly tableOffset: number;
  readonly pbaOffset: number;
  /** Has an MSI capability as well: one message, 64-bit address. */
  readonly msi?: boolean;
  /** Messages that its MSI capability asks for, a power of two up to 32; 1 when absent. */
  readonly msiVectors?: number;
  /** It has a mask bit and a pending bit for each of them. */
  readonly msiMask?: boolean;
  /** It has a PCI Express capability with function level reset. */
  readonly flr?: boolean;
}
