// Random filters, and what a filter says of an event when it is read from the event as it is printed.
import fc from 'fast-check';
import { pathMatcher, textMatcher } from '../../src/base/path-pattern.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { viewEvent } from '../../src/query/events.ts';
import type { Filter, Literal, Relation } from '../../src/query/filter/ast.ts';
import { filterNames, typesOf } from '../../src/query/filter/names.ts';
import { relationNames } from '../../src/query/filter/related-names.ts';
import { isBackwards } from '../../src/query/filter/values.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { plainPath, plainRelated, plainState, stateNames } from './state-plain.ts';

const digits = fc.oneof(
  fc.nat(70).map(String),
  fc.bigInt({ min: 0n, max: (1n << 130n) - 1n }).map((n) => `0x${n.toString(16)}`),
  fc.constantFrom('0xfee00298', '0', '-1', '4', '0xC'),
);
const times = fc.oneof(
  fc.constantFrom('101.5', '102.000001', '102', '1795148660.5', '101500ms'),
  fc.nat(300).map(String),
);
const spans = fc.oneof(
  fc.constantFrom('0', '0.5', '-1', '1us', '0.000001', '1.5us', '250ns', '50us', '1ms', '12.5ms', '0.5s', '3s', '-2us'),
  fc.nat(2000).map((n) => `${n}us`),
);
const words = fc.oneof(
  fc.constantFrom('irq/41', 'device/*', 'device/**', '*', 'msix', '0', 'nvme', 'device/00:03.0', 'irte/0/*', '30208'),
  fc.string({ unit: fc.constantFrom('a', '*', '/', '.', 'é', '-', '[', '1'), minLength: 1, maxLength: 5 }),
);
const text = fc.oneof(
  words.map((t): Literal => ({ text: t, quoted: false })),
  fc.string({ maxLength: 6 }).map((t): Literal => ({ text: t, quoted: true })),
);
const bare = (values: fc.Arbitrary<string>): fc.Arbitrary<Literal> => values.map((t) => ({ text: t, quoted: false }));

/** Values that the reader accepts for a name. */
function values(name: string): fc.Arbitrary<Literal> {
  if (name === 'kind') {
    const kind = fc.constantFrom(...vocabulary.map((k) => k.name), 'irq.*', '*');
    return kind.map((t) => ({ text: t, quoted: false }));
  }
  const types = typesOf(name);
  const all: fc.Arbitrary<Literal>[] = [];
  if (types.has('number')) all.push(bare(digits));
  if (types.has('time')) all.push(bare(times));
  if (types.has('span')) all.push(bare(spans));
  if (types.has('flag')) all.push(bare(fc.constantFrom('true', 'false', '0', '1')));
  if (types.has('text') || types.has('path')) all.push(text);
  return fc.oneof(...all);
}

const eventNames = fc.oneof(
  fc.constantFrom('kind', 'object', 'cpu', 'time', 'step', 'task', 'vector', 'value', 'handled', 'offset', 'address'),
  fc.constantFrom('dt', 'dt.object', 'dt.kind', 'dt.cpu', 'device', 'entry', 'irq', 'irte', 'vcpu'),
  fc.constantFrom(...filterNames()),
);

const withUnit = (text: string): boolean => /[a-z]$/.test(text) && !text.startsWith('0x');

/** Comparisons of a name with values that the reader accepts. */
function testsOf(name: string): fc.Arbitrary<Filter> {
  const types = typesOf(name);
  const relations: Relation[] = ['==', '!='];
  const all: fc.Arbitrary<Filter>[] = [];
  if (types.has('text') || types.has('path'))
    all.push(text.map((value) => ({ op: 'compare', name, relation: '~', value })));
  const numbers = types.has('number') ? digits : types.has('time') ? times : types.has('span') ? spans : undefined;
  if (numbers) {
    const orders = fc.constantFrom<Relation>('<', '<=', '>', '>=');
    all.push(fc.tuple(orders, bare(numbers)).map(([relation, value]) => ({ op: 'compare', name, relation, value })));
  }
  if (types.has('flag')) all.push(fc.constant({ op: 'flag', name }));
  all.push(
    fc
      .tuple(fc.constantFrom(...relations), values(name))
      .map(([relation, value]) => ({ op: 'compare', name, relation, value })),
  );
  const range = fc
    .tuple(numbers ?? digits, numbers ?? digits)
    .filter(([from, to]) => withUnit(from) === withUnit(to))
    // Backwards it would be refused.
    .map(([from, to]) => (isBackwards(from, to) ? { from: to, to: from } : { from, to }));
  const items = numbers ? fc.oneof(values(name), range) : values(name);
  // Unquoted, two points would be a range.
  const item = items.filter((i) => 'from' in i || i.quoted || !i.text.includes('..'));
  all.push(fc.array(item, { minLength: 1, maxLength: 3 }).map((of) => ({ op: 'in', name, items: of })));
  return fc.oneof(...all);
}

