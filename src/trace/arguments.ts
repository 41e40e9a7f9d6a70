/** The arguments of an event as they stand in a line of a trace file: ` name=value`, texts in JSON notation where needed. */

const ARGUMENT = / ([^\s=]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)/g;

/** The text that a word of a line stands for; undefined when it is quoted and not in JSON notation. */
export function unquoted(word: string): string | undefined {
  if (!word.startsWith('"')) return word;
  try {
    return String(JSON.parse(word));
  } catch {
    return undefined;
  }
}

/** One argument: its name, its value, and how both stand in the line. */
export interface WrittenArgument {
  readonly name: string;
  readonly value: string;
  readonly text: string;
}

/** The arguments of a line, each with a blank in front; or the name of the first one whose value cannot be read. */
export function argumentsIn(line: string): WrittenArgument[] | string {
  const all: WrittenArgument[] = [];
  for (const [text, name, word] of line.matchAll(ARGUMENT)) {
    const value = unquoted(word!);
    if (value === undefined) return name!;
    all.push({ name: name!, value, text });
  }
  return all;
}
