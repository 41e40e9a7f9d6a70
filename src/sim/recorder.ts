import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import type { EventRow } from '../trace/row.ts';
import type { Trace } from '../trace/trace.ts';

/** Where the events of a machine go. A recorder also folds the events: `state` is the state after the last one. */
export interface Recorder {
  readonly world: World;
  readonly state: State;
  /** Events so far. */
  readonly length: number;
  /** Takes an event, its time in nanoseconds; sets its line. The row is reused afterwards. */
  record(row: EventRow): void;
}

/** Header lines of the text of a trace that was not read from a file: its first event is on the line after them. */
export const HEAD_LINES = 2;

/** Records into a trace, which can be looked at while it grows. Its events have the lines that they would have in a trace file. */
export class TraceRecorder implements Recorder {
  readonly trace: Trace;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  get world(): World {
    return this.trace.world;
  }

  get state(): State {
    return this.trace.head;
  }

  get length(): number {
    return this.trace.length;
  }

  record(row: EventRow): void {
    const { trace } = this;
    const meta = trace.first;
    const { accounting } = meta;
    if (accounting.lines === 0) {
      accounting.lines = HEAD_LINES;
      accounting.others.set('header', HEAD_LINES);
    }
    row.line = ++accounting.lines;
    row.offset = 0;
    trace.append(row);
    const { time } = row;
    if (Number.isNaN(meta.start)) meta.start = time;
    if (!Number.isNaN(time)) meta.end = time;
    accounting.records++;
    accounting.understood++;
  }
}
