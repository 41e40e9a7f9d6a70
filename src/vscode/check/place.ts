import * as vscode from 'vscode';
import type { Step } from '../../base/ids.ts';
import { sourceOf } from '../../query/events.ts';
import { textUri } from '../branch-text.ts';
import type { OpenTrace } from '../sessions.ts';
import { whyNoText } from '../text.ts';

/** Lines before the first event of a trace that is shown in the form of a trace file. */
const HEAD = 2;

/** Where an event stands in a text that the editor can show. */
export interface TextPlace {
  readonly uri: vscode.Uri;
  /** From 0. */
  readonly line: number;
}

/**
 * The line that tells an event. A packed or binary file cannot be shown as text: the trace in the form of a trace file stands for it.
 * A line of another file of the trace is looked for beside the first one.
 */
export function placeOf(trace: OpenTrace, step: Step): TextPlace {
  const events = trace.session.trace;
  if (whyNoText(trace) !== undefined) return { uri: textUri(trace), line: HEAD + step };
  const { file, line } = sourceOf(events, step);
  const uri = file === events.first.file ? trace.uri : vscode.Uri.joinPath(trace.uri, '..', file);
  return { uri, line: Math.max(0, line - 1) };
}

/** The whole of a line; how long it is need not be known. */
export const lineRange = (line: number): vscode.Range => new vscode.Range(line, 0, line, 100_000);
