import type { ObjectId, Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import type { State } from '../model/state.ts';

/** What a rule looks at of an event: a row of a trace, or an event that was just simulated. */
export interface Happened {
  readonly kind: EventKind;
  /** Number of the object in the world. */
  readonly object: ObjectId;
}

/** A breach of a rule: the event that broke it, the object, why, and the events that the judgement stands on. */
export type Report = (step: Step, object: ObjectId, text: string, evidence: readonly Step[]) => void;

/** One look of a rule at one trace, from its first event to its last. */
export interface RuleObserver {
  /** The event at `step` took place; `state` is the state after it. */
  event(step: Step, happened: Happened, state: State): void;
  /** The trace lost events here: what was seen before says nothing about what stands now. */
  lost(): void;
  /** How often there was something to judge; 0: the rule does not apply to this trace. */
  readonly judged: number;
}

/** Something that must hold in every trace. One file per rule; `rules.ts` lists them. */
export interface Rule<Id extends string = string> {
  readonly id: Id;
  /** What holds, in one sentence. */
  readonly meaning: string;
  /** Where that is laid down. */
  readonly reference: string;
  /** It counts causes and messages: it can be judged only where the trace shows all of them, as simulated traces do. */
  readonly needsAll: boolean;
  watch(report: Report): RuleObserver;
}
