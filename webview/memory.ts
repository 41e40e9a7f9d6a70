import * as v from 'valibot';
import { AXES } from '../src/view/lanes/values.ts';

const saved = v.object({
  /** Name of the trace that the places belong to. */
  trace: v.string(),
  axis: v.picklist(AXES),
  fitted: v.boolean(),
  from: v.pipe(v.number(), v.finite()),
  to: v.pipe(v.number(), v.finite()),
  turned: v.array(v.tuple([v.string(), v.boolean()])),
  focused: v.string(),
  /** The words in the box. A filter of events is kept with the trace. */
  filter: v.string(),
  hitsOnly: v.boolean(),
  namesWidth: v.pipe(v.number(), v.minValue(0), v.maxValue(10_000)),
  scrollTop: v.pipe(v.number(), v.minValue(0)),
  legend: v.boolean(),
});

/** What the timeline remembers while it is hidden, and when the window comes back after a restart. */
export type Memory = v.InferOutput<typeof saved>;

/** What an earlier timeline left; undefined when that was nothing, or of another version. */
export function readMemory(state: unknown): Memory | undefined {
  const result = v.safeParse(saved, state);
  return result.success ? result.output : undefined;
}
