import type { Step } from '../../base/ids.ts';
import type { Trace } from '../../trace/trace.ts';
import { type ArgValue, argValue, viewEvent } from '../events.ts';
import type { Comparison } from './compare.ts';
import { isCompared } from './numbers.ts';
import type { Difference } from './pairing.ts';

/** One difference, as programs read it. */
export interface DiffRow {
  /** Steps of the events in trace A and in trace B; null: that trace has no such event. */
  readonly at: { readonly a: Step | null; readonly b: Step | null };
  readonly kind: 'only-a' | 'only-b' | 'changed';
  /** Path of the object of the event: in A, or in B where only B has the event. */
  readonly object: string;
  /** The argument that differs (`object`, `cpu`: what the event is about, where it was recorded); null for a whole event. */
  readonly field: string | null;
  /** What the field is in A, in B; of a whole event its kind and arguments; null in the trace that lacks it. */
  readonly a: ArgValue;
  readonly b: ArgValue;
}

/** The kind and the arguments of an event, without its object; `compared`: only arguments that are compared. */
export function toldBy(trace: Trace, step: Step, compared = false): string {
  const { kind, fields } = viewEvent(trace, step);
  const shown = Object.entries(fields).filter(([name]) => !compared || isCompared(kind, name));
  return [kind, ...shown.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** What a field of an event is. */
function fieldOf(trace: Trace, step: Step, field: string): ArgValue {
  const { table, world } = trace;
  if (field === 'object') return world.path(table.object(step));
  if (field === 'cpu' && table.kind(step).at['cpu'] === undefined) return table.cpu(step) < 0 ? null : table.cpu(step);
  const arg = table.kind(step).args.find(({ name }) => name === field);
  return arg === undefined ? world.strings.text(table.extra(step)) : (argValue(trace, step, arg) ?? null);
}

/** The rows of a difference: one for an event of one trace, one for each field in which two events differ. */
export function rowsOf({ a, b }: Pick<Comparison, 'a' | 'b'>, difference: Difference): DiffRow[] {
  const { a: stepA, b: stepB, fields } = difference;
  const at = { a: stepA < 0 ? null : stepA, b: stepB < 0 ? null : stepB };
  const [trace, step] = stepA >= 0 ? [a.trace, stepA] : [b.trace, stepB];
  const object = trace.world.path(trace.table.object(step));
  if (stepB < 0) return [{ at, kind: 'only-a', object, field: null, a: toldBy(trace, step), b: null }];
  if (stepA < 0) return [{ at, kind: 'only-b', object, field: null, a: null, b: toldBy(trace, step) }];
  return fields.map((field) => ({
    at,
    kind: 'changed',
    object,
    field,
    a: fieldOf(a.trace, stepA, field),
    b: fieldOf(b.trace, stepB, field),
  }));
}
