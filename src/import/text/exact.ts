/** Lines that stand exactly as their format prints them, alone or behind what stood in front of the record before. */
import { FOREIGN, type Outcome, TAKEN, WHOLE_RECORD } from '../importer.ts';
import type { Block } from '../lines.ts';
import { specialAt } from './clean.ts';
import type { Finder } from './find.ts';
import { noteMoment } from './moments.ts';
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

/**
 * Takes a record of a source behind what stood in front of the last record, in a line that holds nothing else to undo: what the search finds there, in less
 * time.
 */
export function isBehindUsual(
  stream: Stream,
  finder: Finder<Stream>,
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
): boolean {
  const { out, reader, undone } = stream;
  if (stream.records === 0) return false;
  const rest = finder.usualRest(buf, start, end);
  if (rest < 0 || specialAt(buf, start, end) < end) return false;
  // A name alone may stand in the source code of a program, too.
  if ((stream.named && !stream.evident(buf, rest)) || reader.form(buf, rest, end) !== WHOLE_RECORD) return false;
  out.begin(line, offset);
  if (reader.record(buf, rest, end, false)) undone.add('tail');
  for (const word of finder.usualWords) undone.add(word);
  noteMoment(out, buf, start, end);
  return true;
}
