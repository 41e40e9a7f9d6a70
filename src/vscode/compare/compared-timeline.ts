import type { Step } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';
import {
  type CursorMessage,
  type Description,
  type DifferencesMessage,
  type FindingsMessage,
  type FoundMessage,
  type LanesMessage,
  MOST_FINDINGS,
  MOST_FOUND,
  MOST_HOPS,
  type PathMessage,
  type TableReply,
  type TraceMessage,
  type WindowQuestion,
  type WindowReply,
} from '../../protocol/timeline.ts';
import { packWindow } from '../../protocol/window.ts';
import type { Session } from '../../session/session.ts';
import type { ComparedParts } from '../../view/comparison/parts.ts';
import type { ComparedLanes, SideNumber } from '../../view/lanes/compared.ts';
import { nearestTo, neighbourOf } from '../../view/lanes/find.ts';
import type { LaneHits } from '../../view/lanes/hits.ts';
import type { LaneIndex } from '../../view/lanes/lanes.ts';
import { shortNames } from '../../view/lanes/short-names.ts';
import type { LaneRow } from '../../view/lanes/values.ts';
import { searchesOf } from '../events/query-service.ts';
import type {
  Answers,
  FindingName,
  GoQuestion,
  LaneQuestion,
  ServiceOptions,
  SideName,
  Stretch,
} from '../timeline/answers.ts';
import { describe, findingOf, findingPlaces, messageOf, type ShownTrace } from '../timeline/messages.ts';
import { comparedTable, cursorWords } from './compared-messages.ts';
import { ComparedSearch } from './compared-search.ts';

/** Two traces that are compared, as a timeline shows them. */
export interface ShownComparison {
  /** Another number than that of any trace. */
  readonly id: number;
  readonly a: ShownTrace;
  readonly b: ShownTrace;
  readonly found: ComparedParts;
  /** The trace that the other views show. */
  readonly active: () => 'a' | 'b';
  /** Makes one of the traces the active one. */
  readonly activate: (side: 'a' | 'b') => void;
  /** The user went to an event of a trace, or chose an object: the view *Comparison* shows what differs there. */
  readonly picked: (place: { readonly side: 'a' | 'b'; readonly step?: Step; readonly path?: string }) => void;
}

/** What the timeline of a comparison uses of the service. */
type Options = Pick<ServiceOptions, 'searcher' | 'finding' | 'findings' | 'problem'>;

const SIDES = [0, 1] as const;
const NAMES = ['a', 'b'] as const;
const otherOf = (side: SideNumber): SideNumber => (side === 0 ? 1 : 0);
/** The number of a trace of a comparison by its name. */
const numberOf = (side: SideName): SideNumber => (side === 'b' ? 1 : 0);

/** The timeline of two traces that are compared: the lanes of both, one below the other, on one axis. */
export class ComparedAnswers implements Answers {
  readonly #shown: ShownComparison;
  readonly #indexes: readonly [LaneIndex, LaneIndex];
  readonly #options: Options;
  readonly #work: Slices<ComparedLanes>;
  #lanes: ComparedLanes | undefined;
  /** The side of the last event that was gone to, where both sides are one trace. */
  #side: SideNumber = 0;
  readonly #search: ComparedSearch;

  constructor(shown: ShownComparison, lanesOf: (session: Session) => LaneIndex, options: Options) {
    this.#shown = shown;
    this.#indexes = [lanesOf(shown.a.session), lanesOf(shown.b.session)];
    this.#options = options;
    this.#search = new ComparedSearch([shown.a.session, shown.b.session], this.#indexes);
    this.#work = shown.found.lanes(this.#indexes);
  }
  get id(): number {
    return this.#shown.id;
  }

  get complete(): boolean {
    return this.#lanes !== undefined;
  }

  get idle(): boolean {
    return this.complete && !this.hits.some(({ behind }) => behind);
  }

