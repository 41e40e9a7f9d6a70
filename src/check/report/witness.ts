import type { Step } from '../../base/ids.ts';
import { sourceOf, timeOf } from '../../query/events.ts';
import { eventLine } from '../../trace/irqtrace.ts';
import type { Trace } from '../../trace/trace.ts';
import { witnesses } from './view.ts';

/** The text of a line (from 1) of a source file; undefined where the file cannot be read again. */
export type LineText = (file: string, line: number) => string | undefined;

/** An event that a finding stands on, with the line of the source that tells it. */
export interface Witness {
  readonly step: Step;
  readonly time: string | null;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The source is no text: `line` counts its records. */
  readonly binary: boolean;
  /** The line of the source as it stands there; where that cannot be read again, the event in the form of a trace file. */
  readonly text: string;
  readonly verbatim: boolean;
}

/** The event at a step, with its line. */
export function witnessAt(trace: Trace, step: Step, textOf: LineText): Witness {
  const { file, line } = sourceOf(trace, step);
  const text = textOf(file, line);
  return {
    step,
    time: timeOf(trace, step),
    file,
    line,
    binary: trace.sources[trace.sourceOf(step)]?.binary === true,
    text: text ?? eventLine(trace, step),
    verbatim: text !== undefined,
  };
}

/** The events that a finding stands on, in order. */
export const witnessesOf = (
  trace: Trace,
  finding: { readonly evidence: readonly Step[]; readonly step: Step },
  textOf: LineText,
): Witness[] => witnesses(finding).map((step) => witnessAt(trace, step, textOf));
