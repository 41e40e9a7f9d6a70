import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { LineText } from '../check/report/witness.ts';
import { LineReader } from '../import/read-lines.ts';

/** Bytes that are read at a time. */
const CHUNK = 1_048_576;

/**
 * Reads some lines of source files again. A file that cannot be read twice (standard input, a pipe, a file that is gone) gives none.
 */
export async function readLines(wanted: ReadonlyMap<string, ReadonlySet<number>>): Promise<LineText> {
  const texts = new Map<string, ReadonlyMap<number, string>>();
  for (const [file, lines] of wanted) texts.set(file, await linesOf(file, lines));
  return (file, line) => texts.get(file)?.get(line);
}

async function linesOf(file: string, lines: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
  const reader = new LineReader(lines);
  try {
    if (!(await stat(file)).isFile()) return new Map();
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
      reader.push(chunk as Uint8Array);
      if (reader.done) return reader.texts;
    }
    reader.end();
    return reader.texts;
  } catch {
    return new Map();
  }
}
