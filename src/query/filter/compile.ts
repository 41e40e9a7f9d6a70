import type { ObjectId, Step } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Ask, argumentAsk, commonAsk, remembered } from './ask.ts';
import type { Filter } from './ast.ts';
import type { Joins } from './joins.ts';
import { isBareRelation, isCommon } from './names.ts';
import { objectAt } from './object-at.ts';
import { heldBefore, type KeyOf, type Past, sinceLast } from './past.ts';
import { type ReadState, readerOf } from './read-state.ts';
import { type Related, relatedBy } from './related.ts';
import { relationNames } from './related-names.ts';
import { type StateRef, stateRefOf } from './state-names.ts';
import { anyOf, compareTest, NO, rangeTest, type Truth, UNKNOWN, type ValueTest, YES } from './value-tests.ts';
import { spanOf } from './values.ts';

/** What a compiled filter needs besides the event at hand. */
export interface Needs {
  /** The state after the event. */
  readonly state: boolean;
  /** To see all events in order. */
  readonly past: boolean;
}

/** A filter ready to be asked about the events of a trace. The part that asks brings the state and shows every event, where they are needed. */
export interface Compiled {
  readonly ask: Ask;
  readonly needs: Needs;
  /** The memories of the filter; an event is shown to them in this order, after the question about it. */
  readonly pasts: readonly Past[];
}

const NAMED_TRUE = { text: 'true', quoted: false } as const;

class Compiler {
  readonly #trace: Trace;
  readonly #stateOf: (step: Step) => State;
  readonly #joins: Joins;
  readonly pasts: Past[] = [];
  needsState = false;

  constructor(trace: Trace, joins: Joins, stateOf: (step: Step) => State) {
    this.#trace = trace;
    this.#stateOf = stateOf;
    this.#joins = joins;
  }

  filter(filter: Filter): Ask {
    switch (filter.op) {
      case 'not': {
        const of = this.filter(filter.of);
        return (step) => {
          const answer = of(step);
          return answer === UNKNOWN ? UNKNOWN : answer === YES ? NO : YES;
        };
      }
      case 'and':
      case 'or':
        return this.#chain(filter.op, filter.of);
      case 'after':
        return this.#after(filter.of, filter.within, filter.same);
      case 'flag':
        return this.#value(filter.name, compareTest(this.#trace, '==', NAMED_TRUE), true);
      case 'compare': {
        const { name, relation, value } = filter;
        return this.#value(name, compareTest(this.#trace, relation, value, rootOf(name)), false);
      }
      case 'in': {
        const root = rootOf(filter.name);
        const tests = filter.items.map((i) =>
          'from' in i ? rangeTest(this.#trace, i) : compareTest(this.#trace, '==', i, root),
        );
        return this.#value(filter.name, anyOf(tests), false);
      }
    }
  }

  /** Members that need no state are asked first; the order of the others makes no difference. */
  #chain(op: 'and' | 'or', of: readonly Filter[]): Ask {
    const [cheap, dear]: [Ask[], Ask[]] = [[], []];
    for (const f of of) (needsState(f) ? dear : cheap).push(this.filter(f));
    const members = [...cheap, ...dear];
    const decides = op === 'and' ? NO : YES;
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

  #value(name: string, test: ValueTest, bare: boolean): Ask {
    const { table } = this.#trace;
    switch (name) {
      case 'dt.object':
        return this.#since((step) => table.object(step), test);
      case 'dt.kind':
        return this.#since((step) => table.kindNumber(step), test);
      case 'dt.cpu':
        return this.#since((step) => table.cpu(step), test);
    }
    if (isCommon(name)) return commonAsk(this.#trace, name, test);
    const ref = stateRefOf(name);
    if (ref !== undefined) return 'problem' in ref ? () => UNKNOWN : this.#ofState(ref, test, bare);
    const lacking = isBareRelation(name) && !bare ? this.#path(name, test) : undefined;
    return argumentAsk(this.#trace, name, test, bare, lacking);
  }

  #since(keyOf: KeyOf, test: ValueTest): Ask {
    return this.#remember(sinceLast(this.#trace.table, keyOf, test));
  }

  #after(of: Filter, within: string, same: string | undefined): Ask {
    const { table } = this.#trace;
    // The memories inside are shown an event after this one, which asks them about it.
    const at = this.pasts.length;
    const held = this.filter(of);
    const inner = this.pasts.splice(at);
    const keyOf =
      same === undefined ? () => 0 : same === 'same' ? (step: Step) => table.object(step) : this.#related(same);
    const ask = this.#remember(heldBefore(table, held, spanOf(within, this.#trace.time), keyOf));
    this.pasts.push(...inner);
    return ask;
  }

  #remember(past: Past): Ask {
    this.pasts.push(past);
    return past.ask;
  }

  /** The related object of the event at a step. What the tree alone tells needs no state. */
  #related(name: string): (step: Step) => ObjectId {
    if (name !== 'object') this.needsState = true;
    return relatedAt(relatedBy(name, this.#trace.world, this.#joins), this.#trace, this.#stateOf);
  }

  /** A question about the path of a related object. */
  #path(name: string, test: ValueTest): Ask {
    const find = this.#related(name);
    const paths = remembered((id) => test.path(this.#trace.world.path(id)));
    return (step) => {
      const object = find(step);
      return object < 0 ? UNKNOWN : paths(object);
    };
  }

  #ofState({ relation, path, places }: StateRef, test: ValueTest, bare: boolean): Ask {
    if (relation !== undefined && places.length === 0) return this.#path(relation, test);
    this.needsState = true;
    const { world } = this.#trace;
    const readers = new Map<unknown, ReadState>(places.map((place) => [place.type, readerOf(place, test, bare)]));
    const find = relation === undefined ? objectAt(world, path!) : this.#related(relation);
    return (step) => {
      const object = find(step);
      const read = object < 0 ? undefined : readers.get(world.type(object));
      return read === undefined ? UNKNOWN : read(this.#stateOf(step), object);
    };
  }
}

/** What the paths of a related object begin with; undefined for other names. */
function rootOf(name: string): string | undefined {
  if (isBareRelation(name)) return relationNames[name]!.root;
  const related = /^state\((\w+)\)$/.exec(name)?.[1];
  return related === undefined ? undefined : (relationNames[related]?.root ?? '');
}

/** Whether a filter may look at the state. */
export function needsState(filter: Filter): boolean {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.of.some(needsState);
    case 'not':
      return needsState(filter.of);
    case 'after':
      return (filter.same !== undefined && filter.same !== 'same') || needsState(filter.of);
    default:
      return stateRefOf(filter.name) !== undefined || (filter.op !== 'flag' && isBareRelation(filter.name));
  }
}

/** The related object of the event at a step, -1 for none. What the tree alone tells needs no state. */
export function relatedAt(
  related: Related,
  { table }: Trace,
  stateOf: (step: Step) => State,
): (step: Step) => ObjectId {
  return (step) => {
    const object = table.object(step);
    const near = related.near(object);
    return near >= 0 ? near : related.find(stateOf(step), object);
  };
}

/** Makes a filter ready for a trace; `stateOf` gives the state after the step that is asked about, and `joins` is told of what changes in it. */
export function compileWith(filter: Filter, trace: Trace, joins: Joins, stateOf: (step: Step) => State): Compiled {
  const compiler = new Compiler(trace, joins, stateOf);
  const ask = compiler.filter(filter);
  const { pasts, needsState: state } = compiler;
  return { ask, needs: { state, past: pasts.length > 0 }, pasts };
}
