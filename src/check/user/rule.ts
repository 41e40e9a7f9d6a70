import type { Step } from '../../base/ids.ts';
import { durationText } from '../../base/time.ts';
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { namesRelated } from '../../query/filter/names.ts';
import { compileFilter, relatedObject } from '../../query/filter/pass.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Breach, Happened, Report, Rule, RuleObserver } from '../rule.ts';
import { kindsOf } from './kinds.ts';
import type { ReadRule } from './read.ts';
import { nanosecondsIn } from './schema.ts';

/** An event after which another one must follow. */
interface Waiting {
  readonly key: Key;
  readonly step: Step;
  readonly object: number;
  readonly deadline: number;
  met: boolean;
}

/** So many that are done with are kept before the list is cut. */
const MOST_DONE = 4096;

/** What two events may have in common: a number, or one wider than 32 bits in hexadecimal. */
type Key = number | string;

/** The value of an argument of `width` words, the lowest first; of whatever width, equal values are one key. */
function valueAt(words: Uint32Array, at: number, width: number): Key {
  let last = at + width - 1;
  while (last > at && words[last] === 0) last--;
  if (last === at) return words[at]!;
  return Array.from(words.subarray(at, last + 1), (word) => word.toString(16).padStart(8, '0'))
    .reverse()
    .join('');
}

/** What both events of a rule have in common; undefined when an event lacks it. */
function keyOf(same: string, trace: Trace): (step: Step, happened: Happened) => Key | undefined {
  if (same === 'any') return () => 0;
  if (same === 'object') return (_step, { object }) => object;
  if (same === 'cpu') return (_step, { cpu }) => (cpu < 0 ? undefined : cpu);
  if (namesRelated(same)) {
    const related = relatedObject(same, trace);
    return (step) => {
      const object = related(step);
      return object < 0 ? undefined : object;
    };
  }
  return (_step, { kind, words, at }) => {
    const spec = kind.args.find(({ name }) => name === same);
    if (spec === undefined || (spec.optional && (words[at]! & spec.bit) === 0)) return undefined;
    return valueAt(words, at + spec.at, spec.words);
  };
}

/** A rule of the user as a rule for one trace: its filters ask that trace. */
export function ruleFor(read: ReadRule, trace: Trace): Rule {
  const { id, title, after, expect, within, same, severity, confirm, reference, filters } = read;
  const expected = kindsOf(filters.expect);
  return {
    id,
    names: [],
    title,
    meaning: `After ${after}, ${expect} follows within ${within}${same === 'any' ? '' : ` with the same ${same}`}.`,
    severity,
    reference: reference ?? 'rules.json of the user',
    kinds: vocabulary,
    needs: [],
    needsAll: false,
    confirm:
      confirm ??
      `a recording that holds ${expected
        .map(({ name }) => name)
        .slice(0, 3)
        .join(', ')}`,
    watch: (report) => new Following(read, trace, expected, report),
  };
}

/** Looks at one trace for events after which the expected one does not follow in time. */
class Following implements RuleObserver {
  judged = 0;
  readonly #rule: ReadRule;
  readonly #trace: Trace;
  readonly #expected: readonly EventKind[];
  readonly #report: Report;
  readonly #begins: (step: Step) => boolean;
  readonly #follows: (step: Step) => boolean;
  readonly #key: (step: Step, happened: Happened) => Key | undefined;
  readonly #nanoseconds: number;
  /** In the order of their steps; those before `head` are done with. */
  #waiting: Waiting[] = [];
  #head = 0;
  /** Those that are not met yet, by what the expected event must have in common with them. */
  readonly #open = new Map<Key, Waiting[]>();

  constructor(rule: ReadRule, trace: Trace, expected: readonly EventKind[], report: Report) {
    this.#rule = rule;
    this.#trace = trace;
    this.#expected = expected;
    this.#report = report;
    this.#begins = compileFilter(rule.filters.after, trace);
    this.#follows = compileFilter(rule.filters.expect, trace);
    this.#key = keyOf(rule.same, trace);
    this.#nanoseconds = nanosecondsIn(rule.within);
  }

  event(step: Step, happened: Happened): void {
    const { time } = happened;
    // Ticks of a counter are no durations, and an event without a stamp tells no time.
    if (this.#trace.time.ticks || Number.isNaN(time)) return;
    this.#expire(time);
    const key = this.#key(step, happened);
    if (key === undefined) return;
    if (this.#follows(step)) this.#meet(key);
    if (this.#begins(step)) this.#wait(key, step, happened.object, time + this.#nanoseconds);
  }

  lost(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#open.clear();
  }

  #wait(key: Key, step: Step, object: number, deadline: number): void {
    const waiting = { key, step, object, deadline, met: false };
    this.#waiting.push(waiting);
    const open = this.#open.get(key);
    if (open) open.push(waiting);
    else this.#open.set(key, [waiting]);
  }

  #meet(key: Key): void {
    const open = this.#open.get(key) ?? [];
    for (const waiting of open) waiting.met = true;
    this.judged += open.length;
    this.#open.delete(key);
  }

  /** It is `time` now: what has not come by then is late. */
  #expire(time: number): void {
    for (let next = this.#waiting[this.#head]; next && (next.met || next.deadline < time); ) {
      if (!next.met) {
        this.judged++;
        this.#open.get(next.key)?.shift();
        this.#report(this.#breach(next));
      }
      next = this.#waiting[++this.#head];
    }
    if (this.#head < MOST_DONE) return;
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }

  #breach({ step, object }: Waiting): Breach {
    const { title, expect, within, same } = this.#rule;
    const path = this.#trace.world.path(object);
    const common = same === 'any' ? '' : ` with the same ${same}`;
    return {
      step,
      object,
      title: path === '' ? title : `${path}: ${title}`,
      text: `After this event nothing that fits ${expect} followed${common} within ${durationText(this.#nanoseconds)} (${within} in the rule).`,
      evidence: [],
      absent: { since: step, kinds: this.#expected },
    };
  }
}
