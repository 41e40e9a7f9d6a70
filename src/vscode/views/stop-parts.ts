import { count } from '../../base/counted.ts';
import { eventText } from '../../query/events.ts';
import { stopText } from '../../session/stop.ts';
import type { OpenTrace } from '../sessions.ts';
import type { Part, TraceRow } from './trace-parts.ts';

/** A row of a breakpoint or checkpoint. */
type StopRow = TraceRow & { readonly of: NonNullable<TraceRow['of']> };

/** Whether an argument of a command is a row of a breakpoint or checkpoint. */
export const isStopRow = (value: unknown): value is StopRow =>
  typeof value === 'object' && value !== null && 'of' in value && 'trace' in value;

/** The breakpoints and checkpoints of a trace, as rows. */
export function stopParts({ session: { stops, trace } }: OpenTrace): Part[] {
  const breakpoints = stops.breakpoints.map(({ stop, enabled }): Part => {
    const text = stopText(stop);
    return {
      name: text,
      label: text,
      description: enabled ? '' : 'off',
      icon: enabled ? 'debug-breakpoint' : 'debug-breakpoint-disabled',
      of: { stop },
    };
  });
  const checkpoints = stops.checkpoints.map(({ name, step }): Part => {
    const there = step < trace.length;
    return {
      name,
      label: name,
      description: there ? `step ${step}` : `step ${step}, not there`,
      icon: 'bookmark',
      tooltip: there ? eventText(trace, step) : 'The trace has no such step.',
      of: { checkpoint: name },
    };
  });
  return [
    ...group('breakpoints', 'Breakpoints', 'debug-breakpoint', 'Where Continue to Breakpoint stops.', breakpoints),
    ...group('checkpoints', 'Checkpoints', 'bookmark', 'Steps to come back to.', checkpoints),
  ];
}

const group = (name: string, label: string, icon: string, tooltip: string, below: Part[]): Part[] =>
  below.length === 0 ? [] : [{ name, label, description: count(below.length), icon, tooltip, below }];
