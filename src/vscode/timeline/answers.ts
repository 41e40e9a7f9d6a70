import type * as v from 'valibot';
import type { After } from '../../protocol/rpc.ts';
import type {
  CursorMessage,
  Description,
  DifferencesMessage,
  FindingsMessage,
  FoundMessage,
  LanesMessage,
  PathMessage,
  questions,
  TableReply,
  TraceMessage,
  WindowQuestion,
  WindowReply,
} from '../../protocol/timeline.ts';
import type { Place } from '../../query/diff/places.ts';
import type { Session } from '../../session/session.ts';
import type { LaneHits } from '../../view/lanes/hits.ts';
import type { AxisKind, LaneRow } from '../../view/lanes/values.ts';
import type { Searcher } from '../events/searcher.ts';
import type { ShownFinding, ShownTrace } from './messages.ts';

export interface ServiceOptions {
  readonly after: After;
  /** Milliseconds, for measuring slices of work. */
  readonly now: () => number;
  /** Looks for events. */
  readonly searcher: Searcher;
  /** Gets the errors of messages that expect no answer. */
  readonly problem: (text: string) => void;
  /** The user wants to open a trace. */
  readonly open: () => void;
  /** The user wants to see the list of events. */
  readonly events?: () => void;
  /** The user wants to see a finding of a trace. */
  readonly finding?: (trace: ShownTrace, finding: ShownFinding) => void;
  /** Where a trace differs from the one that it is compared with. */
  readonly differences?: (trace: ShownTrace, most: number) => readonly Place[];
  /** The findings of a trace, the worst first. */
  readonly findings?: (trace: ShownTrace) => readonly ShownFinding[];
}

/** A stretch of an axis. */
export interface Stretch {
  readonly axis: AxisKind;
  readonly from: number;
  readonly to: number;
}

/** A lane and a stretch of an axis. */
export interface LaneQuestion extends Stretch {
  readonly row: LaneRow;
}

export type GoQuestion = Omit<v.InferOutput<(typeof questions.go)['params']>, 'trace'>;

/** A trace of a comparison; empty where one trace is shown alone. */
export type SideName = FindingsMessage['places'][number]['side'];

/** A finding, as the page names it. */
export interface FindingName {
  readonly rule: string;
  readonly step: number;
  readonly object: string;
  readonly side: SideName;
}

/** What a timeline shows: one trace, or the two traces of a comparison. It answers what the page asks, and tells what it needs to know. */
export interface Answers {
  /** Number of what is shown: that of the trace, or another one of the comparison. */
  readonly id: number;
  /** The traces that the search is about, the active one first. */
  readonly sessions: readonly Session[];
  /** All events are sorted into lanes. */
  readonly complete: boolean;
  /** Nothing is left to do: all events are sorted, and the lanes of all hits are known. */
  readonly idle: boolean;
  /** Which lanes have events that are looked for, for each trace with a search. */
  readonly hits: readonly LaneHits[];
  /** Lanes known so far. */
  readonly laneCount: number;

  trace(): TraceMessage;
  lanes(): LanesMessage;
  /** Numbers of the lanes with hits so far. */
  hitLanes(): number[];
  cursor(): CursorMessage;
  path(): PathMessage;
  findings(): FindingsMessage;
  differences(): DifferencesMessage;
  found(): FoundMessage;

  window(question: Omit<WindowQuestion, 'trace'>): WindowReply;
  describe(question: LaneQuestion): Description;
  table(question: LaneQuestion): TableReply;
  /** Moves the cursor; the step that it stands at then, or -1 when there is no such event. */
  go(question: GoQuestion): number;
  /** The user chose a lane, or another view an object. */
  select(path: string, lane: number): void;
  /** Marks the events of a stretch, or none any more. */
  mark(stretch: Stretch | null): void;
  finding(name: FindingName): void;

  /** Does some of the work that is left, about as much as sorting `count` events into lanes; says whether there is more. */
  advance(count: number): boolean;
  /** The cursor of one of its traces moved. */
  moved(session: Session): void;
}
