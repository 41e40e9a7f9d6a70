import { count, counted } from '../base/counted.ts';
import { STAGE_MEANINGS } from '../query/delivery/delivery.ts';
import type { Counted, FunnelStage } from '../query/delivery/funnel.ts';
import { deliveriesText, type FunnelOf } from '../query/delivery/funnel-text.ts';
import type { PathRow } from './path-rows.ts';

/** A funnel that is shown, or on its way. */
export interface ShownFunnel extends FunnelOf {
  /** What chose the events: the range that is marked on the timeline, the caller of the command, or neither: all events. */
  readonly chosenBy: 'range' | 'caller' | 'all';
  /** Share of the events that were looked at. */
  readonly share: number;
  /** Undefined while it is on its way. */
  readonly counted: Counted | undefined;
}

const EVIDENCE: Readonly<Record<FunnelStage['evidence'], string>> = {
  measured: 'Measured: records show it.',
  inferred: 'Inferred: no record names these deliveries here; what stands around tells it.',
  blind: 'Blind: no source of the trace records it.',
};

const ICONS: Readonly<Record<FunnelStage['evidence'], string>> = {
  measured: 'circle-filled',
  inferred: 'circle-outline',
  blind: 'eye-closed',
};

/** How many deliveries came to a stage and how they left it, in words; what no source records is not known, and not 0. */
function passage({ entered, left, merged, ended }: FunnelStage): string {
  if (entered === null) return 'not recorded';
  const parts = [`${count(entered)} in`, `${count(left ?? 0)} out`];
  if (merged) parts.push(`${count(merged)} merged`);
  if (ended) parts.push(`${count(ended)} ended here`);
  return parts.join(', ');
}

function stageRow(shown: FunnelStage, { funnel, ended }: Counted): PathRow {
  const { stage, evidence, merged } = shown;
  const first = funnel.first === stage;
  const opens = funnel.blind.find((one) => one.stage === stage)?.opens;
  const lost = ended.get(stage) ?? [];
  return {
    kind: 'stage',
    label: stage,
    description: evidence === 'blind' ? passage(shown) : `${passage(shown)}  ${evidence}`,
    tooltip: [
      `Stage ${stage}: ${STAGE_MEANINGS[stage]}.`,
      `${EVIDENCE[evidence]}${opens === undefined ? '' : ` It would be shown by ${opens}.`}`,
      ...(merged ? [`${counted(merged, 'delivery', 'deliveries')} merged with one that was still requested.`] : []),
      ...(first ? ['The first stage with more in than out.'] : []),
      ...(lost.length > 0 ? [`Click: go to step ${lost[0]}, the last event of the first one that ended here.`] : []),
    ],
    icon: first ? 'warning' : ICONS[evidence],
    ...(lost.length > 0 ? { step: lost[0]! } : {}),
  };
}

/** Which events a funnel counts, in words. */
export function windowText({ from, to, chosenBy }: ShownFunnel): string {
  if (chosenBy === 'all') return 'all events';
  const steps = `steps ${count(from)} to ${count(to)}`;
  return chosenBy === 'range' ? `${steps}, marked on the timeline` : steps;
}

/** The row of a funnel, with its stages below it. */
export function funnelRow(shown: ShownFunnel): PathRow {
  const { object, counted: result, share } = shown;
  const where = windowText(shown);
  const percent = Math.floor(share * 100);
  return {
    kind: 'funnel',
    label: 'Stage funnel',
    description: `${result ? deliveriesText(result.funnel) : `counting… ${percent} %`} (${where})  ${object}`,
    tooltip: [
      `How many deliveries through ${object} entered and left each stage: ${where}.`,
      result
        ? 'A range that is marked on the timeline (drag with Shift) chooses other events.'
        : 'Hide Delivery Path stops the counting.',
    ],
    icon: 'filter',
    object,
    below: result ? result.funnel.stages.map((stage) => stageRow(stage, result)) : [],
  };
}
