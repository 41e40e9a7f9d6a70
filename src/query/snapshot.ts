import type { EventKind } from '../model/event.ts';
import { snapshotEvents } from '../model/events/snapshot/snapshot.ts';
import type { Source } from '../trace/source.ts';
import type { Trace } from '../trace/trace.ts';

const KINDS: ReadonlySet<EventKind> = new Set<EventKind>(snapshotEvents);

/** Whether an event asserts what a snapshot shows. */
export const isAssertion = (kind: EventKind): boolean => KINDS.has(kind);

/** Whether a source is a snapshot: it has no stamps, and asserts what it shows. */
export function isSnapshot({ start, events }: Source): boolean {
  if (!Number.isNaN(start)) return false;
  for (let row = 0; row < events.length; row++) if (KINDS.has(events.kind(row))) return true;
  return false;
}

/** Whether a trace is nothing but snapshots: the order of its events tells nothing of time. */
export const isSnapshots = ({ sources }: Trace): boolean => sources.every(isSnapshot);
