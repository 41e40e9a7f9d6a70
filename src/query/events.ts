import { hex32, hexWords } from '../base/hex.ts';
import type { Step } from '../base/ids.ts';
import { timeText } from '../base/time.ts';
import type { ArgSpec } from '../model/event-args.ts';
import { argumentsIn } from '../trace/arguments.ts';
import type { Trace } from '../trace/trace.ts';

/** The place of an event in its source; `line` counts from 1, `offset` counts bytes of the uncompressed source. */
export interface SourceRef {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
}

export type ArgValue = number | string | boolean | null;

/** An event as answers print it. */
export interface EventView {
  readonly step: Step;
  /** Decimal seconds (or ticks) with all digits of the source; null when the source has no stamps. */
  readonly time: string | null;
  readonly cpu: number | null;
  readonly kind: string;
  readonly object: string;
  readonly fields: Readonly<Record<string, ArgValue>>;
  /** Thread or task that recorded it. */
  readonly task?: string;
  readonly source: SourceRef;
}

/** The value of one argument of an event; undefined when the event does not have it. */
export function argValue(trace: Trace, step: Step, arg: ArgSpec): ArgValue | undefined {
  const { table, world } = trace;
  if (arg.optional && (table.word(step, 0) & arg.bit) === 0) return undefined;
  const word = table.word(step, arg.at);
  switch (arg.type) {
    case 'u':
      return word;
    case 'i':
      return word | 0;
    case 'x':
      return hex32(word);
    case 'flag':
      return word !== 0;
    case 's':
      return world.strings.text(word);
    case 'o':
      return world.path(word);
    case 'xx':
    case 'xxxx':
      return hexWords(Array.from({ length: arg.words }, (_, i) => table.word(step, arg.at + i)));
  }
}

/** The place of an event in its source. */
export function sourceOf(trace: Trace, step: Step): SourceRef {
  const { file } = trace.sources[trace.sourceOf(step)] ?? trace.first;
  return { file, line: trace.table.line(step), offset: trace.table.offset(step) };
}

/** Where an event stands, in words: its line, and the file where the trace has several. */
export function lineText(trace: Trace, step: Step): string {
  const { file, line } = sourceOf(trace, step);
  return trace.sources.some((source) => source.file !== file) ? `line ${line} of ${file}` : `line ${line}`;
}

/** A duration in seconds with the digits that the clocks of both events have; null without stamps. */
export function secondsBetween(trace: Trace, from: Step, to: Step): string | null {
  const span = trace.table.time(to) - trace.table.time(from);
  return timeText(span, { ...trace.between(from, to), base: 0n });
}

/** The time of an event as text; null when the source has no stamps. */
export function timeOf(trace: Trace, step: Step): string | null {
  return timeText(trace.table.time(step), trace.time);
}

/** Adds the arguments that this version does not know, as texts. A newer version, or a hostile file, may call one `__proto__`. */
function addExtra(fields: Record<string, ArgValue>, text: string): void {
  const given = argumentsIn(` ${text}`);
  if (typeof given === 'string') return;
  for (const { name, value } of given)
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** One event. */
export function viewEvent(trace: Trace, step: Step): EventView {
  const { table, world } = trace;
  const fields: Record<string, ArgValue> = {};
  for (const arg of table.kind(step).args) {
    const value = argValue(trace, step, arg);
    if (value !== undefined) fields[arg.name] = value;
  }
  const extra = table.extra(step);
  if (extra !== 0) addExtra(fields, world.strings.text(extra));
  const cpu = table.cpu(step);
  const task = world.strings.text(table.task(step));
  return {
    step,
    time: timeOf(trace, step),
    cpu: cpu < 0 ? null : cpu,
    kind: table.kind(step).name,
    object: world.path(table.object(step)),
    fields,
    ...(task === '' ? {} : { task }),
    source: sourceOf(trace, step),
  };
}

/** The arguments of an event as text: `offset=0xc size=4 value=0x1`. */
export const argumentsText = ({ fields }: EventView): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** One line that says what an event is: kind, object and arguments. */
export function eventText(trace: Trace, step: Step): string {
  const view = viewEvent(trace, step);
  return [view.kind, view.object, argumentsText(view)].filter((part) => part !== '').join(' ');
}
