// The text of a box that takes words, which choose lanes, and filters, which choose events.

/** Signs that filters are made of, and names of lanes hardly ever hold. */
const SIGNS = /[=<>~&|!]/;
const QUOTED = /^\s*["']/;

/**
 * Whether a text is read as a filter of events, and not as words: it holds a sign of the language (`=`, `<`, `>`, `~`, `!`, `&`, `|`), the word `in` between
 * others, or begins with `(`, `after(` or `state(`. What begins with a quote is words in any case. See docs/filter.md.
 */
export const readsAsFilter = (text: string): boolean =>
  !QUOTED.test(text) && (SIGNS.test(text) || /\S\s+in\s/.test(text) || /^\s*(after|state)?\(/.test(text));

/** The words of a text that is none; a text in quotes is one word, with its spaces. In small letters. */
export function wordsOf(text: string): readonly string[] {
  const lower = text.toLowerCase().trim();
  if (QUOTED.test(lower)) return [lower.slice(1).replace(new RegExp(`${lower[0]}$`), '')].filter((word) => word !== '');
  return lower.split(/\s+/).filter((word) => word !== '');
}

/** A text with the stretch `from` to `to` replaced, and the place of the caret behind that. A space follows, unless the replacement is still open. */
export function completed(
  text: string,
  { text: part, from, to }: { readonly text: string; readonly from: number; readonly to: number },
): { readonly text: string; readonly caret: number } {
  const rest = text.slice(to);
  const space = /[/.(]$/.test(part) || /^\s/.test(rest) ? '' : ' ';
  return { text: `${text.slice(0, from)}${part}${space}${rest}`, caret: from + part.length + space.length };
}
