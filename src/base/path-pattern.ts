/** What one step of a pattern takes: a character, a run within a path segment, or any run. */
type Part = string | typeof WITHIN | typeof ACROSS;

const WITHIN = 0;
const ACROSS = 1;

/** Whether a text is a pattern. */
export const isPattern = (text: string): boolean => text.includes('*');

/**
 * A pattern as a test of texts: `*` is any run of characters. Takes time in proportion to both lengths, whatever the
 * pattern.
 */
export const textMatcher = (pattern: string): ((text: string) => boolean) => matcher(pattern, false);

/**
 * A pattern as a test of paths: `*` is any run of characters within one segment, `**` crosses segments, and `/**` at the
 * end stands for the object itself and everything below it. Takes time in proportion to both lengths, whatever the
 * pattern.
 */
export const pathMatcher = (pattern: string): ((path: string) => boolean) => matcher(pattern, true);

function matcher(pattern: string, path: boolean): (text: string) => boolean {
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

/** The segments of a path as people write it: empty ones, as in `/irq/41/`, do not count. */
export const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

/** What a path begins with: all before its first slash. */
export const firstSegment = (path: string): string => {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
};

/** What a path ends with: all behind its last slash. */
export const lastSegment = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether a path is that of an object itself or of anything below it. */
export const isAtOrBelow = (path: string, top: string): boolean =>
  path.startsWith(top) && (path.length === top.length || path[top.length] === '/');

/** A segment of a pattern as a test of one segment of a path; a `*` alone stands for any segment. */
function segmentTest(pattern: string): (segment: string) => boolean {
  if (pattern === '*') return (segment) => segment !== '';
  return isPattern(pattern) ? textMatcher(pattern) : (segment) => segment === pattern;
}

/** Values by patterns of paths that are compared segment by segment; of several patterns that fit, the first one counts. */
export class PathTable<T> {
  readonly #bySize = new Map<
    number,
    { readonly tests: readonly ((segment: string) => boolean)[]; readonly value: T }[]
  >();

  constructor(entries: Iterable<readonly [pattern: string, value: T]>) {
    for (const [pattern, value] of entries) {
      const tests = pattern.split('/').map(segmentTest);
      const known = this.#bySize.get(tests.length);
      if (known) known.push({ tests, value });
      else this.#bySize.set(tests.length, [{ tests, value }]);
    }
  }

  /** The value of the first pattern that fits a path; undefined when none does. */
  find(path: string): T | undefined {
    const segments = path.split('/');
    for (const { tests, value } of this.#bySize.get(segments.length) ?? [])
      if (tests.every((test, i) => test(segments[i]!))) return value;
    return undefined;
  }
}

const single = new Map<string, PathTable<true>>();

/** Whether a path fits a pattern segment by segment, as in `device/*`. */
export function fitsPattern(path: string, pattern: string): boolean {
  let table = single.get(pattern);
  if (table === undefined) single.set(pattern, (table = new PathTable([[pattern, true]])));
  return table.find(path) === true;
}
