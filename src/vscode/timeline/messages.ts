import type { ObjectId, Step } from '../../base/ids.ts';
import { timeText } from '../../base/time.ts';
import type { Severity } from '../../check/rule.ts';
import {
  type CursorMessage,
  type Description,
  type DifferencesMessage,
  type FindingsMessage,
  type FoundMessage,
  type LaneMessage,
  type LanesMessage,
  type LayerMessage,
  MOST_DIFFERENCES,
  MOST_FINDINGS,
  MOST_FOUND,
  MOST_HOPS,
  type PathMessage,
  type TableReply,
  type TraceMessage,
} from '../../protocol/timeline.ts';
import type { Place } from '../../query/diff/places.ts';
import { eventText, timeOf } from '../../query/events.ts';
import type { Session } from '../../session/session.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Axis } from '../../view/lanes/axis.ts';
import type { LaneSource } from '../../view/lanes/drawn.ts';
import { eventsBetween, layersAt } from '../../view/lanes/find.ts';
import type { LaneIndex } from '../../view/lanes/lanes.ts';
import type { LaneRow } from '../../view/lanes/values.ts';
import type { LayerSpec } from '../../view/presentation/layer.ts';

/** What the timeline needs of an open trace. */
export interface ShownTrace {
  readonly id: number;
  readonly label: string;
  readonly session: Session;
  readonly load: 'loading' | 'ready' | 'stopped' | 'failed';
  readonly progress: number | undefined;
  readonly error: string | undefined;
}

/** What the timeline needs of a finding. */
export interface ShownFinding {
  readonly rule: { readonly id: string };
  readonly severity: Severity;
  readonly title: string;
  readonly step: Step;
  readonly object: ObjectId;
}

/** A trace that the timeline shows, with its lanes. */
export interface Scene {
  readonly shown: ShownTrace;
  readonly index: LaneIndex;
}

const TOOLTIP_EVENTS = 8;
/** Most rows of the table beside the picture. */
export const TABLE_ROWS = 200;
/** Longest text of an event or a finding that is sent. */
const LONGEST_TEXT = 400;

/** What the timeline shows while no trace is open. */
export const NOTHING: TraceMessage = {
  id: 0,
  status: 'none',
  name: '',
  problem: '',
  sources: 0,
  events: 0,
  indexed: 0,
  progress: -1,
  axis: 'step',
  time: { base: '0', ticks: false, digits: 6 },
  extents: { time: [0, 0], step: [0, 0], order: [0, 0] },
  sides: [],
};

export const clip = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);

/** Where an event is drawn. It must be sorted into lanes already. */
const placeOf = (index: LaneIndex, step: Step): { step: number; time: number; lane: number } => ({
  ...{ step, time: index.axis('time').x(step), lane: index.laneOf(step)?.id ?? -1 },
});

/** Those of some events that are sorted into lanes. */
const sorted = <T extends { readonly step: Step }>(index: LaneIndex, events: readonly T[]): T[] =>
  events.filter(({ step }) => step < index.axis('time').length);

export function traceMessage({ shown, index }: Scene): TraceMessage {
  const { trace } = shown.session;
  const { base, ticks, digits } = trace.time;
  const last = index.done - 1;
  const time = index.axis('time');
  const extent = (x: (step: Step) => number): [number, number] => (last < 0 ? [0, 0] : [x(0), x(last)]);
  return {
    id: shown.id,
    status: shown.load === 'loading' ? 'loading' : shown.load === 'failed' ? 'error' : 'ready',
    name: shown.label,
    problem:
      shown.error ??
      trace.sources.find(({ problem }) => problem !== undefined)?.problem ??
      (shown.load === 'stopped' ? 'reading was stopped' : ''),
    sources: trace.sources.length,
    events: trace.length,
    indexed: index.done,
    progress: shown.progress ?? -1,
    axis: index.natural,
    time: { base: base.toString(), ticks, digits },
    extents: { time: extent((step) => time.x(step)), step: [0, Math.max(0, last)], order: [0, 0] },
    sides: [],
  };
}

export function lanesMessage({ shown, index }: Scene): LanesMessage {
  const lanes = index.tree.list(shown.session.trace.head);
  return messageOf(
    shown.id,
    lanes.map((lane) => ({ ...lane, side: '', twin: -1 })),
  );
}

/** A lane with its layers as they are described. */
type DescribedLane = Omit<LaneMessage, 'layers'> & { readonly layers: readonly LayerSpec[] };

/** The message about lanes: layers that many of them have are told once. */
export function messageOf(id: number, described: readonly DescribedLane[]): LanesMessage {
  const specs: LayerSpec[] = [];
  const numberOf = (spec: LayerSpec): number => {
    const known = specs.indexOf(spec);
    return known >= 0 ? known : specs.push(spec) - 1;
  };
  const lanes = described.map(({ layers, ...lane }): LaneMessage => ({ ...lane, layers: layers.map(numberOf) }));
  const layers = specs.map(({ name, on, off, style, place }): LayerMessage => ({ name, on, off, style, place }));
  return { trace: id, layers, lanes };
}

