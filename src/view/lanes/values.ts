// The numbers and types of a timeline, which the index, the messages and the drawing share.

/**
 * What runs along the horizontal axis: time as the trace stamps it; steps, each event as wide as any other; or the places of two
 * traces that are compared, with events that stand for each other at the same place.
 */
export const AXES = ['time', 'step', 'order'] as const;
export type AxisKind = (typeof AXES)[number];

/** Values of a layer: its object does not exist, or the property is off, on, or unknown. */
export const ABSENT = 0;
export const OFF = 1;
export const ON = 2;
export const UNKNOWN = 3;

/** How a layer is drawn: `mask` and `stale` on is a bad sign for delivery, `run` is time spent, `hold` is a state held. */
export type LayerStyle = 'mask' | 'pending' | 'run' | 'hold' | 'stale';

/** A lane as a row of a window: alone, or together with everything below it (a collapsed group). */
export interface LaneRow {
  readonly lane: number;
  readonly deep: boolean;
}

/** A part of a timeline: `bins` pixels from `from` on, each `size` wide (in units of the axis). */
export interface WindowRequest {
  readonly axis: AxisKind;
  readonly from: number;
  readonly size: number;
  readonly bins: number;
  readonly rows: readonly LaneRow[];
}

/** Value of a run within one bin in which the layer changed more than once; its `fill` tells how much of it was on. */
export const MIXED = 4;

/**
 * What to draw for a window. Marks of row r are those from `rowMarks[r]` to `rowMarks[r + 1]`: all events of a lane in
 * one bin are one mark. Layers of row r are those from `rowLayers[r]` to `rowLayers[r + 1]`, in the order of the lane's
 * layers; runs of layer l are those from `layerRuns[l]` to `layerRuns[l + 1]`, each up to the next one or the end.
 */
export interface WindowView {
  readonly rowMarks: Uint32Array;
  /** Place of the first event of a mark, in bins from the start of the window. */
  readonly at: Float32Array;
  readonly count: Uint32Array;
  /** Step of the first event. */
  readonly step: Uint32Array;
  /** Bit n is set when an event has mark n. */
  readonly shapes: Uint16Array;
  /**
   * While events are looked for: how many events of a mark fit or were not asked about yet, and their marks. Without a search both columns are empty.
   */
  readonly hits: Uint32Array;
  readonly hitShapes: Uint16Array;
  readonly rowLayers: Uint32Array;
  readonly layerRuns: Uint32Array;
  readonly runAt: Float32Array;
  readonly runValue: Uint8Array;
  /** Share of a mixed run in which the layer was on, 0 to 255. */
  readonly runFill: Uint8Array;
  /** Differences of row r are those from `rowDiffs[r]` to `rowDiffs[r + 1]`: all of a lane in one bin are one. Without a comparison there are none. */
  readonly rowDiffs: Uint32Array;
  /** Place of the first difference, in bins from the start of the window. */
  readonly diffAt: Float32Array;
  /** Bits of `DIFFERENCE`. */
  readonly diffKinds: Uint8Array;
}

/** How an event differs from the other trace of a comparison, as bits. */
export const DIFFERENCE = {
  /** The event tells something else in the other trace. */
  changed: 1,
  /** Only this trace has the event. */
  here: 2,
  /** Only the other trace has an event here. */
  missing: 4,
} as const;

export type DifferenceName = keyof typeof DIFFERENCE;

/** Where a lane differs from its twin in the other trace: places on the axis, ascending, with bits of `DIFFERENCE`. */
export interface LaneDifferences {
  readonly places: Uint32Array;
  readonly kinds: Uint8Array;
}

/** The events of a trace that are looked for: those below `done` were asked about. */
export interface Wanted {
  readonly done: number;
  readonly hits: { has(step: number): boolean };
}

/** Most bins that a window may have. */
export const MOST_BINS = 20_000;
