import type { ObjectId, Step } from '../base/ids.ts';
import { durationText } from '../base/time.ts';
import type { EventKind } from '../model/event.ts';
import { msgSend } from '../model/events/msix.ts';
import { kvmSeveral } from '../model/events/virt.ts';
import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import { orderOf as orderOfEvents } from '../query/order.ts';
import { Spans } from '../query/span.ts';
import { UnnamedSends } from '../query/unnamed-sends.ts';
import type { Source } from '../trace/source.ts';
import type { Trace } from '../trace/trace.ts';
import type { Observer } from '../trace/walk.ts';
import { standsBefore } from './placed.ts';
import type { Breach, Happened, Rule, RuleObserver, Scene, Severity } from './rule.ts';

/** A breach that a rule found. */
export interface Finding {
  readonly rule: Rule;
  readonly severity: Severity;
  /** An interrupt did not reach its handler. What is reported less severely than as an error is only possible. */
  readonly lost: boolean;
  /** What happened, in one line. */
  readonly title: string;
  readonly step: Step;
  readonly object: ObjectId;
  readonly text: string;
  readonly evidence: readonly Step[];
  readonly confirm: string;
}

/**
 * What a rule says of a trace: broken, by a finding that is worse than info; held wherever there was something to judge, or
 * only what is worth knowing; cannot be judged because the trace does not show all that counts; nothing in the trace that it
 * is about.
 */
