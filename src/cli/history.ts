import { viewEvent } from '../query/events.ts';
import { type HistoryEntry, history as historyOf } from '../query/history.ts';
import type { Target } from '../query/paths.ts';
import { isVisible } from '../query/state.ts';
import { type Value, valueText } from '../query/view.ts';
import type { Trace } from '../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from './command.ts';
import { argumentsText } from './events.ts';
import { DONE, Failure } from './failure.ts';
import { findTarget } from './find.ts';
import { readTrace } from './read.ts';
import { targetPath } from './state.ts';
import { Columns, shown } from './text.ts';
import { fieldChanges } from './values.ts';

type Fields = Parameters<typeof fieldChanges>[0];

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('history', args, { json: { type: 'boolean' } });
  const [file, path] = positionals;
  if (file === undefined || path === undefined || positionals.length > 2)
    throw misused('history', 'history needs a FILE and a PATH');
  const trace = await readTrace(file, context.progress);
  const target = findTarget(trace, path);
  if (target.object < 0) throw new Failure(noObject(trace, target));
  const { out } = context;
  const columns = new Columns((line) => out.line(line), [0, 1, 2]);
  if (!values.json) columns.row('step', 'time', 'line', 'what', 'old -> new', 'by');
  const before = new Map<string, Fields>();
  let found = 0;
  for (const entry of historyOf(trace, target)) {
    found++;
    if (values.json) out.line(JSON.stringify(entry));
    else {
      const written = entry.path ?? targetPath(target);
      columns.row(...entryCells(trace, target, entry, before.get(written)));
      before.set(written, entry.fields as Fields);
    }
    if (out.due) await out.rest();
  }
  if (found > 0) columns.end();
  else if (!values.json) out.line(`${shown(targetPath(target))} is never written in this trace`);
  return DONE;
}

/** A place in the tree that groups objects has no history of its own. */
function noObject(trace: Trace, { node }: Target): string {
  const inside = [...node.children.values()].filter((c) => isVisible(trace.head, c)).map((c) => c.path);
  const some = inside.length > 4 ? `${inside.slice(0, 4).join(', ')}, …` : inside.join(', ');
  return `${node.path} is no object but holds some; ask for one of them: ${some}`;
}

function entryCells(trace: Trace, target: Target, entry: HistoryEntry, before: Fields): string[] {
  const event = viewEvent(trace, entry.step);
  const about = event.object === target.node.path ? '' : ` ${event.object}`;
  const what = entry.path?.slice(target.node.path.length + 1) ?? targetPath(target).split('/').at(-1)!;
  const fields = fieldChanges(before, entry.fields as Fields);
  const values = `${valueText(entry.old as Value)} -> ${valueText(entry.new as Value)}`;
  return [
    String(entry.step),
    entry.time ?? '?',
    String(entry.source.line),
    what,
    fields === '' ? values : `${values}  (${fields})`,
    `${event.kind}${about} ${argumentsText(event)}`,
  ];
}

export const history: Command = {
  name: 'history',
  usage: 'FILE PATH [--json]',
  summary: 'every write of an object, of one of its keys, or of a field',
  help: `Prints each write of what PATH names, in order, with what it held before and after, and the event that did it. Writes
of a register that leave it as it was are listed, too; of fields, and of keys that are computed from others, only
changes are. PATH is an object (device/0000:00:03.0/msix/0), a key of it (.../control) or a field (.../control.mask);
of an object all keys are followed, but not the objects below it.

Options:
  --json       one JSON object per line: {step, time, old, new, source}, with path where PATH is an object,
               and with the fields after the write where a register was written

Examples:
  irqscope history examples/x86-vtd-qemu.log device/0000:00:03.0/msix/0/control.mask
  irqscope history examples/x86-vtd-qemu.log device/00:04.0/msixcap/control --json`,
  run,
};
