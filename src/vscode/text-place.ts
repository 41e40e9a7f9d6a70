import * as vscode from 'vscode';
import type { Step } from '../base/ids.ts';
import { sourceOf } from '../query/events.ts';
import type { Trace } from '../trace/trace.ts';
import { textUri } from './branch-text.ts';
import type { OpenTrace } from './sessions.ts';
import { uriOf, whyNoText } from './text.ts';

/** Lines before the first event of a trace that is shown in the form of a trace file. */
const HEAD = 2;

/** Where an event stands in a text that the editor can show. */
export interface TextPlace {
  readonly uri: vscode.Uri;
  /** From 0. */
  readonly line: number;
}

/** The text of a file of a trace cannot be shown: it is packed, in an archive, or no text. */
const isHidden = (trace: OpenTrace, file: string): boolean => whyNoText(trace, uriOf(trace, file)) !== undefined;

/** The file in which an event was recorded, and its line there (from 0). */
export function filePlaceOf(trace: OpenTrace, step: Step): TextPlace {
  const { file, line } = sourceOf(trace.session.trace, step);
  return { uri: uriOf(trace, file), line: Math.max(0, line - 1) };
}

/**
 * The line that tells an event. A packed or binary file cannot be shown as text: the trace in the form of a trace file stands for it.
 * A line of another file of the trace is looked for where that file was opened.
 */
export function placeOf(trace: OpenTrace, step: Step): TextPlace {
  const source = trace.session.trace.sources[trace.session.trace.sourceOf(step)];
  return source !== undefined && isHidden(trace, source.file)
    ? { uri: textUri(trace), line: HEAD + step }
    : filePlaceOf(trace, step);
}

/** What a text shows of a trace: one of its files, or all of its events one by one. */
type Shown = { readonly file: string } | 'events';

/** The texts of each trace by their address, at so many sources. */
const texts = new WeakMap<Trace, { readonly sources: number; readonly shown: ReadonlyMap<string, Shown> }>();

function textsOf(trace: OpenTrace): ReadonlyMap<string, Shown> {
  const events = trace.session.trace;
  const known = texts.get(events);
  if (known?.sources === events.sources.length) return known.shown;
  const shown = new Map<string, Shown>();
  let hidden = false;
  for (const { file } of events.sources)
    if (isHidden(trace, file)) hidden = true;
    else shown.set(uriOf(trace, file).toString(), { file });
  if (hidden) shown.set(textUri(trace).toString(), 'events');
  texts.set(events, { sources: events.sources.length, shown });
  return shown;
}

/** Whether a text shows events of a trace. */
export const isTextOf = (trace: OpenTrace, uri: vscode.Uri): boolean => textsOf(trace).has(uri.toString());

/** The line (from 0) of an event in a text of a trace; undefined when it stands in another text, or there is no such event. */
export function lineIn(trace: OpenTrace, uri: vscode.Uri, step: Step): number | undefined {
  const events = trace.session.trace;
  const shown = textsOf(trace).get(uri.toString());
  if (shown === undefined || step < 0 || step >= events.length) return undefined;
  if (shown === 'events') return HEAD + step;
  const { file, line } = sourceOf(events, step);
  return file === shown.file ? line - 1 : undefined;
}

/** The last event at or before a line (from 0) of a text of a trace; -1 when there is none. */
export function stepAtLine(trace: OpenTrace, uri: vscode.Uri, line: number): Step {
  const events = trace.session.trace;
  const shown = textsOf(trace).get(uri.toString());
  if (shown === undefined) return -1;
  return shown === 'events' ? Math.min(events.length - 1, line - HEAD) : events.lastAtLine(line + 1, shown.file);
}

/** The trace whose events a text shows: the active one if it is among them. */
export function shownIn(
  { active, all }: { readonly active: OpenTrace | undefined; readonly all: readonly OpenTrace[] },
  uri: vscode.Uri,
): OpenTrace | undefined {
  if (active && isTextOf(active, uri)) return active;
  const key = uri.toString();
  return all.find((trace) => trace.uri.toString() === key) ?? all.find((trace) => isTextOf(trace, uri));
}

/** The whole of a line; how long it is need not be known. */
export const lineRange = (line: number): vscode.Range => new vscode.Range(line, 0, line, 100_000);
