/** What a run of the cursor stops at, and what a breakpoint waits for. */
export type Stop =
  /** An event of a kind. */
  | { readonly to: 'kind'; readonly kind: string }
  /** An event that changes an object or anything below it, or one key or field of an object. */
  | { readonly to: 'change'; readonly path: string }
  /** An event for which a filter holds (docs/filter.md). */
  | { readonly to: 'filter'; readonly filter: string };

/** What a stop is in words: `kind == send`, `a change of irq/41/vector`. */
export function stopText(stop: Stop): string {
  return stop.to === 'filter' ? stop.filter : stop.to === 'kind' ? `kind == ${stop.kind}` : `a change of ${stop.path}`;
}
