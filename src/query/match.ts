import type { Step } from '../base/ids.ts';
import { isPattern, pathMatcher, textMatcher } from '../base/path-pattern.ts';
import { parseTime, type TimeBase } from '../base/time.ts';
import type { ArgSpec } from '../model/event-args.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { EventList } from '../trace/table.ts';
import type { Trace } from '../trace/trace.ts';
import {
  argumentOf,
  type Filter,
  flagOf,
  isCommon,
  isNumber,
  type Literal,
  type Range,
  type Relation,
} from './filter.ts';
import { resolvePath } from './paths.ts';

/** What a condition says of an event. If the event lacks the value that is asked about, the condition is unknown, and so is its negation. */
type Truth = 0 | 1 | 2;
const NO = 0;
const YES = 1;
const UNKNOWN = 2;

type Ask = (step: Step) => Truth;

const truth = (yes: boolean): Truth => (yes ? YES : NO);

/** Most words that an argument may have. */
const WORDS = 4;

/** A number written in a filter, ready to be compared with arguments of any width. */
interface Wanted {
  readonly number: number;
  readonly words: readonly number[];
  /** -1 below everything an unsigned argument can hold, 1 above it, 0 within. */
  readonly beyond: -1 | 0 | 1;
}

function wanted(text: string): Wanted {
  const value = BigInt(text);
  const words = Array.from({ length: WORDS }, (_, i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
  return { number: Number(value), words, beyond: value < 0n ? -1 : value >= 1n << 128n ? 1 : 0 };
}

/** How an argument compares with a number: negative below, 0 equal, positive above. */
function order(table: EventList, step: Step, arg: ArgSpec, want: Wanted): number {
  if (arg.type === 'i') return (table.word(step, arg.at) | 0) - want.number;
  if (want.beyond !== 0) return -want.beyond;
  for (let i = WORDS - 1; i >= 0; i--) {
    const word = i < arg.words ? table.word(step, arg.at + i) : 0;
    if (word !== want.words[i]) return word - want.words[i]!;
  }
  return 0;
}

function holds(relation: Relation, sign: number): boolean {
  switch (relation) {
    case '==':
      return sign === 0;
    case '!=':
      return sign !== 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
    case '~':
      return false;
  }
}

/** A test of one value, for each form that an event may have it in. */
interface Test {
  readonly number: (compare: (want: Wanted) => number) => boolean;
  readonly time: (time: number) => boolean;
  readonly text: (text: string) => boolean;
  readonly path: (path: string) => boolean;
  readonly flag: (flag: boolean) => boolean;
}

/** The stored form of a time written in a filter; a filter may compare counters with fractions too. */
function timeOf(text: string, base: TimeBase): number {
  const stored = parseTime(text, base);
  if (stored !== undefined) return stored;
  const [whole, fraction] = text.split('.') as [string, string];
  return Number(BigInt(whole) - base.base) + Number(`${whole.startsWith('-') ? '-' : ''}0.${fraction}`);
}

const isTimeText = (text: string): boolean => /^-?\d+(?:\.\d+)?$/.test(text);

function compareTest(trace: Trace, relation: Relation, value: Literal): Test {
  const want = !value.quoted && isNumber(value.text) ? wanted(value.text) : undefined;
  const flag = value.quoted ? undefined : flagOf(value.text);
  const time = !value.quoted && isTimeText(value.text) ? timeOf(value.text, trace.time) : undefined;
  return {
    number: (compare) => (want ? holds(relation, compare(want)) : relation === '!='),
    time: (t) => (time === undefined ? relation === '!=' : holds(relation, t - time)),
    text: textTest(relation, value, false),
    path: textTest(relation, relation === '~' ? value : pathLiteral(trace, value), true),
    flag: (f) =>
      flag === undefined ? relation === '!=' : relation === '==' ? f === flag : relation === '!=' && f !== flag,
  };
}

/** The path, as the trace names it, for a path as users write it (`device/00:03.0`). */
function pathLiteral(trace: Trace, value: Literal): Literal {
  if (value.quoted || isPattern(value.text)) return value;
  const target = resolvePath(trace.world, value.text);
  return target && target.node.path !== '' && target.key === undefined
    ? { text: target.node.path, quoted: true }
    : value;
}

function textTest(relation: Relation, value: Literal, path: boolean): (text: string) => boolean {
  if (relation === '~') {
    const part = value.text.toLowerCase();
    return (text) => text.toLowerCase().includes(part);
  }
  if (relation !== '==' && relation !== '!=') return () => false;
  const match =
    !value.quoted && isPattern(value.text)
      ? (path ? pathMatcher : textMatcher)(value.text)
      : (text: string) => text === value.text;
  return relation === '==' ? match : (text) => !match(text);
}

function rangeTest(trace: Trace, { from, to }: Range): Test {
  const never = (): boolean => false;
  const number = isNumber(from) && isNumber(to) ? ([wanted(from), wanted(to)] as const) : undefined;
  const times =
    isTimeText(from) && isTimeText(to) ? ([timeOf(from, trace.time), timeOf(to, trace.time)] as const) : undefined;
  return {
    number: (compare) => number !== undefined && compare(number[0]) >= 0 && compare(number[1]) <= 0,
    time: (t) => times !== undefined && t >= times[0] && t <= times[1],
    text: never,
    path: never,
    flag: never,
  };
}

function anyOf(tests: readonly Test[]): Test {
  return {
    number: (compare) => tests.some((t) => t.number(compare)),
    time: (time) => tests.some((t) => t.time(time)),
    text: (text) => tests.some((t) => t.text(text)),
    path: (path) => tests.some((t) => t.path(path)),
    flag: (flag) => tests.some((t) => t.flag(flag)),
  };
}

/** Remembers the answers about texts and objects, because the same ones occur in many events. */
function remembered(test: (id: number) => boolean): (id: number) => Truth {
  let known = new Uint8Array(256);
  return (id) => {
    if (id >= known.length) {
      const wider = new Uint8Array(Math.max(known.length * 2, id + 1));
      wider.set(known);
      known = wider;
    }
    if (known[id] === 0) known[id] = test(id) ? 2 : 1;
    return known[id] === 2 ? YES : NO;
  };
}

function commonAsk(trace: Trace, name: string, test: Test): Ask {
  const { table, world } = trace;
  const plain = (value: number): Truth => truth(test.number((want) => value - want.number));
  switch (name) {
    case 'step':
      return plain;
    case 'line':
      return (step) => plain(table.line(step));
    case 'cpu':
      return (step) => (table.cpu(step) < 0 ? UNKNOWN : plain(table.cpu(step)));
    case 'time':
      return (step) => (Number.isNaN(table.time(step)) ? UNKNOWN : truth(test.time(table.time(step))));
    case 'kind': {
      const kinds = vocabulary.map((kind) => truth(test.text(kind.name)));
      return (step) => kinds[table.kindNumber(step)]!;
    }
    case 'object': {
      const ask = remembered((object) => test.path(world.path(object)));
      return (step) => ask(table.object(step));
    }
    default: {
      const ask = remembered((task) => test.text(world.strings.text(task)));
      return (step) => (table.task(step) === 0 ? UNKNOWN : ask(table.task(step)));
    }
  }
}

function argumentAsk(trace: Trace, name: string, test: Test, bare: boolean): Ask {
  const { table, world } = trace;
  const specs = vocabulary.map((kind) => kind.args.find((arg) => arg.name === argumentOf(name)));
  const texts = remembered((id) => test.text(world.strings.text(id)));
  const paths = remembered((id) => test.path(world.path(id)));
  return (step) => {
    const arg = specs[table.kindNumber(step)];
    if (arg === undefined || (arg.optional && (table.word(step, 0) & arg.bit) === 0)) return UNKNOWN;
    if (arg.type === 'flag') return truth(test.flag(table.word(step, arg.at) !== 0));
    if (bare) return UNKNOWN;
    if (arg.type === 's') return texts(table.word(step, arg.at));
    if (arg.type === 'o') return paths(table.word(step, arg.at));
    return truth(test.number((want) => order(table, step, arg, want)));
  };
}

function compile(filter: Filter, trace: Trace): Ask {
  switch (filter.op) {
    case 'not': {
      const of = compile(filter.of, trace);
      return (step) => {
        const answer = of(step);
        return answer === UNKNOWN ? UNKNOWN : answer === YES ? NO : YES;
      };
    }
    case 'and':
    case 'or': {
      const members = filter.of.map((f) => compile(f, trace));
      const decides = filter.op === 'and' ? NO : YES;
      return (step) => {
        let sum: Truth = decides === NO ? YES : NO;
        for (const member of members) {
          const answer = member(step);
          if (answer === decides) return decides;
          if (answer === UNKNOWN) sum = UNKNOWN;
        }
        return sum;
      };
    }
    case 'flag':
      return argumentAsk(trace, filter.name, compareTest(trace, '==', { text: 'true', quoted: false }), true);
    default: {
      const test =
        filter.op === 'compare'
          ? compareTest(trace, filter.relation, filter.value)
          : anyOf(filter.items.map((i) => ('from' in i ? rangeTest(trace, i) : compareTest(trace, '==', i))));
      return isCommon(filter.name) ? commonAsk(trace, filter.name, test) : argumentAsk(trace, filter.name, test, false);
    }
  }
}

/**
 * A filter as a test of the events of a trace. For an event that lacks what the filter asks about (no such argument, no
 * CPU, no stamp), neither a comparison nor its negation holds. Make the test after the first records of the trace were read:
 * only then is the base of its times known.
 */
export function compileFilter(filter: Filter, trace: Trace): (step: Step) => boolean {
  const ask = compile(filter, trace);
  return (step) => ask(step) === YES;
}
