import { hex32, hexWords } from '../base/hex.ts';
import { timeText } from '../base/time.ts';
import { other } from '../model/events/notes.ts';
import type { Trace } from './trace.ts';

/** First word of the first line of a trace file; the number behind it is the version of the format. */
export const MAGIC = '#irqtrace';

/** Version of the format that is written. */
export const VERSION = 1;

/** Header lines behind the first: `#name value`. */
export type Header = Readonly<Record<string, string>>;

/** A text as one word: as it is when it has no blanks, quotes, '=' or '#', else in JSON notation. */
export function quoted(text: string): string {
  return /^[^\s"#=\\]+$/.test(text) && text !== '-' ? text : JSON.stringify(text);
}

/** One event as a line: time, CPU, task, kind, object, arguments. */
export function eventLine(trace: Trace, step: number): string {
  const { table, world, meta } = trace;
  const kind = table.kind(step);
  const strange = kind === other;
  const parts = [
    timeText(table.time(step), meta.time) ?? '-',
    table.cpu(step) < 0 ? '-' : `cpu${table.cpu(step)}`,
    table.task(step) === 0 ? '-' : quoted(world.strings.text(table.task(step))),
    strange ? world.strings.text(table.word(step, other.at.name)) : kind.name,
    quoted(world.path(table.object(step))),
  ];
  if (strange) parts.push(world.strings.text(table.word(step, other.at.text)));
  for (const arg of strange ? [] : kind.args) {
    if (arg.optional && (table.word(step, 0) & arg.bit) === 0) continue;
    const word = table.word(step, arg.at);
    switch (arg.type) {
      case 'u':
        parts.push(`${arg.name}=${word}`);
        break;
      case 'i':
        parts.push(`${arg.name}=${word | 0}`);
        break;
      case 'x':
        parts.push(`${arg.name}=${hex32(word)}`);
        break;
      case 'flag':
        parts.push(`${arg.name}=${word !== 0}`);
        break;
      case 's':
        parts.push(`${arg.name}=${quoted(world.strings.text(word))}`);
        break;
      case 'o':
        parts.push(`${arg.name}=${quoted(world.path(word))}`);
        break;
      default:
        parts.push(
          `${arg.name}=${hexWords(Array.from({ length: arg.words }, (_, i) => table.word(step, arg.at + i)))}`,
        );
    }
  }
  return parts.filter((part) => part !== '').join(' ');
}

/** A trace as lines of an `.irqtrace` file, header first; each ends without its line feed. */
export function* irqtraceLines(trace: Trace, header: Header = {}): Generator<string> {
  const { meta } = trace;
  yield `${MAGIC} ${VERSION}`;
  yield `#clock ${meta.time.ticks ? 'ticks' : 'seconds'} digits=${meta.time.digits} ${quoted(meta.clock)}`;
  for (const [name, value] of Object.entries(header)) yield `#${name} ${value}`;
  for (let step = 0; step < trace.length; step++) yield eventLine(trace, step);
}