export function cursorMessage({ shown, index }: Scene): CursorMessage {
  const { cursor, trace, selection } = shown.session;
  const axis = index.axis('time');
  // While the trace is still being sorted, the cursor may be after the last sorted event.
  const stamp = cursor < 0 ? Number.NaN : cursor < axis.length ? axis.x(cursor) : trace.table.time(cursor);
  return {
    trace: shown.id,
    step: cursor,
    time: Number.isNaN(stamp) ? (axis.length > 0 ? axis.x(0) : 0) : stamp,
    lane: index.laneOf(cursor)?.id ?? -1,
    label: cursor < 0 ? 'before the first event' : (timeOf(trace, cursor) ?? `step ${cursor}`),
    text: cursor < 0 ? '' : clip(eventText(trace, cursor)),
    selection: selection ?? '',
    side: '',
    other: [],
  };
}

export function pathMessage({ shown, index }: Scene): PathMessage {
  const hops = sorted(index, shown.session.path?.hops ?? [])
    .slice(0, MOST_HOPS)
    .map(({ step, seen }) => ({ ...placeOf(index, step), seen }));
  return { trace: shown.id, hops };
}

type Places = FindingsMessage['places'];

/** Findings of a trace as they are drawn. `place`: where an event is drawn; `side`: the trace of a comparison. */
export function findingPlaces(
  { session: { trace } }: ShownTrace,
  findings: readonly ShownFinding[],
  place: (step: Step) => Pick<Places[number], 'step' | 'time' | 'lane'>,
  side: Places[number]['side'] = '',
): Places {
  return findings.map(({ step, severity, rule, title, object }) => ({
    ...{ ...place(step), severity, rule: rule.id, title: clip(title), object: trace.world.path(object) },
    ...{ label: timeOf(trace, step) ?? '', side },
  }));
}

export function findingsMessage({ shown, index }: Scene, findings: readonly ShownFinding[]): FindingsMessage {
  const drawn = sorted(index, findings).slice(0, MOST_FINDINGS);
  return { trace: shown.id, places: findingPlaces(shown, drawn, (step) => placeOf(index, step)) };
}

/** The finding that the page names. */
export function findingOf(
  { session: { trace } }: ShownTrace,
  findings: readonly ShownFinding[],
  { rule, step, object }: { readonly rule: string; readonly step: Step; readonly object: string },
): ShownFinding | undefined {
  return findings.find((one) => one.rule.id === rule && one.step === step && trace.world.path(one.object) === object);
}

export function differencesMessage({ shown, index }: Scene, places: readonly Place[]): DifferencesMessage {
  const time = index.axis('time');
  return {
    trace: shown.id,
    places: sorted(index, places)
      .slice(0, MOST_DIFFERENCES)
      .map(({ step, kind, path }) => ({
        ...{ step, kind, time: time.x(step), lane: index.tree.find(path)?.id ?? -1 },
      })),
  };
}

/** The events that a search found, those nearest to the cursor. */
export function foundMessage({ shown, index }: Scene): FoundMessage {
  const { search, cursor } = shown.session;
  const places = sorted(
    index,
    (search?.hits.nearest(cursor, MOST_FOUND) ?? []).map((step) => ({ step })),
  ).map(({ step }) => placeOf(index, step));
  return { trace: shown.id, places };
}

/** The steps of events that a source of lanes names by their places, and what a comparison says of an event. */
export interface Reading {
  readonly stepAt: (place: number) => Step;
  readonly remark: (step: Step) => string;
}

const PLAIN: Reading = { stepAt: (step) => step, remark: () => '' };

/** What a row holds between two places, for a tooltip. */
export function describe(
  index: LaneSource,
  row: LaneRow,
  axis: Axis,
  from: number,
  to: number,
  { stepAt, remark }: Reading = PLAIN,
): Description {
  const { trace } = index;
  const placeText = (step: Step): string => timeOf(trace, step) ?? `step ${step}`;
  const { steps, count } = eventsBetween(index, row, axis, from, to, TOOLTIP_EVENTS);
  const layers = layersAt(index, row.lane, axis, (from + to) / 2).map((layer) => {
    const lasts = layer.duration === undefined ? '' : `, ${layer.duration}`;
    return `${layer.name}: ${layer.value} since ${placeText(stepAt(layer.from))}${lasts}`;
  });
  const textOf = (step: Step): string =>
    [eventText(trace, step), remark(step)].filter((text) => text !== '').join(' · ');
  return {
    layers,
    events: steps.map(stepAt).map((step) => ({ time: placeText(step), text: clip(textOf(step)) })),
    count,
  };
}

/** An event as a row of the table beside the picture. */
export const tableRow = (trace: Trace, step: Step, other = ''): TableReply['rows'][number] => ({
  step,
  time: timeText(trace.table.time(step), trace.time) ?? '',
  text: clip(eventText(trace, step)),
  other,
});

/** The events of a row between two places, for the table beside the picture. */
export function tableOf(index: LaneIndex, row: LaneRow, axis: Axis, from: number, to: number): TableReply {
  const { steps, count } = eventsBetween(index, row, axis, from, to, TABLE_ROWS);
  return { rows: steps.map((step) => tableRow(index.trace, step)), count };
}
