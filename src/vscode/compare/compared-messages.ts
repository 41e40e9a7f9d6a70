import type { Step } from '../../base/ids.ts';
import type { TableReply } from '../../protocol/timeline.ts';
import { eventText } from '../../query/events.ts';
import type { Session } from '../../session/session.ts';
import type { Trace } from '../../trace/trace.ts';
import { eventsBetween } from '../../view/lanes/find.ts';
import type { PlacedTrace } from '../../view/lanes/placed.ts';
import type { LaneRow } from '../../view/lanes/values.ts';
import { clip, TABLE_ROWS, tableRow } from '../timeline/messages.ts';

/** Where the cursor of a trace of a comparison is, and what happened there. */
export function cursorWords(
  name: string,
  { cursor, trace }: Session,
): { readonly label: string; readonly text: string } {
  const letter = name.toUpperCase();
  if (cursor < 0) return { label: `${letter} before the first event`, text: '' };
  return { label: `${letter} ${cursor}`, text: `${letter}: ${clip(eventText(trace, cursor))}` };
}

/** A row of a trace of a comparison, between two places. */
interface ComparedRow {
  readonly placed: PlacedTrace;
  readonly row: LaneRow;
  readonly from: number;
  readonly to: number;
  /** What the other trace has in the place of an event. */
  readonly told: (step: Step) => string;
  /** The places where only the other trace has an event, and the event there. */
  readonly missing: readonly number[];
  readonly other: (place: number) => readonly [trace: Trace, step: Step];
}

/** The events of a row, with what the other trace has in their places, and those that only the other trace has, in the order of the axis. */
export function comparedTable({ placed, row, from, to, told, missing, other }: ComparedRow): TableReply {
  const own = eventsBetween(placed, row, placed.axis, from, to, TABLE_ROWS);
  const rows = own.steps.map((place) => {
    const step = placed.at(place);
    return { place, row: tableRow(placed.trace, step, told(step)) };
  });
  for (const place of missing.slice(0, TABLE_ROWS)) {
    const [trace, step] = other(place);
    const text = clip(`step ${step}, only there: ${eventText(trace, step)}`);
    rows.push({ place, row: { step: -1, time: '', text: '', other: text } });
  }
  rows.sort((x, y) => x.place - y.place);
  return { rows: rows.slice(0, TABLE_ROWS).map((one) => one.row), count: own.count + missing.length };
}
