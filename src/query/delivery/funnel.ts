import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import type { Trace } from '../../trace/trace.ts';
import { Walk } from '../../trace/walk.ts';
import type { Delivery, Stage } from './delivery.ts';
import { type BlindStage, blindStages, shows, stagesOf } from './inputs.ts';
import { outcomeOf } from './reason.ts';
import { DeliveryTracker } from './tracker.ts';

/** Events before a window that are read to find the deliveries which are on their way when it begins. */
const BACK = 4096;

/** What passed one stage. */
export interface FunnelStage {
  readonly stage: Stage;
  /** Deliveries that were seen at the stage; null where no source records it. */
  readonly entered: number | null;
  /** Of these, how many went on: to a later event, or to a regular end. */
  readonly left: number | null;
  /** Of these, how many merged with one that was still requested: its interrupt serves both. */
  readonly merged: number | null;
  /** Of these, how many ended here: refused, dropped, or still waiting at the end of the window. */
  readonly ended: number | null;
  /** `measured`: records show it. `inferred`: only what stands around tells it. `blind`: no source records it. */
  readonly evidence: 'measured' | 'inferred' | 'blind';
}

/** How many interrupts entered and left each stage of their way (domain: "where was it lost"). */
export interface Funnel {
  /** Deliveries that began in the window. */
  readonly deliveries: number;
  readonly delivered: number;
  readonly lost: number;
  /** Deliveries of which the trace does not tell whether they arrived. */
  readonly unknown: number;
  readonly stages: readonly FunnelStage[];
  /** The first stage that more deliveries entered than left and merged; null when there is none. */
  readonly first: Stage | null;
  readonly blind: readonly BlindStage[];
}

/** The deliveries that pass one of some objects and begin between two steps. */
export function deliveriesThrough(
  trace: Trace,
  objects: ReadonlySet<ObjectId>,
  from: Step,
  to: Step,
): readonly Delivery[] {
  const found = new Set<Delivery>();
  const start = Math.max(0, from - BACK);
  const passes = (delivery: Delivery): boolean => delivery.hops.some((hop) => objects.has(hop.object));
  const tracker = new DeliveryTracker(trace, (delivery) => {
    if (passes(delivery)) found.add(delivery);
  });
  new Walk(trace, [tracker], start).advance(to + 1 - start);
  for (const delivery of tracker.slots.open) if (passes(delivery)) found.add(delivery);
  return [...found]
    .filter((delivery) => delivery.hops[0]!.step >= from)
    .sort((a, b) => a.hops[0]!.step - b.hops[0]!.step);
}

/** What happened at one stage to deliveries. */
function stageOf(
  stage: Stage,
  deliveries: readonly (readonly [Delivery, boolean | null])[],
  recorded: (kind: EventKind) => boolean,
): FunnelStage {
  const here = deliveries.filter(([delivery]) => delivery.has(stage));
  if (here.length === 0 && !shows(stage, recorded))
    return { stage, entered: null, left: null, merged: null, ended: null, evidence: 'blind' };
  let left = 0;
  let merged = 0;
  let seen = false;
  for (const [delivery, delivered] of here) {
    const last = delivery.hops.findLastIndex((hop) => hop.stage === stage);
    seen ||= delivery.hops.some((hop) => hop.stage === stage && hop.seen);
    const further = last < delivery.hops.length - 1;
    if (further || (delivered === true && !delivery.into)) left++;
    else if (delivery.into) merged++;
  }
  const entered = here.length;
  return {
    stage,
    entered,
    left,
    merged,
    ended: entered - left - merged,
    evidence: seen || entered === 0 ? 'measured' : 'inferred',
  };
}

/** The funnel of the deliveries that pass some objects and begin between two steps. */
export function funnelOf(
  trace: Trace,
  objects: ReadonlySet<ObjectId>,
  from: Step,
  to: Step,
  recorded: (kind: EventKind) => boolean,
): Funnel {
  const deliveries = deliveriesThrough(trace, objects, from, to).map(
    (delivery) => [delivery, outcomeOf(trace, delivery, recorded).delivered] as const,
  );
  const count = (value: boolean | null): number => deliveries.filter(([, delivered]) => delivered === value).length;
  const seen = new Set<Stage>(deliveries.flatMap(([delivery]) => delivery.hops.map((hop) => hop.stage)));
  const stages = stagesOf(seen, recorded).map((stage) => stageOf(stage, deliveries, recorded));
  return {
    deliveries: deliveries.length,
    delivered: count(true),
    lost: count(false),
    unknown: count(null),
    stages,
    first: stages.find(({ ended }) => ended !== null && ended > 0)?.stage ?? null,
    blind: blindStages(seen, recorded),
  };
}
