import { count, counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import type { Funnel } from './funnel.ts';

/** What a funnel counts: deliveries through an object that begin between two steps, both included. */
export interface FunnelOf {
  readonly object: string;
  readonly from: Step;
  readonly to: Step;
}

const cell = (value: number | null): string => (value === null ? '?' : String(value));

/** How many deliveries there were, in one phrase. */
export const deliveriesText = ({ deliveries, delivered, lost, unknown }: Funnel): string =>
  `${counted(deliveries, 'delivery', 'deliveries')}, ${count(delivered)} delivered, ${count(lost)} lost, ${count(unknown)} not known`;

/** The line above the table of a funnel. */
export const funnelHead = ({ object, from, to }: FunnelOf, funnel: Funnel): string =>
  `${object}, steps ${from} to ${to}: ${deliveriesText(funnel)}`;

/** The table of a funnel: a row for each stage below one of headings. Numbers that no source records are `?`. */
export function funnelTable({ stages }: Funnel): string[][] {
  const rows = stages.map(({ stage, entered, left, merged, ended, evidence }) => [
    ...[stage, cell(entered), cell(left), cell(merged), cell(ended), evidence],
  ]);
  return [['stage', 'entered', 'left', 'merged', 'ended here', 'evidence'], ...rows];
}

/** The lines below the table: where interrupts end first, and which stages no source records. */
export function funnelTail({ first, blind }: Funnel): string[] {
  return [
    ...(first === null ? [] : [`first stage with more in than out: ${first}`]),
    ...blind.map(({ stage, opens }) => `blind: ${stage} is not recorded; it would be shown by ${opens}`),
  ];
}

/** A funnel as lines of text, as `irqscope path --funnel` prints it. */
export function funnelText(of: FunnelOf, funnel: Funnel): string[] {
  const table = funnelTable(funnel);
  const widths = table[0]!.map((_, i) => table.reduce((most, row) => Math.max(most, row[i]!.length), 0));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (i === 0 || i === row.length - 1 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [funnelHead(of, funnel), ...table.map(line), ...funnelTail(funnel)];
}
