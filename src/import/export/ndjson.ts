import { viewEvent } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';

/** The events of a trace, a JSON object and a line each, as `irqscope events --json` prints them. */
export function* ndjson(trace: Trace): Generator<string> {
  for (let step = 0; step < trace.length; step++) yield `${JSON.stringify(viewEvent(trace, step))}\n`;
}
