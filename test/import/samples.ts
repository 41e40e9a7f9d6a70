// Small samples: what they become, in one line per event.
import assert from 'node:assert/strict';
import { eventText } from '../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../src/query/info.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';

/** The events of a trace as text, without the ones that only introduce a CPU. */
export function texts(trace: Trace): string[] {
  const out: string[] = [];
  for (let step = 0; step < trace.length; step++) {
    if (trace.table.kind(step).name !== 'cpu.online') out.push(eventText(trace, step));
  }
  return out;
}

/** Imports a sample of which every line must be accounted for and the trace be sound. */
export function sample(text: string): { trace: Trace; info: TraceInfo; events: string[] } {
  const trace = importText(text);
  assert.deepEqual(checkIntegrity(trace), []);
  const info = traceInfo(trace);
  assert.equal(info.lines, text.split('\n').length - (text.endsWith('\n') ? 1 : 0));
  return { trace, info, events: texts(trace) };
}

/** A sample in which nothing may be unknown or skipped. */
export function wholly(text: string): { trace: Trace; info: TraceInfo; events: string[] } {
  const result = sample(text);
  assert.deepEqual(result.info.unknown, {}, text);
  assert.deepEqual(result.info.skipped, {}, text);
  return result;
}
