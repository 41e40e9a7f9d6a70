import { counted } from '../../base/counted.ts';
import type { Interrupt } from '../../query/interrupts/list.ts';
import type { InterruptRow } from '../../query/interrupts/row.ts';
import {
  countText,
  entryText,
  gsiText,
  guestIrqText,
  shortPath,
  vectorText,
  vfioText,
} from '../../view/interrupts/words.ts';
import { Columns } from '../text.ts';

/** A column of the table: its head, and what a row has there; the empty text for nothing. */
interface Column {
  readonly head: string;
  readonly cell: (row: InterruptRow) => string;
  readonly right?: boolean;
  /** Shown also where no row has anything. */
  readonly always?: boolean;
}

const lastText = ({ last }: InterruptRow): string => (last === null ? '' : (last.time ?? `step ${last.step}`));

const columns: readonly Column[] = [
  { head: 'status', cell: (row) => row.status, always: true },
  { head: 'entry', cell: (row) => entryText(row.entry), always: true },
  { head: 'guest entry', cell: (row) => entryText(row.guestEntry) },
  { head: 'irq', cell: (row) => shortPath(row.irq), right: true, always: true },
  { head: 'irte', cell: (row) => shortPath(row.irte) },
  { head: 'cpu/vector', cell: (row) => vectorText(row.vector) || shortPath(row.cpu), always: true },
  { head: 'vfio', cell: (row) => vfioText(row.vfio) },
  { head: 'gsi', cell: (row) => gsiText(row.gsi), right: true },
  { head: 'vcpu', cell: (row) => shortPath(row.vcpu), right: true },
  { head: 'guest irq', cell: (row) => guestIrqText(row.guestIrq) },
  { head: 'raised', cell: (row) => countText(row.raises), right: true, always: true },
  { head: 'sent', cell: (row) => countText(row.sends), right: true, always: true },
  { head: 'handled', cell: (row) => countText(row.handled), right: true, always: true },
  { head: 'last event', cell: lastText, always: true },
  { head: 'findings', cell: (row) => row.findings.join(' ') },
  { head: 'action', cell: (row) => row.action ?? '' },
];

/** The interrupts as a table, those that were never used as one line at its end. Columns in which no row has anything are left out. */
export function interruptLines(all: readonly Interrupt[]): string[] {
  const used = all.filter(({ neverUsed }) => !neverUsed).map(({ row }) => row);
  const never = all.length - used.length;
  const lines: string[] = [];
  const shownColumns = columns.filter(({ cell, always }) => always === true || used.some((row) => cell(row) !== ''));
  const right = shownColumns.flatMap(({ right: atRight }, i) => (atRight === true ? [i] : []));
  const table = new Columns((line) => lines.push(line), right);
  if (used.length > 0) table.row(...shownColumns.map(({ head }) => head));
  for (const row of used) table.row(...shownColumns.map(({ cell }) => cell(row) || '-'));
  table.end();
  if (never > 0) lines.push(used.length > 0 ? `${never} never used` : `${counted(never, 'interrupt')}, never used`);
  if (all.length === 0) lines.push('no interrupts');
  return lines;
}
