// What lines of lspci say: the items that lines.ts makes of them, and lspci.ts takes.

/** A function begins. */
export interface FunctionLine {
  readonly kind: 'function';
  readonly bdf: string;
  readonly class?: string;
  readonly model?: string;
  /** Vendor ID (bits 15:0) and Device ID (bits 31:16). */
  readonly vendor?: number;
}

/** What a line says of the function as a whole. */
export interface FactsLine {
  readonly kind: 'facts';
  readonly class?: string;
  readonly model?: string;
  readonly driver?: string;
  readonly group?: number;
  readonly node?: number;
  readonly pin?: number;
  readonly irq?: number;
  /** Linux irqs of its messages. */
  readonly messages?: readonly number[];
  /** Bits of the Command register that it tells, and the words of the line. */
  readonly command?: { readonly value: number; readonly known: number; readonly text: string };
}

/** A region; `bar` is missing where lspci does not number it (-v). */
export interface RegionLine {
  readonly kind: 'region';
  readonly bar: number | undefined;
  readonly io: boolean;
  /** undefined: the function has no address there, or the kernel does not use it. */
  readonly address: bigint | undefined;
  readonly size: bigint | undefined;
  /** undefined: not told. */
  readonly mapped: boolean | undefined;
}

/** A capability begins. */
export interface CapabilityLine {
  readonly kind: 'capability';
  readonly at: number;
  /** Columns in front of it. */
  readonly indent: number;
  /** Its name, of those that matter; '' for others. */
  readonly name: CapabilityName;
  readonly msi?: {
    readonly enable: boolean;
    readonly granted: number;
    readonly capable: number;
    readonly maskable: boolean;
    readonly wide: boolean;
  };
  readonly msix?: { readonly enable: boolean; readonly fmask: boolean; readonly size: number };
}

export type CapabilityName = '' | 'msi' | 'msix' | 'ats' | 'pri' | 'pasid' | 'sriov';

/** What a line below a capability says of it. */
export type DetailLine =
  | { readonly kind: 'message'; readonly address: bigint; readonly data: number }
  | { readonly kind: 'masks'; readonly mask: number; readonly pending: number }
  | { readonly kind: 'table' | 'pba'; readonly bar: number; readonly offset: number }
  | { readonly kind: 'enable'; readonly enable: boolean }
  | { readonly kind: 'vfs'; readonly total: number; readonly count: number };

/** A row of the hex dump. */
export interface HexLine {
  readonly kind: 'hex';
  readonly offset: number;
  readonly bytes: readonly number[];
}

/** A line that says nothing of interrupts, by name; or one that is not known. */
export interface OtherLine {
  readonly kind: 'known' | 'unknown';
  readonly name: string;
}

/** A line of a function that is not told. */
export interface LonelyLine {
  readonly kind: 'lonely';
}

export type Line =
  | FunctionLine
  | FactsLine
  | RegionLine
  | CapabilityLine
  | DetailLine
  | HexLine
  | OtherLine
  | LonelyLine;

/** Where a line stands. */
export interface Within {
  /** A function was named before it. */
  readonly open: boolean;
  /** The capability whose lines these are; undefined before the first one. */
  readonly capability: CapabilityName | undefined;
  /** Columns in front of the first line of that capability. */
  readonly indent: number;
}
