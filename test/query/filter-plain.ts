// Random filters, and what a filter says of an event when it is read from the event as it is printed.
import fc from 'fast-check';
import { pathMatcher, textMatcher } from '../../src/base/path-pattern.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { viewEvent } from '../../src/query/events.ts';
import { type Filter, filterNames, type Literal, type Relation, typesOf } from '../../src/query/filter.ts';
import type { Trace } from '../../src/trace/trace.ts';

const digits = fc.oneof(
  fc.nat(70).map(String),
  fc.bigInt({ min: 0n, max: (1n << 130n) - 1n }).map((n) => `0x${n.toString(16)}`),
  fc.constantFrom('0xfee00298', '0', '-1', '4', '0xC'),
);
const times = fc.oneof(fc.constantFrom('101.5', '102.000001', '102', '1795148660.5'), fc.nat(300).map(String));
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
  if (types.has('flag')) all.push(bare(fc.constantFrom('true', 'false', '0', '1')));
  if (types.has('text') || types.has('path')) all.push(text);
  return fc.oneof(...all);
}

const names = fc.oneof(
  fc.constantFrom('kind', 'object', 'cpu', 'time', 'step', 'task', 'vector', 'value', 'handled', 'offset', 'address'),
  fc.constantFrom(...filterNames()),
);

const tests: fc.Arbitrary<Filter> = names.chain((name): fc.Arbitrary<Filter> => {
  const types = typesOf(name);
  const relations: Relation[] = ['==', '!='];
  const all: fc.Arbitrary<Filter>[] = [];
  if (types.has('text') || types.has('path'))
    all.push(text.map((value) => ({ op: 'compare', name, relation: '~', value })));
  const ordered = types.has('number') || types.has('time');
  if (ordered) {
    const numbers = types.has('number') ? digits : times;
    const orders = fc.constantFrom<Relation>('<', '<=', '>', '>=');
    all.push(fc.tuple(orders, bare(numbers)).map(([relation, value]) => ({ op: 'compare', name, relation, value })));
  }
  if (types.has('flag')) all.push(fc.constant({ op: 'flag', name }));
  all.push(
    fc
      .tuple(fc.constantFrom(...relations), values(name))
      .map(([relation, value]) => ({ op: 'compare', name, relation, value })),
  );
  const range = (types.has('number') ? fc.tuple(digits, digits) : fc.tuple(times, times)).map(([from, to]) => ({
    from,
    to,
  }));
  const items = ordered ? fc.oneof(values(name), range) : values(name);
  // Unquoted, two points would be a range.
  const item = items.filter((i) => 'from' in i || i.quoted || !i.text.includes('..'));
  all.push(fc.array(item, { minLength: 1, maxLength: 3 }).map((of) => ({ op: 'in', name, items: of })));
  return fc.oneof(...all);
});

/** Filters that the reader accepts. */
export const { filters } = fc.letrec<{ filters: Filter }>((tie) => ({
  filters: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tests,
    tie('filters').map((of): Filter => ({ op: 'not', of })),
    fc
      .tuple(fc.constantFrom<'and' | 'or'>('and', 'or'), fc.array(tie('filters'), { minLength: 2, maxLength: 3 }))
      .map(([op, of]): Filter => ({ op, of })),
  ),
}));

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
      );
    case 'in': {
      const value = plainValue(filter.name, of, step);
      if (value === undefined) return undefined;
      const path = pathNamed(filter.name, of, step);
      return filter.items.some((item) =>
        'from' in item
          ? compared(value, '>=', { text: item.from, quoted: false }, path) === true &&
            compared(value, '<=', { text: item.to, quoted: false }, path) === true
          : compared(value, '==', item, path) === true,
      );
    }
  }
}

type Plain = bigint | string | boolean | { time: string } | undefined;

function plainValue(name: string, of: Trace, step: number): Plain {
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
  if (name === 'object') return true;
  return of.table.kind(step).args.find((a) => a.name === name.replace('fields.', ''))?.type === 'o';
}

/** A decimal text as billionths. */
const nano = (decimal: string): bigint => {
  const [whole, fraction = ''] = decimal.split('.') as [string, string?];
  return BigInt(whole + fraction.padEnd(9, '0'));
};

function compared(value: Plain, relation: Relation, literal: Literal, path: boolean): boolean | undefined {
  if (value === undefined) return undefined;
  const { text: wanted, quoted } = literal;
  if (typeof value === 'string') {
    if (relation === '~') return value.toLowerCase().includes(wanted.toLowerCase());
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
    if (quoted || !/^\d+(\.\d+)?$/.test(wanted)) return relation === '!=';
    return related(relation, nano(value.time), nano(wanted));
  }
  return number ? related(relation, value, BigInt(wanted)) : relation === '!=';
}

function related(relation: Relation, a: bigint, b: bigint): boolean {
  if (relation === '==' || relation === '!=') return (a === b) === (relation === '==');
  if (relation === '<' || relation === '<=') return a < b || (relation === '<=' && a === b);
  return relation !== '~' && (a > b || (relation === '>=' && a === b));
}
