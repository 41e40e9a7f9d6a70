/** A fault of the failure catalogue that no input shows, and why. */
export interface Undecidable {
  readonly id: string;
  /** Its other names: its invariant. */
  readonly names: readonly string[];
  /** The fault in a few words. */
  readonly title: string;
  /** Why no input can decide it. */
  readonly why: string;
}

/** Faults that no input can decide. docs/findings.md lists them with the rules. */
export const undecidable: readonly Undecidable[] = [
  {
    id: 'F25',
    names: ['INV-IRR'],
    title: 'Interrupt lost on vector cleanup',
    why: 'Whether the old vector still has its bit in the IRR when the kernel frees it stands only in the local APIC. No tracepoint, log or dump records the IRR of a host CPU at that moment.',
  },
];
