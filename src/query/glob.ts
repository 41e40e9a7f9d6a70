/** What one step of a pattern takes: a character, a run within a path segment, or any run. */
type Part = string | typeof WITHIN | typeof ACROSS;

const WITHIN = 0;
const ACROSS = 1;

/** Whether a text is a pattern. */
export const isPattern = (text: string): boolean => text.includes('*');

/**
 * A pattern as a test of texts. `*` is any run of characters; in a path it stays within one segment, `**` crosses
 * segments, and `/**` at the end stands for the object itself and everything below it. For every pattern, the time is in
 * proportion to both lengths.
 */
export function matcher(pattern: string, path: boolean): (text: string) => boolean {
  const below = path && pattern.endsWith('/**');
  const parts: Part[] = [];
  for (const [piece] of (below ? pattern.slice(0, -3) : pattern).matchAll(/\*+|[^*]/g)) {
    if (piece[0] !== '*') parts.push(piece);
    else parts.push(path && piece.length === 1 ? WITHIN : ACROSS);
  }
  return (text) => run(parts, text, below);
}

function run(parts: readonly Part[], text: string, below: boolean): boolean {
  const size = parts.length;
  // at[i]: the first i parts can take all of the text read so far.
  let at = new Uint8Array(size + 1);
  at[0] = 1;
  skipRuns(parts, at);
  for (let c = 0; c < text.length; c++) {
    const char = text[c]!;
    if (below && at[size] && char === '/') return true;
    const next = new Uint8Array(size + 1);
    for (let i = 0; i < size; i++) {
      if (!at[i]) continue;
      const part = parts[i]!;
      if (typeof part === 'string') {
        if (part === char) next[i + 1] = 1;
      } else if (part === ACROSS || char !== '/') next[i] = 1;
    }
    skipRuns(parts, next);
    at = next;
  }
  return at[size] === 1;
}

/** A run may be empty. */
function skipRuns(parts: readonly Part[], at: Uint8Array): void {
  for (let i = 0; i < parts.length; i++) if (at[i] && typeof parts[i] === 'number') at[i + 1] = 1;
}
