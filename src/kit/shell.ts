/**
 * Tag of the templates that hold shell text. Backslashes stay as they are; `$\{` stands for the shell's own `${`, because a plain one
 * would be a value of TypeScript. The first line break is left out.
 */
export function shell(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw(texts, ...values)
    .replaceAll('$\\{', '${')
    .replace(/^\n/, '');
}
