import { counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import { secondsText, timeText } from '../../base/time.ts';
import type { Trace } from '../../trace/trace.ts';
import { eventText } from '../events.ts';

/** How the delivery that answers for an event stands to it, where the event is no hop of one: a mask, a write of the table, an access. */
export interface Near {
  /** The event that was asked about, and what it says. */
  readonly step: Step;
  readonly event: string;
  readonly object: string;
  /** Where the delivery lies: under way at the event, or all of it behind or before it. */
  readonly delivery: 'during' | 'after' | 'before';
  /** The object of the delivery that the event concerns. */
  readonly through: string;
  /** The hop that is nearest to the event, how many steps away, and how many seconds (null without stamps). */
  readonly hop: Step;
  readonly steps: number;
  readonly distance: string | null;
}

interface Hopped {
  readonly hops: readonly { readonly step: Step; readonly object: string }[];
}

/** How a path stands to an event that is none of its hops. */
export function nearOf(trace: Trace, step: Step, { hops }: Hopped): Near {
  const object = trace.world.path(trace.table.object(step));
  const first = hops[0]!;
  const last = hops.at(-1)!;
  const delivery = step < first.step ? 'after' : step > last.step ? 'before' : 'during';
  const nearest = hops.reduce((a, b) => (Math.abs(b.step - step) < Math.abs(a.step - step) ? b : a));
  // Of an event about a function, the delivery goes through a part of it.
  const shared = hops.find((hop) => hop.object === object) ?? hops.find((hop) => hop.object.startsWith(`${object}/`));
  const [from, to] = nearest.step < step ? [nearest.step, step] : [step, nearest.step];
  const span = trace.table.time(to) - trace.table.time(from);
  return {
    step,
    event: eventText(trace, step),
    object,
    delivery,
    through: (shared ?? first).object,
    hop: nearest.step,
    steps: to - from,
    distance: timeText(span, { ...trace.between(from, to), base: 0n }),
  };
}

/** How far away the delivery is. */
const away = ({ steps, distance }: Near): string =>
  distance === null ? counted(steps, 'step') : `${counted(steps, 'step')} (${secondsText(distance)})`;

/** Which delivery is shown instead, why, and how far away it is. */
export function insteadText(near: Near): string {
  const { through, hop, delivery } = near;
  const far = away(near);
  if (delivery === 'after') return `shown is the next one through ${through}: it begins at step ${hop}, ${far} later`;
  if (delivery === 'before') return `shown is the last one through ${through}: it ended at step ${hop}, ${far} before`;
  return `shown is the one through ${through} that was under way: its nearest hop is step ${hop}, ${far} away`;
}

/** Says that an event is no hop of a delivery, and which one is shown instead. */
export const nearText = (near: Near): string =>
  `step ${near.step} (${near.event}) is no hop of a delivery; ${insteadText(near)}`;
