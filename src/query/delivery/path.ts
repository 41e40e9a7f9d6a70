import type { Step } from '../../base/ids.ts';
import { secondsText } from '../../base/time.ts';
import type { EventKind } from '../../model/event.ts';
import { BEFORE_FIRST, type Trace } from '../../trace/trace.ts';
import { secondsBetween, timeOf } from '../events.ts';
import { type EventOrder, orderOf } from '../order.ts';
import { recordedOf } from '../recorded-kinds.ts';
import type { Delivery, Stage } from './delivery.ts';
import { hopDetail } from './detail.ts';
import { deliveryAt } from './find.ts';
import { type BlindStage, blindStages } from './inputs.ts';
import { type Near, nearOf, nearText } from './near.ts';
import { outcomeOf } from './reason.ts';
import { threadDetail } from './thread-detail.ts';

/** Events after which a keyframe is nearer than the events between. */
const FAR = 65_536;

/** One event of a path. */
export interface PathHop {
  readonly step: Step;
  /** As text with all digits of the source; null where the source has no stamps. */
  readonly time: string | null;
  readonly stage: Stage;
  readonly object: string;
  readonly detail: string;
  /** False: inferred, no record names this delivery here. */
  readonly seen: boolean;
  /** Seconds since the hop before, as text; null for the first one and without stamps. */
  readonly latency: string | null;
  /** Steps of hops of other sources that lie so close to it that their order is not known: the clocks differ by more than that. */
  readonly unordered?: readonly Step[];
}

/** The way of one interrupt. */
export interface PathView {
  readonly hops: readonly PathHop[];
  readonly delivered: boolean | null;
  /** Why it ends where it ends; null where it took its regular end. */
  readonly reason: string | null;
  readonly blind: readonly BlindStage[];
  /** Only where the event that was asked about is no hop of it. */
  readonly near?: Near;
}

/** A delivery as answers print it. */
export function viewDelivery(trace: Trace, delivery: Delivery, recorded: (kind: EventKind) => boolean): PathView {
  const { hops } = delivery;
  const seen = new Set<Stage>(hops.map((hop) => hop.stage));
  let at = hops[0]!.step;
  const state = trace.stateAt(at);
  const order = orderOf(trace);
  return {
    hops: hops.map(({ step, stage, object, seen: told }, i) => {
      // After a long gap a keyframe is nearer than the events between.
      const now = step - at > FAR ? trace.stateAt(step) : state;
      if (now === state && step > at) {
        trace.advance(state, at, step);
        at = step;
      }
      return {
        step,
        time: timeOf(trace, step),
        stage,
        object: trace.world.path(object),
        detail: threadDetail(trace, hops, i) ?? hopDetail(trace, step, now),
        seen: told,
        latency: i === 0 ? null : secondsBetween(trace, hops[i - 1]!.step, step),
        ...unorderedOf(order, hops, step),
      };
    }),
    ...outcomeOf(trace, delivery, recorded),
    blind: blindStages(seen, recorded),
  };
}

/** The hops whose order to one of them is not known. */
function unorderedOf(
  order: EventOrder | undefined,
  hops: readonly { readonly step: Step }[],
  step: Step,
): Pick<PathHop, 'unordered'> {
  const others = order === undefined ? [] : hops.filter((hop) => !order.known(hop.step, step)).map((hop) => hop.step);
  return others.length === 0 ? {} : { unordered: others };
}

/** The path of the delivery that an event belongs to, or the nearest one about its object; undefined when there is none. */
export function pathAt(trace: Trace, step: Step, recorded = recordedOf(trace)): PathView | undefined {
  if (step <= BEFORE_FIRST) return undefined;
  const delivery = deliveryAt(trace, step);
  if (delivery === undefined) return undefined;
  const path = viewDelivery(trace, delivery, (kind) => recorded.has(kind));
  return isThrough(path, [step]) ? path : { ...path, near: nearOf(trace, step, path) };
}

/** Whether one of some events is a hop of a path. */
export const isThrough = (path: PathView, steps: readonly Step[]): boolean =>
  path.hops.some((hop) => steps.includes(hop.step));

/** A path as text for a report: where it only answers for an event that is none of its hops, that first; one line for each hop, then how it ends and what is blind. */
export function pathText(path: PathView): string[] {
  const width = Math.max(...path.hops.map((hop) => hop.stage.length));
  const steps = Math.max(...path.hops.map((hop) => String(hop.step).length));
  const times = Math.max(...path.hops.map((hop) => (hop.time ?? '?').length));
  const gaps = path.hops.map((hop) => (hop.latency === null ? '' : `+${secondsText(hop.latency)}`));
  const gap = Math.max(...gaps.map((text) => text.length));
  const lines = path.hops.map(({ step, time, stage, object, detail, seen, unordered }, i) => {
    const inferred = (seen ? '' : ' (inferred)') + (unordered === undefined ? '' : ` (${orderText(unordered)})`);
    return `${String(step).padStart(steps)}  ${(time ?? '?').padStart(times)}  ${gaps[i]!.padStart(gap)}  ${stage.padEnd(width)}  ${object}  ${detail}${inferred}`;
  });
  if (path.near !== undefined) lines.unshift(`${nearText(path.near)}:`);
  lines.push(outcomeText(path));
  for (const { stage, opens } of path.blind)
    lines.push(`blind: ${stage} is not recorded; it would be shown by ${opens}`);
  return lines;
}

/** Says of which hops the order is not known. */
export function orderText(steps: readonly Step[]): string {
  const runs: [Step, Step][] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === step - 1) last[1] = step;
    else runs.push([step, step]);
  }
  const named = runs.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`));
  return `not known whether before or after ${named.join(', ')}`;
}

/** How a path ends, in one line. */
export function outcomeText({ delivered, reason }: PathView): string {
  const head = delivered === null ? 'not known to be delivered' : delivered ? 'delivered' : 'not delivered';
  return reason === null ? head : `${head}: ${reason}`;
}
