import { counted } from '../../base/counted.ts';
import { withoutSystem } from '../../model/namespace.ts';
import { vfioIndexes } from '../../model/vfio-index.ts';
import type { Interrupt } from '../../query/interrupts/list.ts';
import type { InterruptRow } from '../../query/interrupts/row.ts';
import { Columns } from '../text.ts';

/** A column of the table: its head, and what a row has there; the empty text for nothing. */
interface Column {
  readonly head: string;
  readonly cell: (row: InterruptRow) => string;
  readonly right?: boolean;
  /** Shown also where no row has anything. */
  readonly always?: boolean;
}

const count = (value: number | null): string => (value === null ? '?' : String(value));

/** A path without its first segment: the column says what it is. The system stays. */
const rest = (path: string | null): string => {
  if (path === null) return '';
  const own = withoutSystem(path);
  return `${path.slice(0, path.length - own.length)}${own.slice(own.indexOf('/') + 1)}`;
};

/** `vfio/0000:00:03.0/2/0` as `0000:00:03.0 msix 0`. */
function vfioText(path: string | null): string {
  const [device, index, vector] = rest(path).split('/');
  if (index === undefined) return '';
  return `${device} ${vfioIndexes[Number(index)]?.name ?? index} ${vector}`;
}

/** `cpu/2/vector/38` as `2/38`. */
const vectorText = (path: string | null): string => rest(path).replace(/\/(?:vector|intid)\//, '/');

const lastText = ({ last }: InterruptRow): string => (last === null ? '' : (last.time ?? `step ${last.step}`));

const columns: readonly Column[] = [
  { head: 'status', cell: (row) => row.status, always: true },
  { head: 'entry', cell: (row) => rest(row.entry).replaceAll('/', ' '), always: true },
  { head: 'guest entry', cell: (row) => rest(row.guestEntry).replaceAll('/', ' ') },
  { head: 'irq', cell: (row) => rest(row.irq), right: true, always: true },
  { head: 'irte', cell: (row) => rest(row.irte) },
  { head: 'cpu/vector', cell: (row) => vectorText(row.vector) || rest(row.cpu), always: true },
  { head: 'vfio', cell: (row) => vfioText(row.vfio) },
  { head: 'gsi', cell: (row) => rest(row.gsi).split('/').at(-1)!, right: true },
  { head: 'vcpu', cell: (row) => rest(row.vcpu), right: true },
  { head: 'guest irq', cell: (row) => rest(row.guestIrq).replace(/^(\d+)\/irq\//, 'vm $1 irq ') },
  { head: 'raised', cell: (row) => count(row.raises), right: true, always: true },
  { head: 'sent', cell: (row) => count(row.sends), right: true, always: true },
  { head: 'handled', cell: (row) => count(row.handled), right: true, always: true },
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
