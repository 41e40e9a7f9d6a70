import type { Trace } from '../../trace/trace.ts';
import type { LayerSpec } from '../presentation/layer.ts';
import type { List } from './list.ts';

/** A property of a lane, as it is drawn: the steps after which it has another value. */
export interface DrawnLayer {
  readonly spec: LayerSpec;
  readonly steps: List<Uint32Array>;
  readonly values: List<Uint8Array>;
}

/** A lane, as it is drawn and searched. In a comparison places of the common axis stand for steps. */
export interface DrawnLane {
  /** Of its events, ascending. */
  readonly steps: List<Uint32Array>;
  /** The mark of each of its events. */
  readonly marks: List<Uint8Array>;
  readonly layers: readonly DrawnLayer[];
  readonly children: readonly DrawnLane[];
  /** The lane that gets all of its events too. */
  readonly owner: DrawnLane | undefined;
}

/** Lanes by their numbers. */
export interface LaneSource {
  readonly trace: Trace;
  laneAt(id: number): DrawnLane | undefined;
}
