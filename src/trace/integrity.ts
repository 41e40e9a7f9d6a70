import type { Step } from '../base/ids.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { World } from '../model/world.ts';
import { total } from './accounting.ts';
import type { Source } from './source.ts';
import type { Trace } from './trace.ts';

/** The arguments of each kind, by its number, that name texts or objects. */
const naming = vocabulary.map(({ args }) => args.filter(({ type }) => type === 's' || type === 'o'));

/**
 * Walks a trace and checks what every reader relies on: kinds, objects, texts and argument objects exist, lines and
 * (of a text) offsets never go back, times are numbers, and the accounting adds up. Returns what is wrong; an empty list if nothing is. With a
 * `stride`, only one event of so many is looked at.
 */
export function checkIntegrity(trace: Trace, stride = 1): string[] {
  const wrong: string[] = [];
  const alone = trace.sources.length === 1;
  for (const source of trace.sources) checkSource(source, trace.world, { alone, stride }, wrong);
  return wrong;
}

function checkSource(
  { events: table, accounting: a, undone, binary }: Source,
  world: World,
  { alone, stride }: { readonly alone: boolean; readonly stride: number },
  wrong: string[],
): void {
  let line = 0;
  let offset = 0;
  const say = (step: Step, what: string): void => {
    if (wrong.length < 50) wrong.push(`step ${step}: ${what}`);
  };
  for (let step = 0; step < table.length; step += stride) {
    const kind = vocabulary[table.kindNumber(step)];
    if (kind === undefined) {
      say(step, `no event kind ${table.kindNumber(step)}`);
      continue;
    }
    if (table.object(step) >= world.objects) say(step, `no object ${table.object(step)}`);
    if (table.task(step) >= world.strings.size) say(step, `no text ${table.task(step)}`);
    for (const arg of naming[kind.number]!) {
      if (arg.optional && (table.word(step, 0) & arg.bit) === 0) continue;
      const word = table.word(step, arg.at);
      if (arg.type === 's' && word >= world.strings.size) say(step, `${kind.name}.${arg.name}: no text ${word}`);
      if (arg.type === 'o' && word >= world.objects) say(step, `${kind.name}.${arg.name}: no object ${word}`);
    }
    const [before, at] = [line, offset];
    line = table.line(step);
    offset = table.offset(step);
    if (line < before) say(step, `line ${line} after line ${before}`);
    if (offset < at && !binary) say(step, `offset ${offset} after ${at}`);
    const time = table.time(step);
    if (time === Number.POSITIVE_INFINITY || time === Number.NEGATIVE_INFINITY) say(step, 'time is infinite');
  }
  // Sources that share a file, and strings that hold lines, do not count all lines of the file.
  if (line > a.lines && undone.length === 0 && alone) wrong.push(`the last event stands on line ${line} of ${a.lines}`);
  const sum = a.understood + total(a.unknown) + total(a.skipped);
  if (sum !== a.records) wrong.push(`understood + unknown + skipped = ${sum}, but there are ${a.records} records`);
  const all = a.records + total(a.others);
  if (all !== a.lines) wrong.push(`records and other lines make ${all}, but there are ${a.lines} lines`);
}
