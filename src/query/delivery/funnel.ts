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
/** Events that one slice looks at. */
const SLICE = 2048;

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

/** A funnel, and the last events of the deliveries that ended at each stage, in order. */
export interface Counted {
  readonly funnel: Funnel;
  readonly ended: ReadonlyMap<Stage, readonly Step[]>;
}

/** The deliveries that pass one of some objects and begin between two steps. Pauses after each slice, and gives the share of the way that is done. */
function* passing(
  trace: Trace,
  objects: ReadonlySet<ObjectId>,
  from: Step,
  to: Step,
): Generator<number, readonly Delivery[]> {
  const found = new Set<Delivery>();
  const start = Math.max(0, from - BACK);
  const end = Math.min(to + 1, trace.length);
  const passes = (delivery: Delivery): boolean => delivery.hops.some((hop) => objects.has(hop.object));
  const tracker = new DeliveryTracker(trace, (delivery) => {
    if (passes(delivery)) found.add(delivery);
  });
  const walk = new Walk(trace, [tracker], start);
  while (walk.done < end) {
    walk.advance(Math.min(SLICE, end - walk.done));
    yield (walk.done - start) / (end - start);
  }
  for (const delivery of tracker.slots.open) if (passes(delivery)) found.add(delivery);
  return [...found]
    .filter((delivery) => delivery.hops[0]!.step >= from)
    .sort((a, b) => a.hops[0]!.step - b.hops[0]!.step);
}

/** A delivery, and whether it was delivered. */
type Judged = readonly [delivery: Delivery, delivered: boolean | null];

/** Whether a delivery went on from a stage that it passed: to a later event, or to a regular end. */
function leaves([delivery, delivered]: Judged, stage: Stage): boolean {
  const last = delivery.hops.findLastIndex((hop) => hop.stage === stage);
  return last < delivery.hops.length - 1 || (delivered === true && !delivery.into);
}

/** What happened at one stage to deliveries, and the last events of those that ended there. */
function stageOf(
  stage: Stage,
  deliveries: readonly Judged[],
  recorded: (kind: EventKind) => boolean,
): readonly [FunnelStage, ended: readonly Step[]] {
  const here = deliveries.filter(([delivery]) => delivery.has(stage));
  if (here.length === 0 && !shows(stage, recorded))
    return [{ stage, entered: null, left: null, merged: null, ended: null, evidence: 'blind' }, []];
  const stays = here.filter((judged) => !leaves(judged, stage)).map(([delivery]) => delivery);
  const ended = stays.filter(({ into }) => !into).map(({ hops }) => hops.at(-1)!.step);
  const seen = here.some(([{ hops }]) => hops.some((hop) => hop.stage === stage && hop.seen));
  const entered = here.length;
  const left = entered - stays.length;
  const merged = stays.length - ended.length;
  const evidence = seen || entered === 0 ? 'measured' : 'inferred';
  return [{ stage, entered, left, merged, ended: ended.length, evidence }, ended.sort((a, b) => a - b)];
}

/**
 * Counts the deliveries that pass some objects and begin between two steps. Pauses after each slice, and gives the share of the way that is done.
 */
export function* counting(
  trace: Trace,
  objects: ReadonlySet<ObjectId>,
  from: Step,
  to: Step,
  recorded: (kind: EventKind) => boolean,
): Generator<number, Counted> {
  const found = yield* passing(trace, objects, from, to);
  const deliveries = found.map((delivery): Judged => [delivery, outcomeOf(trace, delivery, recorded).delivered]);
  const count = (value: boolean | null): number => deliveries.filter(([, delivered]) => delivered === value).length;
  const seen = new Set<Stage>(deliveries.flatMap(([delivery]) => delivery.hops.map((hop) => hop.stage)));
  const counted = stagesOf(seen, recorded).map((stage) => stageOf(stage, deliveries, recorded));
  const stages = counted.map(([stage]) => stage);
  return {
    funnel: {
      deliveries: deliveries.length,
      delivered: count(true),
      lost: count(false),
      unknown: count(null),
      stages,
      first: stages.find(({ ended }) => ended !== null && ended > 0)?.stage ?? null,
      blind: blindStages(seen, recorded),
    },
    ended: new Map(counted.map(([{ stage }, ended]) => [stage, ended])),
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
  const work = counting(trace, objects, from, to, recorded);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value.funnel;
  }
}
