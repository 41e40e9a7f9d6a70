// Snapshots have no stamps, but something may have told where they stand among the events.
import type { Step } from '../base/ids.ts';
import type { Trace } from '../trace/trace.ts';

/** What `placedBy` of a source says where nothing told its place. */
const GIVEN = /^the order in which/;

/**
 * Whether an event of a snapshot is known to come before another event. What gave the snapshot its place (its counts, those of a snapshot in
 * its folder) tells the last moment at which it can have been taken: what stands behind that is later.
 */
export function standsBefore(trace: Trace, snapshot: Step, event: Step): boolean {
  const source = trace.sources[trace.sourceOf(snapshot)]!;
  const { place, placedBy } = source;
  if (!Number.isNaN(source.start) || placedBy === undefined || GIVEN.test(placedBy)) return false;
  const time = trace.table.time(event);
  return place === undefined ? !Number.isNaN(time) : time > place;
}
