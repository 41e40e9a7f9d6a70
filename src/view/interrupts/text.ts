import { count } from '../../base/counted.ts';
import type { Interrupt } from '../../query/interrupts/list.ts';
import type { InterruptRow, Status } from '../../query/interrupts/row.ts';
import { narrowName } from '../narrow.ts';
import { code, plain } from '../outline/explain.ts';
import { countText, entryText, gsiText, guestIrqText, shortPath, vfioText } from './words.ts';

/** How a row looks: its texts, and the name and colour of its icon. */
export interface InterruptText {
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  /** Colour of the icon; undefined for the usual one. */
  readonly color: string | undefined;
  /** What a screen reader says. */
  readonly spoken: string;
}

const ERROR = 'list.errorForeground';
const WARNING = 'list.warningForeground';

const ICONS: Readonly<Record<Status, readonly [icon: string, color?: string]>> = {
  lost: ['error', ERROR],
  pending: ['bell-dot', WARNING],
  masked: ['mute'],
  'in-flight': ['arrow-right'],
  'in-service': ['play'],
  idle: ['circle-outline'],
  unknown: ['question'],
};

/** Where it goes: `cpu 2 vector 38`, `vcpu 1 INTID 8194`. */
function placeText({ vector, cpu }: InterruptRow): string {
  if (vector !== null)
    return vector
      .replace('/vector/', ' vector ')
      .replace('/intid/', ' INTID ')
      .replace('/imsic/', ' identity ')
      .replace(/^gic\/\d+\/spi\//, 'SPI ')
      .replace('/', ' ');
  return cpu === null ? '' : cpu.replace('/', ' ');
}

/** The counts that the trace shows: `285 raised, 283 sent, 245 handled`. */
function countsText({ raises, sends, handled }: InterruptRow): string {
  const counts: readonly (readonly [number | null, string])[] = [
    [raises, 'raised'],
    [sends, 'sent'],
    [handled, 'handled'],
  ];
  return counts.flatMap(([n, what]) => (n === null ? [] : [`${count(n)} ${what}`])).join(', ');
}

/** What an engineer calls it, short: the action, else the entry, the irq, the vector of VFIO, the GSI. `domain`: what all functions share. */
function labelOf(row: InterruptRow, domain: string): string {
  const { action, entry, irq, vfio, gsi, guestIrq } = row;
  if (action !== null) return action;
  if (entry !== null) return narrowName(entry, domain);
  if (irq !== null) return `irq ${shortPath(irq)}`;
  if (vfio !== null) return narrowName(vfio, domain);
  if (guestIrq !== null) return guestIrqText(guestIrq);
  return gsi === null ? '' : `GSI ${gsiText(gsi)}`;
}

/** The whole name of what a short label stands for. */
function wholeText({ entry, irq, vfio }: InterruptRow): string {
  if (entry !== null) return entryText(entry);
  return irq !== null || vfio === null ? '' : `VFIO ${vfioText(vfio)}`;
}

/** The texts of the row of an interrupt. `domain`: the PCI domain that all functions of the trace share. */
export function interruptText({ row, waiting, suppressed }: Interrupt, domain: string): InterruptText {
  const label = labelOf(row, domain);
  const [icon, color] = ICONS[row.status];
  // In a narrow view the end is cut off: what is wrong, or going on, stands first.
  const calm = row.status === 'idle' || row.status === 'unknown';
  const parts = [
    calm ? '' : row.status,
    suppressed ? 'suppressed' : '',
    row.findings.join(' '),
    row.action === null ? '' : entryText(row.entry),
    row.irq === null || label === `irq ${shortPath(row.irq)}` ? '' : `irq ${shortPath(row.irq)}`,
    placeText(row),
    row.guestIrq === null ? '' : `guest ${guestIrqText(row.guestIrq)}`,
    countsText(row),
    calm ? row.status : '',
    row.action === null ? wholeText(row) : '',
  ].filter((part) => part !== '');
  return {
    label,
    description: parts.join(' · '),
    icon,
    color: (suppressed ? undefined : color) ?? (waiting || row.findings.length > 0 ? WARNING : undefined),
    spoken: [label, row.status, ...parts.filter((part) => part !== row.status)].join(', '),
  };
}

/** The whole join of a row, as Markdown. */
export function interruptMarkdown({ row, suppressed }: Interrupt): string {
  const parts: readonly (readonly [string, string | null])[] = [
    ['entry', row.entry],
    ['entry of the guest', row.guestEntry],
    ['irq', row.irq],
    ['domain', row.domain],
    ['translation', row.irte],
    ['CPU', row.cpu],
    ['vector', row.vector],
    ['VFIO', row.vfio],
    ['GSI', row.gsi],
    ['virtual CPU', row.vcpu],
    ['irq of the guest', row.guestIrq],
  ];
  const { raises, sends, handled, last } = row;
  const time = last === null ? '' : `step ${last.step}${last.time === null ? '' : `, time ${last.time}`}`;
  return [
    `**${plain(labelOf(row, ''))}** ${plain(row.status)}`,
    parts.flatMap(([what, path]) => (path === null ? [] : [`- ${what}: ${code(path)}`])).join('\n'),
    `raised ${countText(raises)}, sent ${countText(sends)}, handled ${countText(handled)}`,
    last === null ? '' : `last event: ${plain(time)}`,
    suppressed
      ? 'The finding that says so is suppressed in this folder: that hides the finding, not what happened\\.'
      : '',
    row.findings.length === 0 ? '' : `findings: ${plain(row.findings.join(' '))}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
