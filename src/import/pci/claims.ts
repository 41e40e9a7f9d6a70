/** What text says of config space: registers at their offsets, to hold against the bytes of the same dump. */
import type { ConfigSpace } from './space.ts';

/** Bits that a text tells of a register. */
export interface Claim {
  /** Config offset and size (1, 2 or 4 bytes) of the register. */
  readonly at: number;
  readonly size: number;
  readonly mask: number;
  readonly value: number;
  /** The words of the text. */
  readonly text: string;
  /** Where they stand in the source. */
  readonly line: number;
}

/** A claim that the bytes contradict. */
export interface Contradicted extends Claim {
  /** What the bytes hold, of the bits that the text tells. */
  readonly bytes: number;
}

/** The claims of a text that the bytes contradict; bytes that are not known contradict nothing. */
export function contradicted(claims: readonly Claim[], space: ConfigSpace): Contradicted[] {
  return claims.flatMap((claim) => {
    const word = space.read(claim.at, claim.size);
    if (word < 0) return [];
    const bytes = (word & claim.mask) >>> 0;
    return bytes === (claim.value & claim.mask) >>> 0 ? [] : [{ ...claim, bytes }];
  });
}
