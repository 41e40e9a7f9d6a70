import type { ObjectId, Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import type { EventRow } from '../trace/row.ts';

/** How bad a breach is, the worst first. */
export const SEVERITIES = ['error', 'security', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * What a rule looks at of an event: a row of a trace, or an event that was just simulated. The row is reused. Its time is in
 * nanoseconds; NaN where the event has none, and everywhere in a trace whose clock counts ticks, which are no durations.
 */
export type Happened = Pick<EventRow, 'kind' | 'object' | 'cpu' | 'time' | 'task' | 'words' | 'at'>;

/** A breach of a rule. */
export interface Breach {
  /** The event at which the breach shows: the one that broke the rule, or the last chance of what never came. */
  readonly step: Step;
  /** The object that it is about. */
  readonly object: ObjectId;
  /** What happened, in one line without a full stop, such as `entry 2 was raised 3 times while masked and never unmasked`. */
  readonly title: string;
  /** The same with this trace's own numbers and times: whole sentences. */
  readonly text: string;
  /** Earlier or later events that the judgement stands on, in order; `step` itself need not be among them. */
  readonly evidence: readonly Step[];
  /** What the evidence shows holds at any time (a register that software cannot write): the order of the events does not matter. */
  readonly always?: boolean;
  /**
   * The judgement stands on something that did not happen: none of `kinds` came after event `since`. It counts only where the
   * trace records one of these kinds and lost no events since then (docs/findings.md); otherwise the rule is undecidable.
   */
  readonly absent?: { readonly since: Step; readonly kinds: readonly EventKind[] };
  /**
   * An interrupt did not reach its handler, and nothing that is under way brings it there: what was raised or sent ended here, or
   * waits where nobody is told of it. Left out where one only can be lost from now on, is late, or reached another handler.
   */
  readonly lost?: boolean;
  /** Another severity than that of the rule. */
  readonly severity?: Severity;
  /** What would confirm it, where it is another thing than the rule says. */
  readonly confirm?: string;
}

export type Report = (breach: Breach) => void;

/** What a rule may ask about the trace as a whole. */
export interface Scene {
  readonly world: World;
  /** The trace shows every cause and every message, as simulated traces do. */
  readonly complete: boolean;
  /** The clock of the trace counts ticks: no event has a time for rules. */
  readonly ticks: boolean;
  /** Whether the trace holds events of one of these kinds, anywhere. While a simulation runs it may come to hold any. */
  recorded(...kinds: readonly EventKind[]): boolean;
  /**
   * A time in nanoseconds (units of the clock) that lies between two events, as people write it: `3.34 ms`; `?` when unknown. It has the digits of the
   * clocks of both, and says how far these may differ (`Spans`).
   */
  span(nanoseconds: number, from: Step, to: Step): string;
}

/** One look of a rule at one trace, from its first event to its last. */
export interface RuleObserver {
  /** The event at `step` took place; it is of one of the kinds that the rule looks at. `state` is the state after it. */
  event(step: Step, happened: Happened, state: State): void;
  /** The trace lost events here: what was seen before says nothing about what stands now. */
  lost(step: Step): void;
  /** The trace is over after event `last`. Not called while a simulation or a followed file goes on. */
  end?(last: Step, state: State): void;
  /** How often there was something to judge; 0: the rule does not apply to this trace. */
  readonly judged: number;
}

/** Something that must hold in every trace. One file per rule; `rules.ts` lists them. */
export interface Rule<Id extends string = string> {
  /** Id of the fault in the failure catalogue (docs/findings.md), such as `F01`. */
  readonly id: Id;
  /** Other names of the rule: its invariant, such as `INV-PEND`. */
  readonly names: readonly string[];
  /** The fault in a few words, such as `Interrupt lost between mask and unmask`. */
  readonly title: string;
  /** What holds, in one sentence. */
  readonly meaning: string;
  readonly severity: Severity;
  /** Where that is laid down: specification section, kernel or QEMU file, mail. */
  readonly reference: string;
  /** Kinds of events that it is about. `event` sees these, and those of `beside` and `alone`. */
  readonly kinds: readonly EventKind[];
  /** Kinds that it looks at besides, because they explain what it judges. A trace that holds only these is none that it is about. */
  readonly beside?: readonly EventKind[];
  /** Inputs without which it cannot judge: of each group the trace must hold events of at least one kind. */
  readonly needs: readonly (readonly EventKind[])[];
  /**
   * Kinds of events that tell of the fault by themselves, such as lines of the kernel's log: what they tell is reported also where the
   * trace lacks the inputs that it needs. It is not said then that the rule holds.
   */
  readonly alone?: readonly EventKind[];
  /** It counts causes and messages: it can be judged only where the trace shows all of them, as simulated traces do. */
  readonly needsAll: boolean;
  /** It measures times: where the clock counts ticks it does not see all that breaks it, so it does not say that it holds. */
  readonly needsTime?: true;
  /**
   * It takes what records of KVM say without a virtual machine (GSIs, irqfds, lines) as that of one: where a capture shows several, it
   * cannot judge.
   */
  readonly oneMachine?: true;
  /** What it needs and no importer of a log reads, as the page of findings says it; only trace files and simulations hold it. */
  readonly notInLogs?: string;
  /** The probe, the trace event or the file that would confirm a finding or make the rule decidable. */
  readonly confirm: string;
  watch(report: Report, scene: Scene): RuleObserver;
}
