import { shown } from '../../base/visible.ts';
import { type HistoryEntry, history as historyOf } from '../../query/history.ts';
import { type PathTarget, resolvePath } from '../../query/paths.ts';
import { type Value, valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { findTarget } from '../find.ts';
import { INPUT_HELP, INPUT_OPTIONS, readInput } from '../input.ts';
import { Columns } from '../text.ts';
import { type Fields, fieldChanges, withFields } from '../values.ts';
import { targetPath } from './state.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('history', args, { ...INPUT_OPTIONS, json: { type: 'boolean' } });
  const [file, path] = positionals;
  if (file === undefined || path === undefined || positionals.length > 2)
    throw misused('history', 'history needs a FILE and a PATH');
  const trace = await readInput('history', file, values, context.progress);
  const target = findTarget(trace, path);
  const { out } = context;
  const columns = new Columns((line) => out.line(line), [0, 1, 2]);
  if (!values.json)
    columns.row('step', 'time', 'line', 'event', ...(target.key === undefined ? ['key'] : []), 'old -> new');
  const before = new Map<string, Fields | undefined>();
  let found = 0;
  for (const entry of historyOf(trace, target)) {
    found++;
    if (values.json) out.json(`${JSON.stringify(entry)}\n`);
    else {
      const written = entry.path ?? targetPath(target);
      columns.row(...entryCells(trace, target, entry, before.get(written)));
      before.set(written, entry.fields as Fields | undefined);
    }
    if (out.due) await out.rest();
  }
  if (found > 0) columns.end();
  else if (!values.json) out.line(`${shown(targetPath(target))} is never written in this trace`);
  return DONE;
}

function entryCells(trace: Trace, target: PathTarget, entry: HistoryEntry, before: Fields | undefined): string[] {
  const key = entry.path?.slice(target.node.path.length + 1);
  const register = (entry.path === undefined ? target : resolvePath(trace.world, entry.path))?.cell?.register;
  const fields = fieldChanges(register, before, entry.fields as Fields | undefined);
  return [
    String(entry.step),
    entry.time ?? '?',
    String(entry.source.line),
    trace.table.kind(entry.step).name,
    ...(key === undefined ? [] : [key]),
    withFields(`${valueText(entry.old as Value)} -> ${valueText(entry.new as Value)}`, fields),
  ];
}

export const history: Command = {
  name: 'history',
  usage: 'FILE PATH [--json]',
  help: `Prints each write of what PATH names, in order, with the event that did it and what was held before and after.
PATH is a key of an object (device/0000:00:03.0/msix/0/control), a field of a register (.../control.mask), or an
object (device/0000:00:03.0/msix/0, or device/0000:00:03.0 with all that is below it). Of a register also the writes
that leave it as it was are listed; of fields, of computed keys and of whole objects only changes are.

Options:
${INPUT_HELP}
  --json       one JSON object per line: {step, time, old, new, source}, with path where PATH is an object,
               and with the fields after the write where a register was written

Examples:
  irqscope history examples/x86-vtd-qemu.log device/0000:00:03.0/msix/0/control.mask
  irqscope history examples/x86-vtd-qemu.log device/00:04.0/msixcap/control --json`,
  run,
};
