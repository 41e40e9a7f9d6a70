import type { TimeBase } from '../base/time.ts';
import { State } from '../model/state.ts';
import { apply } from '../model/vocabulary.ts';
import { World } from '../model/world.ts';
import { type Header, writeHead } from '../trace/irqtrace.ts';
import { LineWriter } from '../trace/line-writer.ts';
import type { EventRow } from '../trace/row.ts';
import type { Recorder } from './recorder.ts';

/** Clock of simulated traces: nanoseconds from 0. */
export const MODEL_TIME: TimeBase = { base: 0n, ticks: false, digits: 9 };

/** Bytes gathered before they are handed on. */
const CHUNK = 1 << 18;

/**
 * Records into the bytes of an `.irqtrace` file: no event is kept, so memory does not grow with the length of the run.
 * `hand` gets the bytes, valid until it returns.
 */
export class StreamRecorder implements Recorder {
  readonly world = new World();
  readonly state = new State(this.world);
  readonly #writer = new LineWriter(this.world, MODEL_TIME, CHUNK * 2);
  readonly #hand: (bytes: Uint8Array) => void;
  #length = 0;

  constructor(header: Header, hand: (bytes: Uint8Array) => void) {
    this.#hand = hand;
    writeHead(this.#writer, MODEL_TIME, 'model time', header);
  }

  get length(): number {
    return this.#length;
  }

  record(row: EventRow): void {
    apply(this.state, row.kind, row);
    this.#length++;
    this.#writer.event(row);
    if (this.#writer.length >= CHUNK) this.#hand(this.#writer.take());
  }

  /** Hands on what is left. */
  end(): void {
    this.#hand(this.#writer.take());
  }
}
