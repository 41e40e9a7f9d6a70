import { textMatcher } from '../../base/path-pattern.ts';
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { Filter, Literal, Range } from '../../query/filter/ast.ts';

/** Whether a condition can hold of an event of a kind: yes, no, or that depends on more than the kind. */
type Answer = boolean | undefined;

function literalHolds(item: Literal | Range, name: string): boolean {
  if ('from' in item) return false;
  return item.quoted ? item.text === name : textMatcher(item.text)(name);
}

function answer(filter: Filter, kind: EventKind): Answer {
  switch (filter.op) {
    case 'not': {
      const of = answer(filter.of, kind);
      return of === undefined ? undefined : !of;
    }
    case 'and':
    case 'or': {
      const decides = filter.op === 'or';
      const answers = filter.of.map((f) => answer(f, kind));
      if (answers.includes(decides)) return decides;
      return answers.includes(undefined) ? undefined : !decides;
    }
    case 'flag':
    case 'after':
      return undefined;
    case 'in':
      return filter.name === 'kind' ? filter.items.some((item) => literalHolds(item, kind.name)) : undefined;
    case 'compare': {
      if (filter.name !== 'kind') return undefined;
      if (filter.relation === '~') return kind.name.includes(filter.value.text.toLowerCase());
      const same = literalHolds(filter.value, kind.name);
      return filter.relation === '==' ? same : !same;
    }
  }
}

/** The kinds of events for which a filter can hold. */
export const kindsOf = (filter: Filter): EventKind[] => vocabulary.filter((kind) => answer(filter, kind) !== false);