export const VERDICTS = ['fail', 'undecidable', 'pass', 'not-applicable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Breaches of one rule on one object that are told one by one; more are only counted. */
const MOST_ALIKE = 100;

/**
 * Nanoseconds by which the clock of a trace goes back where it starts again: its machine was booted again, or the records of another CPU
 * follow. What was seen before says nothing of what stands now. Records that overtake one another lie closer together.
 */
const RESTART = 1e9;

/** One rule at work. */
interface Watched {
  readonly rule: Rule;
  readonly observer: RuleObserver;
  /** The trace lacks what the rule needs: it looks only at what tells of the fault by itself. */
  readonly blind: boolean;
  /** Breaches whose proof is an absence that the trace cannot show. */
  undecided: number;
  /** Breaches worse than info, and those of severity info. */
  broken: number;
  noted: number;
  readonly alike: Map<ObjectId, number>;
}

/** An event without its time. */
type Timeless = { -readonly [Field in keyof Happened]: Happened[Field] };

/** What the clocks of a trace tell: whether they count ticks, and how a time between two events is written (nanoseconds where left out). */
interface RuleClock {
  readonly ticks: boolean;
  readonly span?: Scene['span'];
}

const durationOf: Scene['span'] = (nanoseconds) => durationText(nanoseconds);

/** The same of a trace. */
export function clockOf(trace: Trace): RuleClock {
  const spans = new Spans(trace);
  return { ticks: trace.time.ticks, span: (ns, from, to) => spans.text(ns, from, to) };
}

/** Takes rules over the events of a trace, in a walk of its own or together with other observers. */
export class RuleCheck implements Observer {
  readonly findings: Finding[] = [];
  /** Breaches that are not among the findings, because there were so many of the same rule on the same object. */
  further = 0;
  /** The rules that it judges by. */
  readonly rules: readonly Rule[];
  readonly #watched = new Map<Rule, Watched>();
  /** The rules that look at each kind of event, by its number. */
  readonly #byKind: (readonly Watched[] | undefined)[] = [];
  readonly #all: readonly Watched[];
  readonly #recorded: (kind: EventKind) => boolean;
  readonly #complete: boolean;
  readonly #ticks: boolean;
  /** The event as rules see it where the clock counts ticks: reused, so that the row of the walk keeps its time. */
  #timeless: Timeless | undefined;
  /** Steps at which the trace lost events, at which the records of a CPU begin, or at which the clock starts again. */
  readonly #losses: Step[] = [];
  /** The time of the last event that has one. */
  #time = Number.NaN;
  readonly #ordered: Ordered | undefined;
  readonly #unnamed: UnnamedSends;

  /**
   * `complete`: the trace shows every cause and every message. `recorded`: whether it holds events of a kind (`RecordedKinds`); a
   * simulation that runs may come to hold any. `ordered`: where the order of two events may be unknown. The last: what its clocks tell.
   */
  constructor(
    rules: readonly Rule[],
    world: World,
    complete: boolean,
    recorded: (kind: EventKind) => boolean = () => true,
    ordered?: Ordered,
    { ticks, span = durationOf }: RuleClock = { ticks: false },
  ) {
    this.rules = rules;
    this.#ticks = ticks;
    this.#ordered = ordered;
    this.#recorded = recorded;
    this.#complete = complete;
    this.#unnamed = new UnnamedSends(world);
    const scene: Scene = {
      world,
      complete,
      ticks,
      recorded: (...kinds) => kinds.some(recorded),
      span: (ns, from, to) => (Number.isNaN(ns) ? '?' : span(ns, from, to)),
    };
    const lists = new Map<number, Watched[]>();
    for (const rule of rules) {
      const blind = this.#blind(rule, complete);
      const { kinds, beside = [], alone = [] } = rule;
      if (blind && !alone.some(recorded)) continue;
      const watched: Watched = {
        rule,
        observer: rule.watch((breach) => this.#report(watched, breach), scene),
        blind,
        undecided: 0,
        broken: 0,
        noted: 0,
        alike: new Map(),
      };
      this.#watched.set(rule, watched);
      for (const { number } of new Set(blind ? alone : [...kinds, ...beside, ...alone])) {
        const list = lists.get(number);
        if (list) list.push(watched);
        else lists.set(number, [watched]);
      }
    }
    for (const [number, list] of lists) this.#byKind[number] = list;
    this.#all = [...this.#watched.values()];
  }

  event(step: Step, happened: Happened, state: State): void {
    const { kind, time } = happened;
    const again = this.#time - time > RESTART && !this.#ticks;
    if (!Number.isNaN(time)) this.#time = time;
    if (kind.role === 'loss' || again) {
      this.#losses.push(step);
      for (const { observer } of this.#all) observer.lost(step);
      if (kind.role === 'loss') return;
    }
    if (kind.role === 'begin') this.#losses.push(step);
    if (happened.kind === msgSend) this.#unnamed.sent(step, happened.object);
    const list = this.#byKind[kind.number];
    if (list === undefined) return;
    const seen = this.#ticks ? this.#withoutTime(happened) : happened;
    for (const { observer } of list) observer.event(step, seen, state);
  }

  /** The trace is over; no event follows. */
  end(last: Step, state: State): void {
    for (const { observer, blind } of this.#all) if (!blind) observer.end?.(last, state);
  }

  /** What each rule says so far, by its id. */
  verdicts(): Readonly<Record<string, Verdict>> {
    return Object.fromEntries(this.rules.map((rule) => [rule.id, this.verdict(rule)]));
  }

  /** What a rule says so far. */
  verdict(rule: Rule): Verdict {
    const watched = this.#watched.get(rule);
    if (watched !== undefined && watched.broken > 0) return 'fail';
    if (watched === undefined || watched.blind) {
      return rule.kinds.some(this.#recorded) || (watched?.noted ?? 0) > 0 ? 'undecidable' : 'not-applicable';
    }
    const any = watched.noted > 0 || watched.observer.judged > 0;
    if (watched.undecided > 0 || (any && this.#ticks && rule.needsTime)) return 'undecidable';
    return any ? 'pass' : 'not-applicable';
  }

  #withoutTime({ kind, object, cpu, task, words, at }: Happened): Happened {
    const row = (this.#timeless ??= { kind, object, cpu, time: Number.NaN, task, words, at });
    row.kind = kind;
    row.object = object;
    row.cpu = cpu;
    row.task = task;
    row.words = words;
    row.at = at;
    return row;
  }

  /** Whether the trace lacks what a rule needs. A trace that shows all lacks nothing: what it does not hold did not happen. */
  #blind(rule: Rule, complete: boolean): boolean {
    if (complete) return false;
    if (rule.oneMachine === true && this.#recorded(kvmSeveral)) return true;
    return rule.needsAll || rule.needs.some((group) => !group.some(this.#recorded));
  }

  #report(watched: Watched, breach: Breach): void {
    const { rule, alike } = watched;
    const { step, object, title, text, evidence, absent } = breach;
    const ordered = this.#ordered;
    const unordered = ordered !== undefined && breach.always !== true && !evidence.every((e) => ordered(e, step));
    if (unordered || (absent !== undefined && !this.#provesAbsence(absent, object))) {
      watched.undecided++;
      return;
    }
    const severity = breach.severity ?? rule.severity;
    if (severity === 'info') watched.noted++;
    else watched.broken++;
    const times = (alike.get(object) ?? 0) + 1;
    alike.set(object, times);
    if (times > MOST_ALIKE) {
      this.further++;
      return;
    }
    const confirm = breach.confirm ?? rule.confirm;
    const lost = breach.lost === true && severity === 'error';
    this.findings.push({ rule, severity, lost, title, step, object, text, evidence, confirm });
  }

  #provesAbsence({ since, kinds }: NonNullable<Breach['absent']>, object: ObjectId): boolean {
    if (this.#losses.length > 0 && this.#losses.at(-1)! >= since) return false;
    if (kinds.includes(msgSend) && this.#unnamed.mayBeOf(object, since)) return false;
    return this.#complete || kinds.some(this.#recorded);
  }
}

/** Whether it is known which of two events came first. */
export type Ordered = (a: Step, b: Step) => boolean;

/** Whether the order of two events of a trace is known (`EventOrder`). Undefined where the trace has one source. */
export function orderOf(trace: Trace): Ordered | undefined {
  const order = orderOfEvents(trace);
  return order && ((a, b) => order.known(a, b) || standsBefore(trace, a, b));
}

/**
 * Whether a trace shows every cause and every message: simulated traces do, whether they still run or were saved, unless part of their file
 * could not be read.
 */
export function showsAll(trace: Trace): boolean {
  const simulated = ({ format, header }: Source): boolean =>
    format === 'simulation' || (header ?? []).some((line) => line.startsWith('scenario '));
  const whole = ({ accounting: { unknown, skipped, lost, gaps }, problem }: Source): boolean =>
    unknown.size + skipped.size + lost + gaps === 0 && problem === undefined;
  return trace.sources.every((source) => simulated(source) && whole(source));
}