const waits = fc.constantFrom('0', '1us', '20us', '0.001', '5ms', '1s', '2000s');
const sames = fc.constantFrom('same', ...Object.keys(relationNames).filter((name) => name !== 'object'));

/** Filters that the reader accepts; with a trace, also such that look at its state and at earlier events. */
export function filtersFor(of?: Trace): fc.Arbitrary<Filter> {
  const names = of ? fc.oneof(eventNames, fc.constantFrom(...stateNames(of))) : eventNames;
  const tests = names.chain(testsOf);
  return fc.letrec<{ filters: Filter }>((tie) => ({
    filters: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      tests,
      tie('filters').map((inner): Filter => ({ op: 'not', of: inner })),
      fc
        .tuple(fc.constantFrom<'and' | 'or'>('and', 'or'), fc.array(tie('filters'), { minLength: 2, maxLength: 3 }))
        .map(([op, inner]): Filter => ({ op, of: inner })),
      ...(of
        ? [
            fc
              .tuple(tie('filters'), waits, fc.option(sames, { nil: undefined }))
              .map(([inner, within, same]): Filter => ({ op: 'after', of: inner, within, ...(same ? { same } : {}) })),
          ]
        : []),
    ),
  })).filters;
}

const held = new WeakMap<Filter, Map<number, boolean>>();

/** Whether a filter holds for an event; remembered, because `after` asks about all earlier events. */
function heldAt(filter: Filter, of: Trace, step: number): boolean {
  let known = held.get(filter);
  if (!known) held.set(filter, (known = new Map()));
  let answer = known.get(step);
  if (answer === undefined) known.set(step, (answer = plainly(filter, of, step) === true));
  return answer;
}

/** Whether `inner` held for an earlier event, as docs/filter.md says of `after`. */
function plainAfter(filter: Filter & { op: 'after' }, of: Trace, step: number): boolean | undefined {
  const { same, within } = filter;
  const keyOf = (at: number): string | undefined =>
    same === undefined ? '' : same === 'same' ? of.world.path(of.table.object(at)) : plainRelated(same, of, at);
  const key = keyOf(step);
  if (key === undefined) return undefined;
  const now = of.table.time(step);
  let unsure = false;
  for (let at = 0; at < step; at++) {
    if (!heldAt(filter.of, of, at) || keyOf(at) !== key) continue;
    const then = of.table.time(at);
    if (Number.isNaN(then) || Number.isNaN(now)) unsure = true;
    else if (now - then <= Number(spanNano(within))) return true;
  }
  return unsure ? undefined : false;
}

/** What a filter says of an event, read from the event as it is printed; undefined when the event does not tell. */
export function plainly(filter: Filter, of: Trace, step: number): boolean | undefined {
  switch (filter.op) {
    case 'not': {
      const inner = plainly(filter.of, of, step);
      return inner === undefined ? undefined : !inner;
    }
    case 'and':
    case 'or': {
      const answers = filter.of.map((f) => plainly(f, of, step));
      const decides = filter.op === 'or';
      return answers.includes(decides) ? decides : answers.includes(undefined) ? undefined : !decides;
    }
    case 'flag': {
      const value = plainValue(filter.name, of, step);
      return typeof value === 'boolean' ? value : undefined;
    }
    case 'compare':
      return compared(
        plainValue(filter.name, of, step),
        filter.relation,
        filter.value,
        pathNamed(filter.name, of, step),
        rooted(filter.name),
      );
    case 'after':
      return plainAfter(filter, of, step);
    case 'in': {
      const value = plainValue(filter.name, of, step);
      if (value === undefined) return undefined;
      const path = pathNamed(filter.name, of, step);
      return filter.items.some((item) =>
        'from' in item
          ? compared(value, '>=', { text: item.from, quoted: false }, path) === true &&
            compared(value, '<=', { text: item.to, quoted: false }, path) === true
          : compared(value, '==', item, path, rooted(filter.name)) === true,
      );
    }
  }
}

type Plain = bigint | string | boolean | { time: string } | { span: bigint } | undefined;

const BARE: readonly string[] = ['device', 'entry', 'irq', 'irte', 'vcpu'];

/** What paths begin with that a filter may give in short. */
function rooted(name: string): string | undefined {
  const related = /^state\((\w+)\)$/.exec(name)?.[1] ?? (BARE.includes(name) ? name : undefined);
  return related === undefined ? undefined : (relationNames[related]!.root ?? '');
}

/** The time between an event and the last one before it that has the same `key`. */
function since(of: Trace, step: number, key: (at: number) => unknown): Plain {
  const mine = key(step);
  if (mine === -1) return undefined;
  for (let at = step - 1; at >= 0; at--) {
    if (key(at) !== mine) continue;
    const between = of.table.time(step) - of.table.time(at);
    return Number.isNaN(between) ? undefined : { span: BigInt(between) };
  }
  return undefined;
}

