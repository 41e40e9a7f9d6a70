import type { EventKind } from '../model/event.ts';
import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import type { Trace } from '../trace/trace.ts';

/** Where the events of a machine go. Whoever records also folds: `state` is the state after the last event. */
export interface Recorder {
  readonly world: World;
  readonly state: State;
  /** Events so far. */
  readonly length: number;
  /** Takes an event; `words` holds its arguments in the layout of its kind and is reused afterwards. `time` in ns. */
  record(kind: EventKind, time: number, cpu: number, object: number, task: number, words: Uint32Array): void;
}

/** Header lines of the text of a trace that was not read from a file: its first event stands on the line behind them. */
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

  record(kind: EventKind, time: number, cpu: number, object: number, task: number, words: Uint32Array): void {
    const { trace } = this;
    const { meta, accounting } = trace;
    if (accounting.lines === 0) {
      accounting.lines = HEAD_LINES;
      accounting.others.set('header', HEAD_LINES);
    }
    trace.append(kind.number, time, cpu, object, task, ++accounting.lines, 0, words);
    if (Number.isNaN(meta.start)) meta.start = time;
    if (!Number.isNaN(time)) meta.end = time;
    accounting.records++;
    accounting.understood++;
  }
}
