/** How a name of an event is compared with a value. */
export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=' | '~';

/** A value as it was written. A quoted value is only a text: it is no number, and a `*` in it is no wildcard. */
export interface Literal {
  readonly text: string;
  readonly quoted: boolean;
}

/** Numbers or times from `from` to `to`, both included. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/**
 * A condition on events, as a tree. `and` and `or` have at least two members. A `name` is that of an event (`kind`, `vector`, `dt`), of a key in
 * the state (`entry.mask`, `irq/41.vector`), or `state(NAME)` for a related object itself. `after`: an earlier event, at most `within` (a time as it was
 * written) before, for which `of` held; `same`: what the two events have in common, `same` for the object or the name of a related object.
 */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly op: 'not'; readonly of: Filter }
  | { readonly op: 'flag'; readonly name: string }
  | { readonly op: 'compare'; readonly name: string; readonly relation: Relation; readonly value: Literal }
  | { readonly op: 'in'; readonly name: string; readonly items: readonly (Literal | Range)[] }
  | { readonly op: 'after'; readonly of: Filter; readonly within: string; readonly same?: string };

/** Thrown for a filter that cannot be read: where, what was expected there, what was found. */
export class FilterError extends Error {
  /** Position in the text, from 0. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** What a word of a filter is made of; other texts stand in quotes. */
export const WORD = /[^\s()&|!=<>~,"']+/y;

const isWord = (text: string): boolean => {
  WORD.lastIndex = 0;
  return WORD.exec(text)?.[0] === text;
};

const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

const literalText = ({ text, quoted }: Literal): string => (quoted ? quote(text) : text);

const nameText = (name: string): string =>
  isWord(name) || /^state\(\w+\)$/.test(name) ? name : `state(${quote(name)})`;

/** Whether a filter has a list in it: behind one, the time of `after` could be read as a further item. */
function hasList(filter: Filter): boolean {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.of.some(hasList);
    case 'not':
      return hasList(filter.of);
    default:
      return filter.op === 'in';
  }
}

/** A filter as text; reading it again gives the same filter. */
export function filterText(filter: Filter): string {
  switch (filter.op) {
    case 'flag':
      return nameText(filter.name);
    case 'compare':
      return `${nameText(filter.name)} ${filter.relation} ${literalText(filter.value)}`;
    case 'in':
      return `${nameText(filter.name)} in ${filter.items.map((i) => ('from' in i ? `${i.from}..${i.to}` : literalText(i))).join(', ')}`;
    case 'not':
      return filter.of.op === 'flag' || filter.of.op === 'not' || filter.of.op === 'after'
        ? `!${filterText(filter.of)}`
        : `!(${filterText(filter.of)})`;
    case 'after': {
      const inner = filterText(filter.of);
      const same = filter.same === undefined ? '' : `, ${filter.same}`;
      return `after(${hasList(filter.of) ? `(${inner})` : inner}, ${filter.within}${same})`;
    }
    default:
      return filter.of
        .map((f) => (f.op === 'or' || (f.op === 'and' && filter.op === 'and') ? `(${filterText(f)})` : filterText(f)))
        .join(filter.op === 'and' ? ' && ' : ' || ');
  }
}

const DT_BEFORE = /^dt\.\w+$/;

/** Whether a filter looks at earlier events than the one that it is asked about, other than the one just before. */
export function looksBack(filter: Filter): boolean {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.of.some(looksBack);
    case 'not':
      return looksBack(filter.of);
    case 'after':
      return true;
    default:
      return DT_BEFORE.test(filter.name);
  }
}
