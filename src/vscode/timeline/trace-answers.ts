import type {
  CursorMessage,
  Description,
  DifferencesMessage,
  FindingsMessage,
  FoundMessage,
  LanesMessage,
  PathMessage,
  TableReply,
  TraceMessage,
  WindowQuestion,
  WindowReply,
} from '../../protocol/timeline.ts';
import { MOST_DIFFERENCES } from '../../protocol/timeline.ts';
import { packWindow } from '../../protocol/window.ts';
import type { Session } from '../../session/session.ts';
import { nearestTo, neighbourOf, stepsBetween } from '../../view/lanes/find.ts';
import { LaneHits } from '../../view/lanes/hits.ts';
import type { LaneIndex } from '../../view/lanes/lanes.ts';
import { windowOf } from '../../view/lanes/window.ts';
import type { Answers, FindingName, GoQuestion, LaneQuestion, ServiceOptions, Stretch } from './answers.ts';
import {
  cursorMessage,
  describe,
  differencesMessage,
  findingOf,
  findingsMessage,
  foundMessage,
  lanesMessage,
  pathMessage,
  type Scene,
  type ShownTrace,
  tableOf,
  traceMessage,
} from './messages.ts';

/** What a timeline needs of the rest to show one trace. */
export type TraceOptions = Pick<ServiceOptions, 'searcher' | 'finding' | 'findings' | 'differences'>;

/** The timeline of one trace. */
export class TraceAnswers implements Answers, Scene {
  readonly shown: ShownTrace;
  readonly index: LaneIndex;
  readonly #options: TraceOptions;
  #hits: readonly LaneHits[] = [];

  constructor(shown: ShownTrace, index: LaneIndex, options: TraceOptions) {
    this.shown = shown;
    this.index = index;
    this.#options = options;
  }

  get id(): number {
    return this.shown.id;
  }

  get session(): Session {
    return this.shown.session;
  }

  get sessions(): readonly Session[] {
    return [this.shown.session];
  }

  get complete(): boolean {
    return this.index.done === this.index.trace.length;
  }

  get idle(): boolean {
    return this.complete && !this.hits.some(({ behind }) => behind);
  }

  get hits(): readonly LaneHits[] {
    const hits = this.session.search?.hits;
    if (hits !== this.#hits[0]?.hits) this.#hits = hits ? [new LaneHits(this.index, hits)] : [];
    return this.#hits;
  }

  hitLanes(): number[] {
    return this.hits.flatMap(({ lanes }) => [...lanes]);
  }

  get laneCount(): number {
    return this.index.tree.lanes.length;
  }

  trace(): TraceMessage {
    return traceMessage(this);
  }

  lanes(): LanesMessage {
    return lanesMessage(this);
  }

  cursor(): CursorMessage {
    return cursorMessage(this);
  }

  path(): PathMessage {
    return pathMessage(this);
  }

  findings(): FindingsMessage {
    return findingsMessage(this, this.#options.findings?.(this.shown) ?? []);
  }

  differences(): DifferencesMessage {
    return differencesMessage(this, this.#options.differences?.(this.shown, MOST_DIFFERENCES) ?? []);
  }

  found(): FoundMessage {
    return foundMessage(this);
  }

  window(question: Omit<WindowQuestion, 'trace'>): WindowReply {
    const { search } = this.session;
    const number = this.#options.searcher.numberOf(this.session);
    const window = packWindow(windowOf(this.index, question, search));
    return { indexed: this.index.done, search: number, searched: search ? search.done : 0, window };
  }

  describe({ row, axis, from, to }: LaneQuestion): Description {
    return describe(this.index, row, this.index.axis(axis), from, to);
  }

  table({ row, axis, from, to }: LaneQuestion): TableReply {
    return tableOf(this.index, row, this.index.axis(axis), from, to);
  }

  go({ row, axis, to, x }: GoQuestion): number {
    const { index, session } = this;
    const step =
      to === 'nearest' ? nearestTo(index, row, index.axis(axis), x) : neighbourOf(index, row, session.cursor, to);
    return step >= 0 && typeof session.move({ to: 'step', step }) === 'number' ? step : -1;
  }

  select(path: string): void {
    this.session.select(path);
  }

  mark(stretch: Stretch | null): void {
    const { session, index } = this;
    session.mark(stretch === null ? undefined : stepsBetween(index.axis(stretch.axis), stretch.from, stretch.to));
  }

  finding(name: FindingName): void {
    const found = findingOf(this.shown, this.#options.findings?.(this.shown) ?? [], name);
    if (found) this.#options.finding?.(this.shown, found);
  }

  advance(count: number): boolean {
    let more = this.index.advance(count);
    for (const hits of this.hits) if (hits.advance(count)) more = true;
    return more;
  }

  moved(): void {}
}
