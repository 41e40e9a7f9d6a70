import { shown } from '../../base/visible.ts';
import { irq } from '../../model/things/irq.ts';
import { COUNTED } from '../../query/diff/snapshots.ts';
import type { StateRow } from '../../query/diff/states.ts';
import { valueText } from '../../query/view.ts';
import type { Trace } from '../../trace/trace.ts';
import { nameOf } from '../read.ts';
import { Columns } from '../text.ts';

/** What differs between two snapshots, as text: what was counted, what stopped, what fell, and the rest. */
export function snapshotLines(a: Trace, b: Trace, rows: readonly StateRow[]): string[] {
  const lines = [`A  ${shown(nameOf(a.first.file))}`, `B  ${shown(nameOf(b.first.file))}`];
  if (rows.length === 0) return [...lines, '', 'no differences'];
  const name = (path: string): string => {
    const object = a.world.objectAt(path);
    return a.world.type(object) === irq ? a.head.text(object, irq.at.name) : '';
  };
  const list = (title: string, part: readonly StateRow[], cells: (row: StateRow) => readonly string[]): void => {
    if (part.length === 0) return;
    lines.push('', title);
    const columns = new Columns((line) => lines.push(shown(line)));
    for (const row of part) columns.row(`  ${row.object}`, ...cells(row));
    columns.end();
  };
  const counts = rows.filter((row) => row.field === 'handled');
  const more = ({ a: x, b: y }: StateRow): number => Number(y) - Number(x);
  const both = ({ a: x, b: y }: StateRow): string => `${valueText(x)} -> ${valueText(y)}`;
  list(
    'counted between A and B',
    counts.filter((row) => more(row) > 0),
    (row) => [name(row.object), `+${more(row)}`, both(row)],
  );
  list(
    'handled before A, and not since',
    rows.filter((row) => row.field === COUNTED),
    ({ object }) => [name(object)],
  );
  list(
    'counts that fell: set up again, or another machine',
    counts.filter((row) => more(row) <= 0),
    (row) => [name(row.object), both(row)],
  );
  list(
    'other differences',
    rows.filter((row) => row.field !== 'handled' && row.field !== COUNTED),
    (row) => [
      row.kind === 'changed' ? `${row.field}  ${both(row)}` : row.kind === 'only-a' ? 'only in A' : 'only in B',
    ],
  );
  return lines;
}
