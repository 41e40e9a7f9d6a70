// The left side of a comparison: what an event tells, or what the state holds.
import { FilterError } from './ast.ts';
import { commonNames, filterNames, meantBy, typesOf } from './names.ts';
import { isRelation, relationNames } from './related-names.ts';
import { stateRefOf } from './state-names.ts';
import { named, signMeant, type TokenReader, wrong } from './tokens.ts';
import type { ValueType } from './values.ts';

/** A name with what it may stand for. */
export interface Operand {
  readonly name: string;
  readonly types: ReadonlySet<ValueType>;
}

/** What values of these types are called in messages. */
export const article = (types: ReadonlySet<ValueType>): string =>
  [...types]
    .map((t) => {
      if (t === 'number') return 'a number';
      if (t === 'time') return 'a time';
      if (t === 'span') return 'a stretch of time (such as 50us)';
      return t === 'flag' ? 'true or false' : 'a text';
    })
    .filter((t, i, all) => all.indexOf(t) === i)
    .join(' or ');

/** Reads a name: `vector`, `entry.mask`, `irq/41.vector`, `state(entry.pending)`. Throws FilterError. */
export function readOperand(from: TokenReader): Operand {
  const token = from.take();
  if (token.type !== 'word') throw wrong(token, 'expected a name, `!` or `(`');
  if (token.text === 'state' && from.isSign('(')) return inState(from);
  const name = token.text;
  const ref = stateRefOf(name);
  if (ref !== undefined && 'problem' in ref) throw new FilterError(token.at + ref.offset, ref.problem);
  const types = typesOf(name);
  if (types.size > 0) return { name, types };
  if (isRelation(name))
    throw new FilterError(
      token.end,
      `expected a key behind \`${name}\`, as in \`${name}.exists\`, or \`state(${name})\``,
    );
  throw new FilterError(token.at, `no event has anything called \`${name}\`${signMeant(name) || meantBy(name)}`);
}

/** Reads what stands behind `state`: a key in the state, or a related object. */
function inState(from: TokenReader): Operand {
  from.need('(');
  const token = from.take();
  if (token.type !== 'word' && token.type !== 'quoted')
    throw wrong(token, 'expected a key in the state, such as `entry.mask` or `irq/41.vector`');
  const inner = token.text;
  const name = isRelation(inner) ? `state(${inner})` : inner;
  // Inside quotes the places of characters differ by the quote, and by what is escaped.
  const start = token.at + (token.type === 'quoted' ? 1 : 0);
  const ref = stateRefOf(name);
  if (ref === undefined) {
    const event = Object.hasOwn(commonNames, inner) || filterNames().includes(inner);
    const hint = event ? ': it is what events tell, without `state(…)`' : '';
    throw new FilterError(
      start,
      `expected a path of an object with a key, or a key of a related object (${Object.keys(relationNames).join(', ')}), found ${named(token)}${hint}`,
    );
  }
  if ('problem' in ref) throw new FilterError(start + ref.offset, ref.problem);
  from.need(')');
  return { name, types: ref.types };
}
