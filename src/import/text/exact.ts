/** Lines that stand exactly as their format prints them: nothing around them is undone. */
import { FOREIGN, type Outcome, TAKEN } from '../importer.ts';
import type { Block } from '../lines.ts';
import type { Stream } from './streams.ts';

/** Reads plain lines as `block` of a reader does. */
export function exactLines({ out, reader }: Stream, block: Block): Outcome {
  while (block.next()) {
    out.begin(block.line, block.offset);
    const outcome = reader.line(block.buf, block.start, block.end);
    if (outcome !== TAKEN) return outcome;
  }
  return TAKEN;
}

/** Takes a line that the format of a source prints between its records, exactly as it does. */
export function isBeside({ out, reader }: Stream, buf: Uint8Array, start: number, end: number): boolean {
  const what = reader.beside?.(buf, start, end);
  if (what !== undefined) out.other(what);
  return what !== undefined;
}

/** Takes a line that is exactly what the format of a source prints, a record or what stands between records; false for any other. */
export function isExact(
  stream: Stream,
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
): boolean {
  stream.out.begin(line, offset);
  const outcome = stream.reader.line(buf, start, end);
  return outcome === TAKEN || (outcome === FOREIGN && isBeside(stream, buf, start, end));
}
