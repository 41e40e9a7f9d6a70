import type { Trace } from '../../trace/trace.ts';
import { FilterError } from './ast.ts';
import { type Completion, completions } from './complete.ts';
import { parseFilter } from './parse.ts';

/** What is wrong with a filter that is being typed. */
export interface Problem {
  /** Place in the text, from 0. */
  readonly at: number;
  readonly message: string;
  /** The text ends too early; nothing in it is wrong. */
  readonly missing: boolean;
}

/** What is wrong with a text as a filter; null for nothing. */
export function problemOf(text: string): Problem | null {
  try {
    parseFilter(text);
    return null;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { at: error.at, message: error.message, missing: error.at >= text.trimEnd().length };
  }
}

/** How a filter that is being typed can go on at a column, without what stands there already. */
export const waysOn = (text: string, column: number, trace: Trace): Completion[] =>
  completions(text, column, trace).filter(({ text: part, from, to }) => part !== '' && text.slice(from, to) !== part);
