// Traces that a test tells event by event, in the words of an .irqtrace file.
import assert from 'node:assert/strict';
import { pathValue } from '../../src/query/state.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from './fixtures.ts';

/** A trace of these events (`kind object name=value …`), a microsecond apart. */
export function told(...events: readonly string[]): Trace {
  const lines = events.map((event, i) => `1.${String(i).padStart(6, '0')} - - ${event}`);
  const trace = importText(`#irqtrace 1\n#clock seconds digits=6\n${lines.join('\n')}\n`);
  assert.equal(trace.length, events.length, 'every event is read');
  return trace;
}

/** The value of a path after the last of these events. */
export const valueAfter = (events: readonly string[], path: string): unknown =>
  pathValue(told(...events).head, path) ?? null;
