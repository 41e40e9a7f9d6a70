import { parseTime } from '../base/time.ts';
import { timeOf } from '../query/events.ts';
import { type Move, Session } from '../session/session.ts';
import type { Trace } from '../trace/trace.ts';
import { Failure } from './failure.ts';
import { nameOf } from './read.ts';

/** A place in a trace as the user writes it. */
export type Position =
  | { readonly kind: 'end' }
  | { readonly kind: 'step'; readonly number: number }
  | { readonly kind: 'line'; readonly number: number; readonly file?: string | undefined }
  | { readonly kind: 'time'; readonly text: string };

/** The forms of a place, for messages. */
export const POSITION_FORMS =
  'a step (4672 or step:4672), a time with a point (1795148664.565645) or time:T, line:N (line:FILE:N with several sources), or end';

/** The same in the help of an option. */
export const POSITION_HELP = `a step (4672 or step:4672), a time with a point (1795148664.565645) or time:T,
                 line:N (line:FILE:N with several sources), or end`;

/** Reads a place; `option` is where it was given. */
export function parsePosition(text: string, option: string): Position {
  const match = /^(?:(step|line|time):)?(-?\d+(?:\.\d{1,9})?)$/.exec(text);
  const number = match?.[2] ?? '';
  const fraction = number.includes('.');
  const kind = match?.[1] ?? (fraction ? 'time' : 'step');
  if (text === 'end') return { kind: 'end' };
  const inFile = /^line:(.+):(\d+)$/s.exec(text);
  if (inFile && Number(inFile[2]) > 0) return { kind: 'line', number: Number(inFile[2]), file: inFile[1] };
  if (match && kind === 'time') return { kind, text: number };
  if (match && !fraction && kind === 'step' && !number.startsWith('-')) return { kind, number: Number(number) };
  if (match && !fraction && kind === 'line' && Number(number) > 0) return { kind, number: Number(number) };
  throw new Failure(`${option} ${text} is no place in a trace; give ${POSITION_FORMS}`);
}

/** The first stamp of all; undefined when no event has one. */
function firstTime(trace: Trace): string | undefined {
  for (let step = 0; step < trace.length; step++) {
    const time = timeOf(trace, step);
    if (time !== null) return time;
  }
  return undefined;
}

function checkTime(trace: Trace, text: string, option: string): void {
  const file = nameOf(trace.first.file);
  if (trace.length > 0 && firstTime(trace) === undefined)
    throw new Failure(`${option}: ${file} has no time stamps; give a step, line:N or end`);
  if (trace.time.ticks && text.includes('.'))
    throw new Failure(`${option}: the clock of ${file} counts ticks without a fraction; give time:N or a step`);
}

/** The step of a place; -1 for the end of a trace without events. */
export function stepAt(trace: Trace, position: Position, option: string): number {
  const file = nameOf(trace.first.file);
  if (position.kind === 'end') return trace.length - 1;
  if (trace.length === 0) throw new Failure(`${option}: ${file} has no events; only end is possible`);
  if (position.kind === 'time') checkTime(trace, position.text, option);
  const target = new Session(trace).target(moveTo(trace, position, option));
  if (typeof target === 'number') return target;
  if (position.kind === 'line') {
    const own = fileOf(trace, position, option);
    const first = Math.min(
      ...trace.sources.filter((s) => s.file === own && s.events.length > 0).map((s) => s.events.line(0)),
    );
    const where = Number.isFinite(first) ? `the first one stands on line ${first}` : 'this source has none';
    throw new Failure(`there is no event at or before this line; ${where}`, { file: own, line: position.number });
  }
  const first = position.kind === 'time' ? `, at ${firstTime(trace)}` : '';
  throw new Failure(`${option}: ${target.refused}${first}`);
}

function moveTo(trace: Trace, position: Exclude<Position, { kind: 'end' }>, option: string): Move {
  if (position.kind === 'time') return { to: 'time', time: position.text };
  if (position.kind === 'step') return { to: 'step', step: position.number };
  return { to: 'line', line: position.number, file: fileOf(trace, position, option) };
}

/** The file whose line a place names: by its whole name, or by the end of it where no other source has that; throws Failure. */
function fileOf(trace: Trace, { file }: Position & { readonly kind: 'line' }, option: string): string {
  if (file === undefined) return trace.first.file;
  const files = [...new Set(trace.sources.map((source) => source.file))];
  const found = files.includes(file) ? [file] : files.filter((name) => name.endsWith(`/${file}`));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new Failure(`${option}: ${found.join(' and ')} are both called ${file}; give more of the path`);
  throw new Failure(
    `${option}: no source is called ${file}; there ${files.length === 1 ? 'is' : 'are'} ${files.join(', ')}`,
  );
}

/** The first step of a stretch that begins at a place: the first event at or after it; `length` when there is none. */
export function stretchStart(trace: Trace, position: Position, option: string): number {
  const { table, length } = trace;
  switch (position.kind) {
    case 'end':
      return Math.max(0, length - 1);
    case 'step':
      return position.number;
    case 'line':
      return trace.lastAtLine(position.number - 1, fileOf(trace, position, option)) + 1;
    case 'time': {
      checkTime(trace, position.text, option);
      const time = storedTime(trace, position.text);
      let step = 0;
      while (step < length && !(table.time(step) >= time)) step++;
      return step;
    }
  }
}

/** The last step of a stretch that ends at a place: the last event at or before it; -1 when there is none. */
export function stretchEnd(trace: Trace, position: Position, option: string): number {
  switch (position.kind) {
    case 'end':
      return trace.length - 1;
    case 'step':
      return Math.min(position.number, trace.length - 1);
    case 'line':
      return trace.lastAtLine(position.number, fileOf(trace, position, option));
    case 'time':
      checkTime(trace, position.text, option);
      return trace.lastAtTime(storedTime(trace, position.text));
  }
}

/** The first and the last step of a stretch; an empty one where no event lies in it. Refuses places in the wrong order. */
export function stretchBetween(trace: Trace, from: Position | undefined, to: Position | undefined): [number, number] {
  const first = from ? stretchStart(trace, from, '--from') : 0;
  const last = to ? stretchEnd(trace, to, '--to') : trace.length - 1;
  if (from && to && isBehind(trace, from, to)) throw new Failure('--from lies behind --to');
  return [first, last];
}

/** A place lies behind another one of its kind. Between places of two kinds there may just be no event. */
function isBehind(trace: Trace, a: Position, b: Position): boolean {
  if (a.kind === 'time' && b.kind === 'time') return storedTime(trace, a.text) > storedTime(trace, b.text);
  if (a.kind === 'line' && b.kind === 'line') return a.file === b.file && a.number > b.number;
  const stepOf = (place: Position): number | undefined =>
    place.kind === 'end' ? trace.length - 1 : place.kind === 'step' ? place.number : undefined;
  return (stepOf(a) ?? 0) > (stepOf(b) ?? Number.POSITIVE_INFINITY);
}

/** A time that `checkTime` has accepted, in the units of the trace. */
function storedTime(trace: Trace, text: string): number {
  return parseTime(text, trace.time) ?? Number.NaN;
}
