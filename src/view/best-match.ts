/**
 * The item of a list that a typed text means: one that has it as its whole name, else one whose name begins with it, else one with a
 * word that begins with it, else one that contains it; among equals the first. `namesOf`: the names that users type for an
 * item, such as its id and its title. Undefined when no name contains the text, or nothing is typed.
 */
export function bestMatch<T>(
  items: readonly T[],
  typed: string,
  namesOf: (item: T) => readonly string[],
): T | undefined {
  const text = typed.trim().toLowerCase();
  if (text === '') return undefined;
  let best: T | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const rank = Math.min(...namesOf(item).map((name) => rankOf(name.toLowerCase(), text)));
    if (rank >= lowest) continue;
    best = item;
    lowest = rank;
  }
  return best;
}

/** How well a name fits a text, 0 best; infinite when it does not contain it. */
function rankOf(name: string, text: string): number {
  if (name === text) return 0;
  const at = name.indexOf(text);
  if (at < 0) return Number.POSITIVE_INFINITY;
  if (at === 0) return 1;
  for (let i = at; i >= 0; i = name.indexOf(text, i + 1)) if (/[^\p{L}\p{N}]/u.test(name[i - 1]!)) return 2;
  return 3;
}
