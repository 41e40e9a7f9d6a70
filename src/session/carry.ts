// A trace that was put together again, from more, fewer or other files: what one had in the old trace goes over to the new one.
import type { SourceId, Step } from '../base/ids.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import type { Session } from './session.ts';

/** Events before a lost one that are looked for in its place. */
const MOST_BACK = 10_000;

/** The step of the same event in another trace of the same files; -1 when it is not there. An event is told by its file, line, offset and kind. */
export function sameEvent(from: Trace, step: Step, to: Trace): Step {
  const { table } = from;
  if (step < 0 || step >= from.length) return BEFORE_FIRST;
  const { file, derived } = from.sources[from.sourceOf(step)]!;
  const line = table.line(step);
  const offset = table.offset(step);
  const kind = table.kind(step);
  const nth = place(from, from.sourceOf(step), from.rowOf(step));
  let found: Step = BEFORE_FIRST;
  for (const [id, source] of to.sources.entries()) {
    if (source.file !== file || source.derived !== derived) continue;
    const { events } = source;
    let n = 0;
    // All events of a line stand together: the last one is found first.
    let row = events.lastAtLine(line);
    while (row > 0 && events.line(row - 1) === line) row--;
    for (; row >= 0 && row < events.length && events.line(row) === line; row++) {
      if (events.kind(row) !== kind || events.offset(row) !== offset) continue;
      found = to.stepOf(id, row);
      if (n++ === nth) return found;
    }
  }
  return found;
}

/** How many events of the same record and kind stand before one. */
function place({ sources }: Trace, source: SourceId, row: number): number {
  const { events } = sources[source]!;
  let n = 0;
  for (let at = row - 1; at >= 0 && events.line(at) === events.line(row); at--)
    if (events.kind(at) === events.kind(row) && events.offset(at) === events.offset(row)) n++;
  return n;
}

/** The same event, or the nearest one before it that the other trace has. */
export function stepNear(from: Trace, step: Step, to: Trace): Step {
  for (let at = Math.min(step, from.length - 1); at >= 0 && at > step - MOST_BACK; at--) {
    const there = sameEvent(from, at, to);
    if (there >= 0) return there;
  }
  return BEFORE_FIRST;
}

/**
 * Takes breakpoints and checkpoints over. What the new trace has already, because it was open before in this form, stays; a name that both
 * have is that of the old trace, which its user saw last.
 */
function carryStops(from: Session, to: Session): void {
  const { breakpoints, checkpoints } = from.stops.save();
  const own = to.stops.save();
  const named = new Set(checkpoints.map(({ name }) => name));
  to.stops.restore({
    breakpoints: [...breakpoints, ...own.breakpoints.filter(({ stop }) => from.stops.breakpoint(stop) === undefined)],
    checkpoints: [
      ...checkpoints.flatMap(({ name, step }) => {
        const there = stepNear(from.trace, step, to.trace);
        return there < 0 ? [] : [{ name, step: there }];
      }),
      ...own.checkpoints.filter(({ name }) => !named.has(name)),
    ].sort((a, b) => a.step - b.step),
  });
}

/** Takes cursor, selection, breakpoints, checkpoints and what the trees and the timeline show over from the session of the old trace. The search is the caller's. */
export function carryOver(from: Session, to: Session): void {
  carryStops(from, to);
  if (from.onlyChanged) to.showOnlyChanged(true);
  if (from.lanes !== undefined) to.arrangeLanes(from.lanes);
  const cursor = stepNear(from.trace, from.cursor, to.trace);
  if (cursor >= 0) to.move({ to: 'step', step: cursor });
  if (from.selection !== undefined && to.trace.world.find(from.selection)) to.select(from.selection);
  const hop = from.path === undefined ? -1 : stepNear(from.trace, from.path.hops[0]?.step ?? -1, to.trace);
  if (hop >= 0) to.showPath(hop);
}
