import { exactTime } from '../../base/time.ts';
import type { CaptureFacts } from '../../import/export/tables/traces.ts';
import type { Kit } from '../../import/files/kit.ts';
import { spanOf } from '../../query/info.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Context } from '../command.ts';
import { readInputs } from '../input.ts';
import { version } from '../version.ts';
import { stampOf } from './captures.ts';
import { type Note, writeTrace } from './store.ts';

/** A capture that goes into a lake. */
export interface Job {
  /** Name of the trace. */
  readonly name: string;
  readonly path: string;
  /** What was given for it; what is null, the capture may tell. */
  readonly given: CaptureFacts;
}

/** What a lake notes on a capture as it is now. */
export const noteOf = async ({ name, path, given }: Job): Promise<Omit<Note, 'files'>> => ({
  irqscope: version(),
  trace: name,
  input: await stampOf(path),
  given,
});

/** Reads a capture and writes its tables into a lake; throws Failure. */
export async function writeOne(lake: string, job: Job, { progress, out }: Context): Promise<void> {
  // First the stamp: a capture that grows meanwhile is written again by the next run.
  const note = await noteOf(job);
  const input = await readInputs('convert', job.path, {}, progress);
  const facts = completed(job.given, input.trace, input.kits[0]);
  await writeTrace(lake, input.trace, facts, note, () => (out.due ? out.rest() : undefined));
}

/** What was given, and what the capture itself tells of the rest. */
function completed(given: CaptureFacts, trace: Trace, kit: Kit | undefined): CaptureFacts {
  const told = trace.sources.find(({ kernel }) => kernel !== undefined)?.kernel;
  return {
    host: given.host,
    kernel: given.kernel ?? kit?.kernel ?? told ?? null,
    date: given.date ?? dayAt(kit?.began ?? null) ?? dayAt(beginOf(trace)),
  };
}

/** When a trace begins, in milliseconds since 1970; null where its clock does not count from there. */
function beginOf(trace: Trace): number | null {
  if (trace.first.clock !== 'realtime' || trace.time.ticks) return null;
  const ns = exactTime(spanOf(trace).start, trace.time);
  return ns === null ? null : Number(ns / 1_000_000n);
}

/** The last moment of the year 9999. */
const LAST = 253_402_300_799_999;

const dayAt = (ms: number | null): string | null =>
  ms === null || !(ms > 0 && ms <= LAST) ? null : new Date(ms).toISOString().slice(0, 10);
