import type { BaseIssue } from 'valibot';
import { byName } from './by-name.ts';
import { type DocumentPath, placeIn, type Stretch } from './json-place.ts';

/** What is wrong with a text that JSON.parse refused, on one line: the runtime quotes a piece of the text, line ends included. */
export const jsonFault = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');

/** Characters of a place, and of a problem, that a message shows. */
const MOST_SHOWN = 250;

/** A text on one line, without its middle where it is long. */
function brief(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const half = MOST_SHOWN / 2;
  return line.length <= MOST_SHOWN ? line : `${line.slice(0, half)}…${line.slice(-half)}`;
}

/** What is wrong at a place of a document (null: the document itself), on one line: both quote names and texts that stand in it, of any length. */
export const documentFault = (place: string | null, problem: string): string =>
  `${brief(place ?? 'the document')}: ${brief(problem)}`;

/** What is wrong with a document that a user wrote, and where in its text. */
export interface DocumentProblem extends Stretch {
  /** On one line, with the keys that lead there. */
  readonly message: string;
}

const TYPES: Readonly<Record<string, string>> = byName({
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
});

/** What a value of the right type has to be, by the check that it failed. */
const WANTED: Readonly<Record<string, string>> = byName({
  regex: 'a text of the form',
  integer: 'a whole number',
  safe_integer: 'a whole number of at most 53 bits',
  min_value: 'a number',
  max_value: 'a number',
  min_length: 'a length',
  max_length: 'a length',
});

/** What an issue says of a value of the right type: its own words, or plain ones where the schema has none. */
function checkText({ type, expected, received, message }: BaseIssue<unknown>): string {
  if (received === 'undefined') return message;
  if (!message.startsWith('Invalid ')) return `${message}, found ${received}`;
  if (type === 'non_empty') return 'it is empty';
  const wanted = WANTED[type];
  if (wanted === undefined) return `${message}, found ${received}`;
  return `expected ${wanted}${expected === null ? '' : ` ${expected}`}, found ${received}`;
}

/** What an issue of a schema says, in plain words. */
export function issueText(issue: BaseIssue<unknown>): string {
  const { kind, type, expected, received, path } = issue;
  if (kind !== 'schema') return checkText(issue);
  if (type === 'strict_object' && expected === 'never') return 'there is no such key';
  if (type === 'strict_object' && path?.at(-1)?.origin === 'key') return 'this key is missing';
  const wanted = TYPES[expected ?? ''] ?? (expected ?? '').replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ', ');
  return `expected ${wanted}, found ${received === 'Array' || received === 'Object' ? TYPES[received] : received}`;
}

/** The keys and indexes that an issue is about. */
export const issuePath = ({ path }: BaseIssue<unknown>): DocumentPath =>
  (path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));

/** An issue of the part of a document that lies at `above`. */
export function issueProblem(text: string, issue: BaseIssue<unknown>, above: DocumentPath = []): DocumentProblem {
  const path = [...above, ...issuePath(issue)];
  const key = issue.path?.at(-1)?.origin === 'key';
  return { ...placeIn(text, path, key), message: documentFault(path.join('.') || null, issueText(issue)) };
}
