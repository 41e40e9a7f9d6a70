// Rows of statistics for tests.
import assert from 'node:assert/strict';
import type { By } from '../../../src/query/statistics/grouping.ts';
import { type StatisticsRow, statisticsOf } from '../../../src/query/statistics/rows.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';

/** The rows of a trace, in the order of the answer. */
export function rowsOf(trace: Trace, by: By, slice?: number): StatisticsRow[] {
  const work = statisticsOf(trace, by, slice);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** The row of a key; undefined when there is none. */
export const rowOf = (trace: Trace, by: By, key: string): StatisticsRow | undefined =>
  rowsOf(trace, by).find((row) => row.key === key);

/** A trace from lines `microseconds cpu event…`; `-` is no CPU. */
export function made(lines: string): Trace {
  const body = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, us = '', cpu = '', event = ''] = /^(\d+) (\S+) (.*)$/.exec(line)!;
      return `0.${us.padStart(6, '0')} ${cpu === '-' ? '-' : `cpu${cpu}`} - ${event}`;
    });
  const trace = importText(`#irqtrace 1\n#clock seconds digits=6 test\n${body.join('\n')}\n`);
  assert.equal(trace.first.problem, undefined);
  assert.deepEqual([...trace.first.accounting.skipped], [], 'every event is readable');
  assert.equal(trace.length, body.length);
  return trace;
}

/** Microseconds as the answers print them. */
export const us = (n: number): string => `0.${String(n).padStart(6, '0')}`;

/** A spread of the same value. */
export const always = (n: number) => ({ p50: us(n), p99: us(n), max: us(n) });

/** A spread that the trace does not tell. */
export const untold = { p50: null, p99: null, max: null };
