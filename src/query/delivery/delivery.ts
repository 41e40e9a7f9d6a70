import type { ObjectId, Step } from '../../base/ids.ts';

/** The stages of a delivery, from the device to the end of interrupt. */
export const STAGES = [
  'cause',
  'message',
  'remap',
  'post',
  'accept',
  'signal',
  'route',
  'inject',
  'handler',
  'eoi',
] as const;

/** One stage; `STAGE_MEANINGS` tells what each is. */
export type Stage = (typeof STAGES)[number];

/** What happens at each stage. */
export const STAGE_MEANINGS: Readonly<Record<Stage, string>> = {
  cause: 'the device, or a line, has a cause',
  message: 'the message is written to the bus',
  remap: 'the message is translated: SMMU, ITS, interrupt remapping',
  post: 'the interrupt is posted into the descriptor of a virtual CPU',
  accept: 'the local APIC or the redistributor holds it: it is requested',
  signal: 'VFIO, an eventfd or the VMM signals it',
  route: 'KVM looks up the route of the GSI and decodes its message',
  inject: 'the processor takes it: from requested to in service',
  handler: 'the handler of the kernel runs',
  eoi: 'software ends it',
};

/** One event of a delivery. */
export interface Hop {
  readonly step: Step;
  readonly stage: Stage;
  readonly object: ObjectId;
  /** False: no record names this delivery here; it is inferred from what stands around. */
  readonly seen: boolean;
}

/** How a delivery ended, where an event tells it. */
export interface Ending {
  readonly step: Step;
  /** True: the processor took it, or ended it. False: it was refused or dropped. Null: the trace cannot tell. */
  readonly delivered: boolean | null;
  /** Why it ended here; empty where it took its regular end. */
  readonly reason: string;
}

/** One interrupt on its way: the events that belong to it, in order. */
export class Delivery {
  readonly hops: Hop[] = [];
  /** How it ended; undefined while it is on its way. */
  ending: Ending | undefined;
  /** The delivery that this one merged with: both are served by one interrupt. */
  into: Delivery | undefined;
  /** The delivery that its events turned out to belong to: they are hops of that one. */
  whole: Delivery | undefined;
  /** The delivery that it probably belongs to, where nothing that follows tells. */
  likely: Delivery | undefined;
  /** Objects that will tell how it goes on: what its message leads to, the vector that it waits for. */
  readonly ahead = new Set<ObjectId>();
  /** A processor took it, and no handler belongs to it yet. */
  taken = false;
  /** Its cause has a number, by which later events name it (simulated traces). */
  named = false;
  /** The INTID whose acknowledge it waits for, or -1. */
  intid = -1;
  /** When its last cause arose, in nanoseconds; NaN where no record tells. */
  caused = Number.NaN;
  /** A remapping unit or an ITS got its message. */
  atUnit = false;
  /** Where it goes, as the remapping unit or a route told. */
  vector = -1;

  /** The first object of the delivery: the entry, or the first one that the trace shows. */
  get first(): ObjectId {
    return this.hops[0]!.object;
  }

  /** The furthest stage that it reached, as an index of `STAGES`. */
  get reached(): number {
    return this.hops.reduce((most, { stage }) => Math.max(most, STAGES.indexOf(stage)), -1);
  }

  /** Whether it reached a stage. */
  has(stage: Stage): boolean {
    return this.hops.some((hop) => hop.stage === stage);
  }

  /** Enters an event; events of a delivery may become known a little later than they come. */
  add(step: Step, stage: Stage, object: ObjectId, seen = true): void {
    const { hops } = this;
    let at = hops.length;
    while (at > 0 && hops[at - 1]!.step > step) at--;
    hops.splice(at, 0, { step, stage, object, seen });
  }
}
