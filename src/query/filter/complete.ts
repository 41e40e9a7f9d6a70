import type { Trace } from '../../trace/trace.ts';
import { WORD } from './ast.ts';
import {
  type Candidate,
  keyCandidates,
  nameCandidates,
  pathCandidates,
  relatedCandidates,
  relatedWithKey,
  valueCandidates,
} from './candidates.ts';
import { MOST_COMPLETIONS } from './limits.ts';
import { typesOf } from './names.ts';
import { placeAt, type WritingPlace } from './place.ts';
import { timeUnits, type ValueType } from './values.ts';

/** A way to go on with a filter: `text` replaces the stretch `from` to `to` of what is written. */
export interface Completion {
  readonly text: string;
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

const RELATION_TEXTS: readonly (readonly [sign: string, what: string, types: readonly ValueType[]])[] = [
  ['==', 'equal', ['number', 'time', 'span', 'text', 'path', 'flag']],
  ['!=', 'not equal', ['number', 'time', 'span', 'text', 'path', 'flag']],
  ['<', 'less', ['number', 'time', 'span']],
  ['<=', 'less or equal', ['number', 'time', 'span']],
  ['>', 'greater', ['number', 'time', 'span']],
  ['>=', 'greater or equal', ['number', 'time', 'span']],
  ['~', 'contains, in upper or lower case', ['text', 'path']],
  ['in', 'one of several values, or within a range', ['number', 'time', 'span', 'text', 'path', 'flag']],
];

function joints({ open, expected }: WritingPlace): Candidate[] {
  const inner = open.at(-1);
  const list = expected.what === 'joint' && expected.list;
  return [
    ...(inner === 'waited' || inner === 'common'
      ? []
      : [
          { text: '&&', what: 'and' },
          { text: '||', what: 'or' },
        ]),
    ...(inner === undefined || inner === 'after' ? [] : [{ text: ')', what: 'the end of what is open' }]),
    ...(inner === 'after' || inner === 'waited' || list ? [{ text: ',', what: 'next' }] : []),
  ];
}

/** The number that is being written, with each unit. */
const withUnits = (part: string): Candidate[] =>
  /^\d+(\.\d+)?$/.test(part) ? timeUnits.map((unit) => ({ text: `${part}${unit}`, what: 'a stretch of time' })) : [];

function candidates(place: WritingPlace, trace: Trace | undefined): Candidate[] {
  const { expected, part } = place;
  switch (expected.what) {
    case 'name':
    case 'state': {
      const paths = trace && (part.includes('/') || expected.what === 'state') ? pathCandidates(trace, part, true) : [];
      const names = expected.what === 'state' ? [...relatedCandidates(), ...relatedWithKey()] : nameCandidates();
      return [
        ...keyCandidates(part),
        ...paths,
        ...names,
        ...(trace && paths.length === 0 ? pathCandidates(trace, part, true) : []),
      ];
    }
    case 'close':
      return [{ text: ')', what: 'the end of what is open' }];
    case 'relation': {
      const types = typesOf(expected.name);
      const signs = RELATION_TEXTS.filter(([, , of]) => of.some((type) => types.has(type)));
      const relations = signs.map(([text, what]) => ({ text, what }));
      return types.has('flag') ? [...joints(place), ...relations] : relations;
    }
    case 'value': {
      const types = typesOf(expected.name);
      const units = types.has('span') || types.has('time') ? withUnits(part) : [];
      return [...units, ...valueCandidates(expected.name, part, trace)];
    }
    case 'wait':
      return withUnits(part === '' ? '5' : part);
    case 'same':
      return [{ text: 'same', what: 'the same object' }, ...relatedCandidates()];
    case 'joint':
      return joints(place);
  }
}

const isWord = (text: string): boolean => {
  WORD.lastIndex = 0;
  return WORD.exec(text)?.[0].length === text.length;
};

/** A value as it is written: in quotes where it has to be. */
const written = (text: string, quote: string): string =>
  quote === '' && isWord(text) ? text : `${quote || '"'}${text.replaceAll(/["'\\]/g, '\\$&')}${quote || '"'}`;

/** How well a candidate goes on with what is written: 0 best, undefined not at all. */
function rank(text: string, part: string): number | undefined {
  const [lower, typed] = [text.toLowerCase(), part.toLowerCase()];
  if (lower.startsWith(typed)) return 0;
  const at = lower.indexOf(typed);
  return at < 0 ? undefined : /\W/.test(lower[at - 1]!) ? 1 : 2;
}

/**
 * How a filter can go on at a column (from 0): the names, signs and values that may stand there, those first that begin with what is written. With a trace, its
 * objects, kinds and texts are offered too.
 */
export function completions(text: string, column: number, trace?: Trace): Completion[] {
  const place = placeAt(text, column);
  const { part, quote, from, to, expected } = place;
  const ranked: { readonly rank: number; readonly candidate: Candidate }[] = [];
  const seen = new Set<string>();
  for (const candidate of candidates(place, trace)) {
    const fit = rank(candidate.text, part);
    if (fit === undefined || seen.has(candidate.text)) continue;
    seen.add(candidate.text);
    ranked.push({ rank: fit, candidate });
  }
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, MOST_COMPLETIONS).map(({ candidate }) => ({
    text: expected.what === 'value' && !candidate.open ? written(candidate.text, quote) : candidate.text,
    what: candidate.what,
    from,
    to,
  }));
}
