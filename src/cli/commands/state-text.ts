import type { ObjectId } from '../../base/ids.ts';
import { shown } from '../../base/visible.ts';
import type { CellSpec, ObjectType } from '../../model/objects.ts';
import type { State } from '../../model/state.ts';
import type { PathNode } from '../../model/world.ts';
import { sortedChildren } from '../../query/paths.ts';
import { isVisible } from '../../query/state.ts';
import { cellBits, derivedKeys, keyValue, valueText } from '../../query/view.ts';
import { Columns, wrapped } from '../text.ts';
import { fieldWords, isRegister, registerCell } from '../values.ts';

const INDENT = '  ';
/** Characters after which the fields of a register continue on the next line. */
const FIELDS_WIDTH = 80;

const plainCells = (type: ObjectType): CellSpec[] => type.cells.filter((c) => !c.hidden);

/** Everything at and below a node, as blocks of lines, each after a blank one: single objects with their fields, siblings as a table. */
export function* stateLines(state: State, node: PathNode): Generator<string> {
  if (state.present(node.object)) yield* detail(state, node);
  yield* below(state, node);
}

/** The objects below a node, siblings of one type together. */
function* below(state: State, node: PathNode): Generator<string> {
  const visible = sortedChildren(node).filter((child) => isVisible(state, child));
  const groups = new Map<ObjectType, PathNode[]>();
  for (const child of visible) {
    if (!state.present(child.object)) continue;
    const type = state.world.type(child.object)!;
    const group = groups.get(type);
    if (group) group.push(child);
    else groups.set(type, [child]);
  }
  for (const [type, members] of groups) {
    if (members.length === 1) yield* detail(state, members[0]!);
    else yield* table(state, node, type, members);
  }
  for (const child of visible) yield* below(state, child);
}

/** One object: a line for each key. */
function* detail(state: State, { object, path }: PathNode): Generator<string> {
  const type = state.world.type(object)!;
  yield '';
  yield shown(path);
  const keys = [...plainCells(type).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
  const keyWidth = Math.max(0, ...keys.map((k) => k.length));
  const registers = plainCells(type).filter((c) => c.kind === 'reg');
  const values = new Map(keys.map((key) => [key, valueText(keyValue(state, object, key))]));
  const valueWidth = Math.max(0, ...registers.map((c) => values.get(c.name)!.length));
  const indent = ' '.repeat(INDENT.length + keyWidth + 2 + valueWidth + 2);
  for (const key of keys) {
    const start = `${INDENT}${key.padEnd(keyWidth)}  `;
    const cell = registers.find((c) => c.name === key);
    if (!cell) {
      yield shown(`${start}${values.get(key)!}`);
      continue;
    }
    const words = fieldWords(cell, cellBits(state, object, cell, type));
    yield `${start}${values.get(key)!.padEnd(valueWidth)}  ${wrapped(words, FIELDS_WIDTH, indent)}`;
  }
}

/** Objects of one type: a line for each, a column for each key of which something is known. */
function* table(state: State, parent: PathNode, type: ObjectType, members: readonly PathNode[]): Generator<string> {
  const keys = [...plainCells(type).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
  const rows = members.map(({ object }) => keys.map((key) => cellText(state, object, key)));
  const known = keys.map((_, i) => rows.some((row) => row[i] !== '?'));
  const lines: string[] = [];
  const columns = new Columns((line) => lines.push(line));
  columns.row(INDENT, ...keys.filter((_, i) => known[i]));
  for (const [i, row] of rows.entries())
    columns.row(`${INDENT}${members[i]!.segment}`, ...row.filter((_, k) => known[k]));
  columns.end();
  yield '';
  yield shown(`${parent.path}/`);
  yield* lines;
  const unknown = keys.filter((_, i) => !known[i]);
  if (unknown.length > 0) yield `${INDENT}unknown in all of them: ${unknown.join(', ')}`;
}

function cellText(state: State, object: ObjectId, key: string): string {
  const value = keyValue(state, object, key);
  return isRegister(value) ? registerCell(value) : valueText(value);
}
