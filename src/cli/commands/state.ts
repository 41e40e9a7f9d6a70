import type { Step } from '../../base/ids.ts';
import { isAtOrBelow } from '../../base/path-pattern.ts';
import { shown } from '../../base/visible.ts';
import type { State } from '../../model/state.ts';
import { changesAt } from '../../query/changes.ts';
import { eventText, sourceOf, timeOf } from '../../query/events.ts';
import type { PathTarget } from '../../query/paths.ts';
import { isVisible, stateTree, targetValue } from '../../query/state.ts';
import { cellBits, type Value, valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { findTarget } from '../find.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { jsonDocument } from '../json.ts';
import { POSITION_FORMS, POSITION_HELP, parsePosition, stepAt } from '../position.ts';
import { nameOf } from '../read.ts';
import { Columns } from '../text.ts';
import { changeText, fieldWords } from '../values.ts';
import { stateLines } from './state-text.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('state', args, {
    at: { type: 'string' },
    object: { type: 'string' },
    ...INPUT_OPTIONS,
    json: { type: 'boolean' },
  });
  if (positionals.length !== 1) throw onlyOne('state', positionals);
  if (values.at === undefined) throw misused('state', `state needs --at: ${POSITION_FORMS}`);
  const position = parsePosition(values.at, '--at');
  const trace = await readInput('state', positionals[0]!, values, context.progress);
  const step = stepAt(trace, position, '--at');
  const target = values.object === undefined ? undefined : findTarget(trace, values.object);
  const { out } = context;
  const pieces = values.json ? jsonPieces(trace.stateAt(step), target) : textLines(trace, step, target);
  for (const text of pieces) {
    if (values.json) out.json(text);
    else out.add(text);
    if (out.due) await out.rest();
  }
  return DONE;
}

function jsonPieces(state: State, target: PathTarget | undefined): Generator<string> {
  return jsonDocument(target ? targetValue(state, target) : stateTree(state));
}

/** The path of a target, as the trace names it. */
export function targetPath({ node, key, field }: PathTarget): string {
  return [node.path, ...(key === undefined ? [] : [field === undefined ? key : `${key}.${field}`])].join('/');
}

function* textLines(trace: Trace, step: Step, target: PathTarget | undefined): Generator<string> {
  for (const line of report(trace, step, target)) yield `${line}\n`;
}

function* report(trace: Trace, step: Step, target: PathTarget | undefined): Generator<string> {
  const { length } = trace;
  const state = trace.stateAt(step);
  if (step < 0) {
    yield shown(`${nameOf(trace.first.file)}: no events, so nothing is known`);
    return;
  }
  const { file, line } = sourceOf(trace, step);
  const place = `${nameOf(file)}:${line}`;
  yield shown(`${place}: state after step ${step} of 0 to ${length - 1}, time ${timeOf(trace, step) ?? '?'}`);
  yield shown(`  ${eventText(trace, step)}`);
  yield* changes(trace, step, target);
  if (target === undefined) yield* stateLines(state, state.world.root);
  else if (!exists(state, target)) yield* ['', shown(`${targetPath(target)} does not exist at step ${step}`)];
  else if (target.key === undefined) yield* stateLines(state, target.node);
  else yield* keyLines(state, target);
}

const exists = (state: State, { key, node, object }: PathTarget): boolean =>
  key === undefined ? isVisible(state, node) : state.present(object);

/** A key or a field of an object. */
function* keyLines(state: State, target: PathTarget): Generator<string> {
  yield '';
  yield shown(`${targetPath(target)}  ${valueText(targetValue(state, target) as Value)}`);
  const { cell, field, object, type } = target;
  if (cell?.kind !== 'reg' || type === undefined || field !== undefined) return;
  for (const word of fieldWords(cell, cellBits(state, object, cell, type))) yield `  ${word.replace('=', '  ')}`;
}

const MARKS = { A: 'new', M: '', D: 'gone' } as const;

/** What the event did, as far as it is about the object asked for. */
function* changes(trace: Trace, step: Step, target: PathTarget | undefined): Generator<string> {
  const within = target?.node.path;
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line));
  for (const { object, path, kind, keys } of changesAt(trace, step)) {
    if (within !== undefined && !isAtOrBelow(path, within)) continue;
    if (keys.length === 0) columns.row(' ', path, MARKS[kind]);
    for (const { key, old, new: now } of keys) {
      if (target?.key !== undefined && target.key !== key) continue;
      const register = trace.world.type(object)?.cells.find((c) => c.name === key)?.register;
      columns.row(
        ' ',
        `${path}/${key}`,
        `${changeText(register, old, now)}${kind === 'M' ? '' : `  [${MARKS[kind]}]`}`,
      );
    }
  }
  columns.end();
  if (lines.length > 0) yield 'this step changed';
  yield* lines;
}

export const state: Command = {
  name: 'state',
  usage: 'FILE --at S [--object PATH] [--json]',
  help: `Prints what is known of every object after the event at S: first what that event changed, as old -> new, then each
object with its registers and their fields, objects of one kind as a table. ? is what the trace has not shown yet:
unknown is not zero.

Options:
  --at S         ${POSITION_HELP};
                 of a time or line: the last event at or before it
  --object PATH  only this object and what is below it, or one key or field of it
${INPUT_HELP}
  --json         one JSON object, nested by the segments of the paths; registers are {value, fields}, unknown is null;
                 with --object what is at PATH, null when it does not exist at that step

Examples:
  irqscope state examples/x86-vtd-qemu.log --at 1795148664.565645 --object device/0000:00:03.0/msix/0
  irqscope state examples/x86-vtd-qemu.log --at line:4722 --object device/00:03.0/msix/0/control.mask --json
  irqscope state examples/x86-vtd-qemu.log --at end --object irte`,
  run,
};
