/** Lines that are kept until the next ones show what they are. */
import type { Stream } from './streams.ts';
import type { Undone } from './undone.ts';

/** A line that is kept: its bytes without what was undone. */
export interface Kept {
  /** Bytes of the line in the file. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly line: number;
  readonly offset: number;
}

/** A record that the next line may continue. */
export interface Held extends Kept {
  readonly stream: Stream;
  readonly form: number;
  readonly evidence: number;
  readonly words: readonly Undone[];
  /** Lines behind it that may belong to it, joined to it in `bytes`, and what it was without them. */
  readonly trial: readonly Kept[];
  readonly alone: Kept;
}
