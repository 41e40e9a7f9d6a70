import { explainable, explain as explained } from '../../query/explain/explain.ts';
import { readingText } from '../../view/reading.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, Failure } from '../failure.ts';
import { jsonDocument } from '../json.ts';

async function run(args: readonly string[], { out }: Context): Promise<number> {
  const { values, positionals } = readArguments('explain', args, { as: { type: 'string' }, json: { type: 'boolean' } });
  if (positionals.length === 0) throw misused('explain', 'explain needs a VALUE');
  // Words that the shell divided belong together.
  const readings = explained(positionals.join(' '), values.as);
  if ('refused' in readings) throw new Failure(readings.refused);
  const answers = readings.map(({ kind, value, text, fields }) => ({ kind, value, text, fields }));
  if (values.json) for (const part of jsonDocument(values.as === undefined ? answers : answers[0])) out.json(part);
  else out.add(readings.map(readingText).join('\n'));
  return DONE;
}

const width = Math.max(...explainable.map(({ name }) => name.length));

/** `irqscope explain`. */
export const explain: Command = {
  name: 'explain',
  usage: 'VALUE [--as KIND] [--json]',
  help: `Explains a value field by field, without a trace. A message is written ADDRESS/DATA. Registers are hexadecimal, with or
without 0x; underscores and the names that dumps print before a number may stand. Values of 128 bits are one number, or
their two halves, the high one first. Without --as every reading that fits is told, the likeliest first.

Options:
  --as KIND    what the value is
  --json       {kind, value, text, fields: {name: value}}; without --as an array of these

Kinds:
${explainable.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}

Examples:
  irqscope explain 0xfee004b8/0
  irqscope explain '0000000000040018 0000000000210009' --as irte
  irqscope explain 524288 --as hwirq
  irqscope explain 0x22 --json`,
  run,
};
