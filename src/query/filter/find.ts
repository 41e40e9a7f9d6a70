import type { Step } from '../../base/ids.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Filter } from './ast.ts';
import { compileFilter } from './pass.ts';

/** Events that one slice of a search looks at. */
const SLICE = 1 << 13;

/** The events of a trace that fit a filter, in order; pauses after each slice, so that the caller may do other work or stop. */
export function* finding(trace: Trace, filter: Filter): Generator<void, Step[]> {
  const holds = compileFilter(filter, trace);
  const found: Step[] = [];
  for (let step = 0; step < trace.length; step++) {
    if (holds(step)) found.push(step);
    if (step % SLICE === SLICE - 1) yield;
  }
  return found;
}
