import { count } from '../base/counted.ts';
import type { Step } from '../base/ids.ts';
import { secondsText } from '../base/time.ts';
import { STAGE_MEANINGS } from '../query/delivery/delivery.ts';
import { insteadText } from '../query/delivery/near.ts';
import { orderText, outcomeText, type PathHop, type PathView } from '../query/delivery/path.ts';

/** A row of the view *Delivery Path*. `funnel` holds the rows of its stages. */
export interface PathRow {
  readonly kind: 'near' | 'history' | 'outcome' | 'hop' | 'blind' | 'funnel' | 'stage';
  readonly label: string;
  readonly description: string;
  /** Sentences of the tooltip. */
  readonly tooltip: readonly string[];
  /** Name of an icon of the editor. */
  readonly icon: string;
  /** The step that the row leads to. */
  readonly step?: Step;
  readonly object?: string;
  readonly below?: readonly PathRow[];
}

const ICONS = { true: 'pass', false: 'error', null: 'question' } as const;

const gap = ({ latency }: PathHop): string => (latency === null ? '' : `+${secondsText(latency)}`);

function hopRow(hop: PathHop): PathRow {
  const { stage, object, detail, step, time, seen, unordered } = hop;
  return {
    kind: 'hop',
    label: stage,
    description: [gap(hop), object, seen ? '' : '(inferred)'].filter((text) => text !== '').join('  '),
    tooltip: [
      `${detail}.`,
      `Stage ${stage}: ${STAGE_MEANINGS[stage]}.`,
      `Step ${step}${time === null ? '' : `, ${time}`}.`,
      ...(seen ? [] : ['Inferred: no record names this delivery here.']),
      ...(unordered === undefined ? [] : [`Order ${orderText(unordered)}: the clocks differ by more than the times.`]),
    ],
    icon: seen ? 'circle-filled' : 'circle-outline',
    step,
    object,
  };
}

/** Says that the event which was asked about is no hop, which delivery is shown instead, and offers what happened to its object. */
function nearRows({ near }: PathView): PathRow[] {
  if (near === undefined) return [];
  const { step, event, object } = near;
  const history: PathRow = {
    kind: 'history',
    label: 'Show History',
    description: object,
    tooltip: [`All that was written to ${object}.`],
    icon: 'history',
    object,
  };
  return [
    {
      kind: 'near',
      label: `step ${count(step)} is no hop`,
      description: insteadText(near),
      tooltip: [`Step ${step} (${event}) is part of no delivery.`, `${capital(insteadText(near))}.`],
      icon: 'info',
      step,
      object,
      below: [history],
    },
  ];
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The rows of a path: how it ends, its hops, and the stages that no record shows. */
export function pathRows(path: PathView): PathRow[] {
  const last = path.hops.at(-1);
  const outcome: PathRow = {
    kind: 'outcome',
    label: path.delivered === null ? 'not known to be delivered' : path.delivered ? 'delivered' : 'not delivered',
    description: path.reason ?? '',
    tooltip: [`${outcomeText(path)}.`],
    icon: ICONS[String(path.delivered) as keyof typeof ICONS],
    ...(last === undefined ? {} : { step: last.step }),
  };
  const blind = path.blind.map(
    ({ stage, opens }): PathRow => ({
      kind: 'blind',
      label: stage,
      description: 'not recorded',
      tooltip: [
        `Stage ${stage}: ${STAGE_MEANINGS[stage]}.`,
        `No source of the trace records it. It would be shown by ${opens}.`,
      ],
      icon: 'eye-closed',
    }),
  );
  return [...nearRows(path), outcome, ...path.hops.map(hopRow), ...blind];
}

/** What a path is about: the object of its first hop. */
export const pathTitle = (path: PathView): string => path.hops[0]?.object ?? '';