  get laneCount(): number {
    return this.#lanes === undefined ? 0 : this.#indexes[0].tree.lanes.length + this.#indexes[1].tree.lanes.length;
  }

  get sessions(): readonly Session[] {
    const { a, b } = this.#shown;
    if (this.#isOne) return [a.session];
    return this.#active === 0 ? [a.session, b.session] : [b.session, a.session];
  }

  get hits(): readonly LaneHits[] {
    return this.#search.hits(this.#active);
  }

  /** Both sides are one trace, of which two steps are compared. */
  get #isOne(): boolean {
    return this.#shown.a.session === this.#shown.b.session;
  }

  /** The trace that the cursor of the timeline is in. */
  get #active(): SideNumber {
    if (!this.#isOne) return numberOf(this.#shown.active());
    const { cursor } = this.#shown.a.session;
    const [a, b] = this.#shown.found.lengths;
    return cursor >= a ? 1 : cursor >= b ? 0 : this.#side;
  }

  #of(side: SideNumber): ShownTrace {
    return side === 0 ? this.#shown.a : this.#shown.b;
  }

  get #names(): readonly [string, string] {
    return this.#shown.found.names([this.#shown.a.label, this.#shown.b.label]);
  }

  #ready(): ComparedLanes {
    if (!this.#lanes) throw new Error('the traces are not aligned yet');
    return this.#lanes;
  }

  advance(count: number): boolean {
    for (const [i, index] of this.#indexes.entries())
      if (index.done < this.#shown.found.lengths[i]!) {
        index.advance(count);
        return true;
      }
    if (!this.#lanes) {
      const next = this.#work.next();
      if (!next.done) return true;
      this.#lanes = next.value;
      this.link();
    }
    let more = false;
    for (const hits of this.hits) if (hits.advance(count)) more = true;
    return more;
  }

  trace(): TraceMessage {
    const { a, b, found } = this.#shown;
    const events = found.lengths[0] + found.lengths[1];
    const sorted =
      Math.min(found.lengths[0], this.#indexes[0].done) + Math.min(found.lengths[1], this.#indexes[1].done);
    const time = { base: '0', ticks: true, digits: 0 };
    return {
      id: this.id,
      status: this.complete ? 'ready' : 'loading',
      name: this.#isOne ? a.label : `${a.label} ↔ ${b.label}`,
      problem: '',
      sources: 2,
      events,
      indexed: this.complete ? events : 0,
      progress: this.complete || events === 0 ? -1 : sorted / events,
      axis: 'order',
      time,
      extents: { time: [0, 0], step: [0, 0], order: [0, Math.max(0, (this.#lanes?.length ?? 0) - 1)] },
      sides: [...this.#names],
    };
  }

  lanes(): LanesMessage {
    // The places of two steps are short, and stay whole.
    const names = this.#isOne ? this.#names : shortNames(...this.#names);
    const lanes = (this.#lanes?.list() ?? []).map((lane) => ({
      ...lane,
      // Groups without events of their own need no name of a trace.
      detail: [lane.detail, lane.events === 0 ? '' : names[numberOf(lane.side)]]
        .filter((text) => text !== '')
        .join(' · '),
    }));
    return messageOf(this.id, lanes);
  }

  cursor(): CursorMessage {
    const active = this.#active;
    const { cursor, selection } = this.#of(active).session;
    const place = this.#placeIn(active);
    const other = this.#isOne ? undefined : this.#placeIn(otherOf(active));
    const sides = this.#isOne ? [active] : SIDES;
    const words = sides.map((side) => cursorWords(NAMES[side], this.#of(side).session));
    return {
      trace: this.id,
      step: cursor,
      time: place?.time ?? 0,
      lane: place?.lane ?? -1,
      label: words.map(({ label }) => label).join(' · '),
      text: words
        .map(({ text }) => text)
        .filter((text) => text !== '')
        .join('  '),
      selection: selection ?? '',
      side: NAMES[active],
      other: other ? [other] : [],
    };
  }

  /** Where the cursor of a trace is drawn; undefined before its first event, and while the traces are not aligned. */
  #placeIn(side: SideNumber): CursorMessage['other'][number] | undefined {
    const { cursor } = this.#of(side).session;
    return cursor < 0 || !this.#lanes ? undefined : this.#placeOf(this.#lanes, side, cursor);
  }

  #placeOf(lanes: ComparedLanes, side: SideNumber, step: Step): CursorMessage['other'][number] {
    const { placed } = lanes.sides[side];
    return { step, time: placed.placeOf(step), lane: step < placed.length ? lanes.laneOf(side, step) : -1 };
  }

  /** Where the events of a difference are drawn: that of trace A, else that of B. */
  placeOf(stepA: Step | undefined, stepB: Step | undefined): { time: number; lane: number } | undefined {
    if (!this.#lanes) return undefined;
    const step = stepA ?? stepB;
    if (step === undefined) return undefined;
    const { time, lane } = this.#placeOf(this.#lanes, stepA === undefined ? 1 : 0, step);
    return { time, lane };
  }

  path(): PathMessage {
    const lanes = this.#lanes;
    const active = this.#active;
    const hops = lanes ? (this.#of(active).session.path?.hops ?? []) : [];
    return {
      trace: this.id,
      hops: hops
        .filter(({ step }) => step < lanes!.sides[active].placed.length)
        .slice(0, MOST_HOPS)
        .map(({ step, seen }) => ({ ...this.#placeOf(lanes!, active, step), seen })),
    };
  }

  findings(): FindingsMessage {
    const lanes = this.#lanes;
    if (!lanes) return { trace: this.id, places: [] };
    const most = MOST_FINDINGS / SIDES.length;
    const places = SIDES.flatMap((side) => {
      const shown = this.#of(side);
      const { length } = lanes.sides[side].placed;
      const drawn = (this.#options.findings?.(shown) ?? []).filter(({ step }) => step < length).slice(0, most);
      return findingPlaces(shown, drawn, (step) => this.#placeOf(lanes, side, step), NAMES[side]);
    });
    return { trace: this.id, places };
  }

  /** The windows hold the differences. */
  differences(): DifferencesMessage {
    return { trace: this.id, places: [] };
  }

  found(): FoundMessage {
    const lanes = this.#lanes;
    if (!lanes) return { trace: this.id, places: [] };
    const places = this.#search
      .nearest(this.#active, MOST_FOUND / SIDES.length)
      .filter(({ side, step }) => step < lanes.sides[side].placed.length)
      .map(({ side, step }) => this.#placeOf(lanes, side, step));
    return { trace: this.id, places };
  }

  hitLanes(): number[] {
    const lanes = this.#lanes;
    if (!lanes) return [];
    return this.#search
      .lanes(this.#active)
      .map(({ side, lane }) => lanes.idOf(side, lanes.sides[side].index.tree.lanes[lane]!));
  }

  window(question: Omit<WindowQuestion, 'trace'>): WindowReply {
    const lanes = this.#ready();
    const searches = this.#search.of(this.#active);
    const wanted = SIDES.map((side) => searches.find((one) => one.side === side)?.search);
    const { found } = this.#shown;
    return {
      indexed: found.lengths[0] + found.lengths[1],
      search: this.#options.searcher.numberOf(this.sessions[0]!),
      searched: searchesOf(this.sessions).reduce((sum, { done }) => sum + done, 0),
      window: packWindow(lanes.window(question, wanted)),
    };
  }

  describe({ row, from, to }: LaneQuestion): Description {
    const { side, placed, target } = this.#row(row);
    return describe(placed, target, placed.axis, from, to, {
      stepAt: (place) => placed.at(place),
      remark: (step) => this.#shown.found.remark(side, step),
    });
  }

  table({ row, from, to }: LaneQuestion): TableReply {
    const { lanes, side, placed, target } = this.#row(row);
    const there = otherOf(side);
    return comparedTable({
      ...{ placed, row: target, from, to },
      told: (step) => this.#shown.found.told(side, step),
      missing: lanes.missingBetween(row.lane, row.deep, from, to),
      other: (place) => [this.#of(there).session.trace, lanes.sides[there].placed.at(place)],
    });
  }

  /** A row of the page as a lane of one of the traces. */
  #row({ lane: id, deep }: LaneRow) {
    const lanes = this.#ready();
    const { side, lane } = lanes.laneAt(id);
    return { lanes, side, placed: lanes.sides[side].placed, target: { lane: lane?.id ?? -1, deep } };
  }

  go({ row, to, x }: GoQuestion): number {
    const { lanes, side, placed, target } = this.#row(row);
    if (to !== 'nearest') {
      const { cursor } = this.#of(side).session;
      return this.#goTo(side, placed.at(neighbourOf(placed, target, cursor < 0 ? -1 : placed.placeOf(cursor), to)));
    }
    const place = nearestTo(placed, target, placed.axis, x);
    // A place where only the other trace has an event leads to that one.
    const away = place < 0 ? lanes.length : Math.abs(place - x);
    const [missing] = lanes
      .missingBetween(row.lane, row.deep, x - away, x + away)
      .sort((p, q) => Math.abs(p - x) - Math.abs(q - x));
    if (missing === undefined) return this.#goTo(side, placed.at(place));
    return this.#goTo(otherOf(side), lanes.sides[otherOf(side)].placed.at(missing));
  }

  #goTo(side: SideNumber, step: Step): number {
    if (step < 0) return -1;
    this.#side = side;
    this.#shown.activate(NAMES[side]);
    if (typeof this.#of(side).session.move({ to: 'step', step }) !== 'number') return -1;
    this.link();
    this.#shown.picked({ side: NAMES[side], step });
    return step;
  }

  /** Takes the cursor of the other trace to the event that stands for the one at the cursor, else to the last one before its place. */
  link(): void {
    const lanes = this.#lanes;
    if (!lanes || this.#isOne) return;
    const active = this.#active;
    const { cursor } = this.#of(active).session;
    const there = otherOf(active);
    const step = cursor < 0 ? -1 : this.#partnerOf(lanes, active, cursor);
    const { session } = this.#of(there);
    if (step >= 0) session.move({ to: 'step', step });
    else if (session.cursor >= 0) {
      session.move({ to: 'first' });
      session.move({ to: 'previous' });
    }
  }

  /** The event of the other trace that stands for an event, else the last one before its place; -1 for none. */
  #partnerOf(lanes: ComparedLanes, side: SideNumber, step: Step): Step {
    const partner = this.#shown.found.partner(side, step);
    if (partner >= 0) return partner;
    return lanes.sides[otherOf(side)].placed.lastAt(lanes.sides[side].placed.placeOf(step));
  }

  moved(session: Session): void {
    if (session === this.#of(this.#active).session) this.link();
  }

  select(path: string, lane: number): void {
    const side = this.#lanes?.laneAt(lane).side ?? 0;
    this.#shown.activate(NAMES[side]);
    this.#of(side).session.select(path);
    this.#shown.picked({ side: NAMES[side], path });
  }

  mark(stretch: Stretch | null): void {
    const [a, b] = this.#shown.found.lengths;
    for (const side of this.#isOne ? ([a < b ? 1 : 0] as const) : SIDES) {
      const range = stretch && this.#lanes?.sides[side].placed.stepsBetween(stretch.from, stretch.to);
      this.#of(side).session.mark(range ?? undefined);
    }
  }

  finding(name: FindingName): void {
    const shown = this.#of(numberOf(name.side));
    const found = findingOf(shown, this.#options.findings?.(shown) ?? [], name);
    if (found) this.#options.finding?.(shown, found);
  }
}
