import { counted } from '../../base/counted.ts';
import type { StateRow } from '../../query/diff/states.ts';
import { valueText } from '../../query/view.ts';
import { type ComparisonRow, comparisonRow, ICONS } from './rows.ts';

/** The topmost rows of a comparison of two states: each object that differs, with its keys below. */
export function stateRows(rows: readonly StateRow[]): ComparisonRow[] {
  if (rows.length === 0) return [comparisonRow({ id: 'same', kind: 'same', label: 'No differences', icon: 'pass' })];
  const objects = new Map<string, StateRow[]>();
  for (const row of rows) {
    const list = objects.get(row.object);
    if (list) list.push(row);
    else objects.set(row.object, [row]);
  }
  return [...objects].map(([object, list]) => objectRow(object, list));
}

/** The row of an object, or of the nearest object above it that differs. */
export function rowOfObject(rows: readonly ComparisonRow[], path: string): ComparisonRow | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const row = rows.find(({ id }) => id === objectId(path.slice(0, end)));
    if (row) return row;
  }
  return undefined;
}

const objectId = (path: string): string => `object ${path}`;

/** One line that sums a comparison of states up. */
export function stateSummary(rows: readonly StateRow[], stepA: number, stepB: number): string {
  const objects = new Set(rows.map(({ object }) => object)).size;
  return `state after step ${stepA} in A and ${stepB} in B: ${counted(objects, 'object differs', 'objects differ')}`;
}

function objectRow(object: string, rows: readonly StateRow[]): ComparisonRow {
  const [first] = rows;
  const whole = first!.field === null;
  const steps = { stepA: first!.at.a, stepB: first!.at.b };
  return comparisonRow(
    {
      id: objectId(object),
      kind: 'subject',
      label: object,
      description: whole ? (first!.kind === 'only-a' ? 'only in A' : 'only in B') : counted(rows.length, 'difference'),
      icon: ICONS[first!.kind],
      open: rows.length <= 4,
      ...steps,
    },
    (parent) =>
      whole
        ? []
        : rows.map((row) =>
            comparisonRow({
              id: `${parent.id} ${row.field}`,
              kind: 'difference',
              label: row.field!,
              description: `${valueText(row.a)} → ${valueText(row.b)}`,
              icon: ICONS.changed,
              parent,
              ...steps,
            }),
          ),
  );
}