function plainValue(name: string, of: Trace, step: number): Plain {
  const { table } = of;
  switch (name) {
    case 'dt':
      return since(of, step, () => 0);
    case 'dt.object':
      return since(of, step, (at) => table.object(at));
    case 'dt.kind':
      return since(of, step, (at) => table.kind(at).name);
    case 'dt.cpu':
      return since(of, step, (at) => table.cpu(at));
  }
  if (!name.startsWith('fields.') && !Object.hasOwn({ 'dt.cpu': 1 }, name)) {
    const state = plainState(name, of, step);
    if (state !== null) return state;
  }
  const own = plainOwn(name, of, step);
  return own === undefined && BARE.includes(name) ? plainRelated(name, of, step) : own;
}

/** What the event itself tells. */
function plainOwn(name: string, of: Trace, step: number): Plain {
  const event = viewEvent(of, step);
  switch (name) {
    case 'step':
      return BigInt(step);
    case 'line':
      return BigInt(event.source.line);
    case 'cpu':
      return event.cpu === null ? undefined : BigInt(event.cpu);
    case 'time':
      return event.time === null ? undefined : { time: event.time };
    case 'kind':
      return event.kind;
    case 'object':
      return event.object;
    case 'task':
      return event.task;
    case 'vantage':
    case 'system':
      return of.sources[of.sourceOf(step)]![name] || undefined;
  }
  const field = name.replace('fields.', '');
  const value = Object.hasOwn(event.fields, field) ? event.fields[field]! : undefined;
  const spec = of.table.kind(step).args.find((a) => a.name === field);
  if (value === undefined || spec === undefined) return undefined;
  return typeof value === 'boolean' || spec.type === 's' || spec.type === 'o'
    ? (value as string | boolean)
    : BigInt(value);
}

function pathNamed(name: string, of: Trace, step: number): boolean {
  if (name === 'object' || plainPath(name)) return true;
  if (BARE.includes(name) && plainOwn(name, of, step) === undefined) return true;
  return of.table.kind(step).args.find((a) => a.name === name.replace('fields.', ''))?.type === 'o';
}

/** A time as it was written, in nanoseconds. */
function spanNano(text: string): bigint {
  const [, sign, whole, fraction = '', unit = 's'] = /^(-?)(\d+)(?:\.(\d+))?(ns|us|ms|s)?$/.exec(text)!;
  const zeros = { ns: 0, us: 3, ms: 6, s: 9 }[unit]!;
  const units = BigInt(whole + fraction.padEnd(zeros, '0').slice(0, Math.max(zeros, 0)));
  return sign === '-' ? -units : units;
}

/** A path with its numbers in decimal and without empty segments: `vcpu/0x0` and `vcpu//0` name `vcpu/0`. */
const inDecimal = (path: string): string =>
  path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (/^0x[0-9a-f]+$/i.test(segment) ? String(BigInt(segment)) : segment))
    .join('/');

function compared(
  value: Plain,
  relation: Relation,
  literal: Literal,
  path: boolean,
  root?: string,
): boolean | undefined {
  if (value === undefined) return undefined;
  const { text: wanted, quoted } = literal;
  if (typeof value === 'string') {
    if (relation === '~') return value.toLowerCase().includes(wanted.toLowerCase());
    if (root !== undefined) {
      const full = wanted.replaceAll(/(^|\/)([0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?=\/|$)/g, '$10000:$2');
      const mine = path ? [value] : [value, root + value];
      const same = [full, root + full].some((other) =>
        mine.some((one) =>
          !quoted && other.includes('*') ? pathMatcher(other)(one) : inDecimal(one) === inDecimal(other),
        ),
      );
      return relation === '==' ? same : relation === '!=' && !same;
    }
    const short =
      path && !quoted && wanted.startsWith('device/00:') ? wanted.replace('device/', 'device/0000:') : wanted;
    const equal = !quoted && wanted.includes('*') ? (path ? pathMatcher : textMatcher)(wanted)(value) : value === short;
    return relation === '==' ? equal : relation === '!=' && !equal;
  }
  if (typeof value === 'boolean') {
    const flag = quoted
      ? undefined
      : ({ true: true, '1': true, false: false, '0': false } as Record<string, boolean>)[wanted];
    if (relation !== '==' && relation !== '!=') return false;
    return flag === undefined ? relation === '!=' : (value === flag) === (relation === '==');
  }
  const number = !quoted && /^(-?\d+|0x[0-9a-f]+)$/i.test(wanted);
  if (typeof value === 'object') {
    if (quoted) return relation === '!=';
    if ('span' in value) return related(relation, value.span, spanNano(wanted));
    return related(relation, spanNano(value.time), spanNano(wanted));
  }
  return number ? related(relation, value, BigInt(wanted)) : relation === '!=';
}

function related(relation: Relation, a: bigint, b: bigint): boolean {
  if (relation === '==' || relation === '!=') return (a === b) === (relation === '==');
  if (relation === '<' || relation === '<=') return a < b || (relation === '<=' && a === b);
  return relation !== '~' && (a > b || (relation === '>=' && a === b));
}
