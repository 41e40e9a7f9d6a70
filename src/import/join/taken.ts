import type { Trace } from '../../trace/trace.ts';

/** When a snapshot was taken, as something else than its own content tells. */
export interface Taken {
  /** It was taken between the two, in nanoseconds since the base of `clock`. */
  readonly from: number;
  readonly to: number;
  /** The file on whose clock the times are; `day`: the time of day, in milliseconds since 1970 instead. */
  readonly clock: Trace | 'day';
  /** What tells it, in words. */
  readonly by: 'kit.json' | 'the last stamp of its dmesg' | 'the time in the archive';
}
