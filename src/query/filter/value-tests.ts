// A value as a filter writes it, as a test of what an event or the state holds.
import { isPattern, pathMatcher, textMatcher } from '../../base/path-pattern.ts';
import type { Trace } from '../../trace/trace.ts';
import { resolvePath } from '../paths.ts';
import type { Literal, Range, Relation } from './ast.ts';
import { flagOf, instantOf, isNumber, spanOf } from './values.ts';

/**
 * What a condition says of an event. If the event lacks the value that is asked about, the condition is unknown, and so is its negation.
 */
export type Truth = 0 | 1 | 2;
export const NO = 0;
export const YES = 1;
export const UNKNOWN = 2;

export const truth = (yes: boolean): Truth => (yes ? YES : NO);

/** Most words of a number that a filter can write. */
const WORDS = 4;

/** A number written in a filter, ready to be compared with values of any width. */
export interface Wanted {
  readonly number: number;
  readonly words: readonly number[];
  /** -1 below everything an unsigned value of 128 bits can hold, 1 above it, 0 within. */
  readonly beyond: -1 | 0 | 1;
}

function wanted(text: string): Wanted {
  const value = BigInt(text);
  const words = Array.from({ length: WORDS }, (_, i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
  return { number: Number(value), words, beyond: value < 0n ? -1 : value >= 1n << 128n ? 1 : 0 };
}

/** How a value of `count` words, the lowest first, compares with a number: negative below, 0 equal, positive above. */
export function order(want: Wanted, count: number, word: (i: number) => number): number {
  if (want.beyond !== 0) return -want.beyond;
  for (let i = Math.max(WORDS, count) - 1; i >= 0; i--) {
    const mine = i < count ? word(i) : 0;
    const theirs = want.words[i] ?? 0;
    if (mine !== theirs) return mine - theirs;
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

/** A test of one value, for each form that it may come in. */
export interface ValueTest {
  readonly number: (compare: (want: Wanted) => number) => boolean;
  readonly time: (time: number) => Truth;
  readonly span: (units: number) => Truth;
  readonly text: (text: string) => boolean;
  readonly path: (path: string) => boolean;
  readonly flag: (flag: boolean) => boolean;
}

/** `root`: what paths begin with where the filter leaves it out (`irq == 41` is `irq/41`); for names of related objects. */
export function compareTest(trace: Trace, relation: Relation, value: Literal, root?: string): ValueTest {
  const want = !value.quoted && isNumber(value.text) ? wanted(value.text) : undefined;
  const flag = value.quoted ? undefined : flagOf(value.text);
  const time = value.quoted ? undefined : instantOf(value.text, trace.time);
  const span = value.quoted ? undefined : spanOf(value.text, trace.time);
  const timed = (t: number | undefined, other: number): Truth =>
    t === undefined ? UNKNOWN : truth(holds(relation, other - t));
  return {
    number: (compare) => (want ? holds(relation, compare(want)) : relation === '!='),
    time: (t) => timed(time, t),
    span: (units) => timed(span, units),
    ...pathTests(trace, relation, value, root),
    flag: (f) =>
      flag === undefined ? relation === '!=' : relation === '==' ? f === flag : relation === '!=' && f !== flag,
  };
}

function pathTests(trace: Trace, relation: Relation, value: Literal, root?: string): Pick<ValueTest, 'text' | 'path'> {
  if (root === undefined || (relation !== '==' && relation !== '!=')) {
    return { text: textTest(relation, value, false), path: pathTest(trace, relation, value) };
  }
  const related = relatedTest(trace, value, root);
  const text = (t: string): boolean => related(t) || related(root + t);
  return relation === '==' ? { text, path: related } : { text: (t) => !text(t), path: (path) => !related(path) };
}

/** A BDF without a segment, at the start of a path or of one of its segments. */
const SHORT_BDF = /(^|\/)(?=[0-9a-f]{2}:[01][0-9a-f]\.[0-7](\/|$))/gi;

/**
 * A test of the paths of related objects, whose beginning `root` may be left out. Quotes only take stars literally here: a short form of a path stays one.
 */
function relatedTest(trace: Trace, value: Literal, root: string): (path: string) => boolean {
  const text = value.text.replaceAll(SHORT_BDF, '$10000:');
  if (!value.quoted && isPattern(text)) {
    const tests = [text, root + text].map(pathMatcher);
    return (path) => tests.some((test) => test(path));
  }
  const paths = [text, root + text].flatMap((path) => [path, pathLiteral(trace, { text: path, quoted: false }).text]);
  return (path) => paths.includes(path);
}

/**
 * A test of paths. The trace may name the object only later, while it grows or in a simulation that goes on: a short BDF is also read by its text.
 */
function pathTest(trace: Trace, relation: Relation, value: Literal): (path: string) => boolean {
  if (relation === '~' || value.quoted) return textTest(relation, value, true);
  const long = { text: value.text.replaceAll(SHORT_BDF, '$10000:'), quoted: false };
  const tests = [pathLiteral(trace, value), long].map((each) => textTest('==', each, true));
  const either = (path: string): boolean => tests.some((test) => test(path));
  return relation === '==' ? either : relation === '!=' ? (path) => !either(path) : () => false;
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

export function rangeTest(trace: Trace, { from, to }: Range): ValueTest {
  const never = (): boolean => false;
  const number = isNumber(from) && isNumber(to) ? ([wanted(from), wanted(to)] as const) : undefined;
  const within = (low: number | undefined, high: number | undefined, value: number): Truth =>
    low === undefined || high === undefined ? UNKNOWN : truth(value >= low && value <= high);
  const times = [instantOf(from, trace.time), instantOf(to, trace.time)] as const;
  const spans = [spanOf(from, trace.time), spanOf(to, trace.time)] as const;
  return {
    number: (compare) => number !== undefined && compare(number[0]) >= 0 && compare(number[1]) <= 0,
    time: (t) => within(times[0], times[1], t),
    span: (units) => within(spans[0], spans[1], units),
    text: never,
    path: never,
    flag: never,
  };
}

/** Whether one of several tests holds. */
export function anyOf(tests: readonly ValueTest[]): ValueTest {
  const either = (of: (test: ValueTest) => Truth): Truth => {
    let sum: Truth = NO;
    for (const test of tests) {
      const answer = of(test);
      if (answer === YES) return YES;
      if (answer === UNKNOWN) sum = UNKNOWN;
    }
    return sum;
  };
  return {
    number: (compare) => tests.some((t) => t.number(compare)),
    time: (time) => either((t) => t.time(time)),
    span: (units) => either((t) => t.span(units)),
    text: (text) => tests.some((t) => t.text(text)),
    path: (path) => tests.some((t) => t.path(path)),
    flag: (flag) => tests.some((t) => t.flag(flag)),
  };
}
