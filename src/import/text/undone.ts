/**
 * What the text layer undid to read a source: the words of `undone` in `info`. The order of this list is the order in
 * which they are shown.
 */
const ORDER = [
  'utf-16',
  'bom',
  'crlf',
  'html',
  'json-escaped',
  'quoted-printable',
  'ansi',
  'nbsp',
  'quoted',
  'enclosed',
  'code-fence',
  'commented',
  'diff',
  'indented',
  'line-numbers',
  'wrapped',
  'tail',
] as const;

/** A word of `undone`; a prefix names its kind, such as `prefix:journal`. */
export type Undone = (typeof ORDER)[number] | `prefix:${string}`;

/** Words in the order in which they are shown: prefixes behind all others. */
export function inOrder(words: Iterable<Undone>): Undone[] {
  const place = (word: Undone): number => {
    const at = (ORDER as readonly string[]).indexOf(word);
    return at < 0 ? ORDER.length : at;
  };
  return [...words].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}
