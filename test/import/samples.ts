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

/** The head of an ftrace record on CPU 2, in hard interrupt context. */
export const FTRACE_HEAD = '          <idle>-0       [002] d.h1.    10.934596: ';

/** The events of one ftrace record. */
export const ftraceEvents = (payload: string): string[] => wholly(`# tracer: nop\n${FTRACE_HEAD}${payload}\n`).events;

/** One row per wording: what is printed, and the events it becomes; no events: known and without effect. */
export type Rows = readonly (readonly [printed: string, ...events: string[]])[];

/** Holds ftrace records against what they become. */
export function ftraceRows(rows: Rows): void {
  for (const [payload, ...events] of rows) {
    const { events: found, info } = wholly(`# tracer: nop\n${FTRACE_HEAD}${payload}\n`);
    assert.deepEqual(found, events, payload);
    if (events.length === 0) assert.deepEqual(info.withoutEffect, { [payload.replace(/:.*/s, '')]: 1 }, payload);
    assert.equal(info.understood, 1);
  }
}

/** The events of QEMU log lines of one thread; the last `last` of them, or all. */
export function qemuEvents(lines: string | readonly string[], last?: number): string[] {
  const list = typeof lines === 'string' ? [lines] : lines;
  const { events, info } = wholly(`${list.map((l, i) => `7@1.${String(i).padStart(6, '0')}:${l}`).join('\n')}\n`);
  assert.equal(info.understood, list.length);
  return last === undefined ? events : events.slice(-last);
}

/** Holds QEMU log lines against what they become. */
export function qemuRows(rows: Rows): void {
  for (const [line, ...events] of rows) assert.deepEqual(qemuEvents(line), events, line);
}
