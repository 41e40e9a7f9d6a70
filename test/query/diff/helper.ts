// Compares traces that tests write as text.
import { compareTraces } from '../../../src/query/diff/compare.ts';
import { type DiffRow, rowsOf } from '../../../src/query/diff/rows.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';

/** A trace of events, one a line, each without time and task: `cpu1 irq.entry irq/41 name=eth0`, or without CPU. */
export function traceOf(events: readonly string[], start = 0): Trace {
  const lines = events.map((event, i) => {
    const [, cpu, rest] = /^(?:(cpu\d+) )?(.*)$/.exec(event)!;
    return `${((start + i) / 1000).toFixed(9)} ${cpu ?? '-'} - ${rest}`;
  });
  return importText(`#irqtrace 1\n#clock seconds digits=9 "test"\n${lines.join('\n')}\n`);
}

/** The rows of a comparison. */
export function rowsBetween(a: Trace, b: Trace): DiffRow[] {
  const comparison = compareTraces(a, b);
  return comparison.differences.flatMap((difference) => rowsOf(comparison, difference));
}

/** A trace as the lines of a trace file: the header, then one event a line. */
export function linesOf(trace: Trace): { readonly header: string[]; readonly events: string[] } {
  const text = [...irqtraceBytes(trace)].map((bytes) => Buffer.from(bytes).toString('utf8')).join('');
  const lines = text.split('\n').filter((line) => line !== '');
  return { header: lines.filter((l) => l.startsWith('#')), events: lines.filter((l) => !l.startsWith('#')) };
}
