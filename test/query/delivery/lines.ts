// Paths by the lines of their trace.
import assert from 'node:assert/strict';
import { type PathView, pathAt } from '../../../src/query/delivery/path.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';

/** Lines of the path through a line, with their stages: `4:signal 9:accept`. Without `line` the last one. */
export function lines(trace: Trace, line: number): string {
  return hopLines(trace, pathThrough(trace, line));
}

/** The path through the last event of a line. */
export function pathThrough(trace: Trace, line: number): PathView | undefined {
  const step = trace.lastAtLine(line);
  assert.equal(trace.table.line(step), line, `line ${line} became an event`);
  return pathAt(trace, step);
}

/** The same of a path. */
export const hopLines = (trace: Trace, path: PathView | undefined): string =>
  (path?.hops ?? []).map((hop) => `${trace.table.line(hop.step)}:${hop.stage}${hop.seen ? '' : '?'}`).join(' ');

/** A trace of some lines. */
export const text = (rows: readonly string[]): Trace => importText(`${rows.join('\n')}\n`);
