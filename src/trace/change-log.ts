import type { CellId, ObjectId, Step } from '../base/ids.ts';
import type { CellWatcher, State } from '../model/state.ts';
import { ObjectBlocks } from './object-blocks.ts';

const SEGMENT_BITS = 16;
const SEGMENT = 1 << SEGMENT_BITS;
const MASK = SEGMENT - 1;

/** Words of the longest entry: cell, value, known bits. */
const LONGEST = 3;
/** Fills the end of a segment that is too short for an entry. */
const PAD = 0xffffffff;

// The two upper bits of the first word of an entry say what follows; the other 30 are the cell.
const CELL = 0x3fffffff;
const FORM = 30;
/** The cell was written with what it held. */
const SAME = 0;
/** Its value follows, all bits known. */
const WHOLE = 1;
/** Its value and its known bits follow. */
const PARTIAL = 2;
/** No bit of it is known any more. */
const NONE = 3;

/** Takes one change: cell `cell` holds `value` after event `step`, of which the bits `known` are known. */
export type TakeChange = (step: Step, cell: CellId, value: number, known: number) => void;

/**
 * What every event did to the cells of the state, in the order of the events: a run of entries per event. To get the state after
 * an event, take an earlier state and put in the entries between them: no event is applied a second time. An entry
 * takes 1 to 3 words; it never crosses a segment.
 */
export class ChangeLog implements CellWatcher {
  readonly #segments: Uint32Array[] = [];
  #segment: Uint32Array = new Uint32Array(0);
  /** Number of the next word. */
  #at = 0;
  /** Number of the word after the entries of each event. */
  #ends = new Uint32Array(1024);
  #events = 0;
  /** In which blocks of events each object was written. */
  readonly blocks = new ObjectBlocks();

  /** Events whose entries are complete. */
  get events(): number {
    return this.#events;
  }

  /** Words written so far. */
  get words(): number {
    return this.#at;
  }

  /** Bytes that the log takes. */
  get bytes(): number {
    return this.#segments.length * SEGMENT * 4 + this.#ends.byteLength + this.blocks.bytes;
  }

  changed(object: ObjectId, cell: number, value: number, known: number): void {
    let i = this.#at & MASK;
    if (i > SEGMENT - LONGEST || this.#at >>> SEGMENT_BITS >= this.#segments.length) i = this.#room();
    const segment = this.#segment;
    if (known === 0xffffffff) {
      segment[i] = (cell | (WHOLE << FORM)) >>> 0;
      segment[i + 1] = value;
      this.#at += 2;
    } else if (known === 0) {
      segment[i] = (cell | (NONE << FORM)) >>> 0;
      this.#at++;
    } else {
      segment[i] = (cell | (PARTIAL << FORM)) >>> 0;
      segment[i + 1] = value;
      segment[i + 2] = known;
      this.#at += 3;
    }
    this.blocks.note(object);
  }

  rewritten(object: ObjectId, cell: number): void {
    let i = this.#at & MASK;
    if (i > SEGMENT - LONGEST || this.#at >>> SEGMENT_BITS >= this.#segments.length) i = this.#room();
    this.#segment[i] = cell;
    this.#at++;
    this.blocks.note(object);
  }

  /** The entries of an event about `object` begin; `time` is its time, NaN unknown. */
  begin(object: ObjectId, time: number): void {
    this.blocks.begin(object, time);
  }

  /** All entries of the event at hand were written. */
  end(): void {
    if (this.#events === this.#ends.length) {
      const wider = new Uint32Array(this.#events * 2);
      wider.set(this.#ends);
      this.#ends = wider;
    }
    this.#ends[this.#events++] = this.#at;
  }

  /** Forgets the entries of all events but the first `events`. */
  truncate(events: number): void {
    this.#events = events;
    this.#at = this.startOf(events);
    this.#segments.length = Math.min(this.#segments.length, (this.#at + MASK) >>> SEGMENT_BITS);
    this.#segment = this.#segments.at(-1) ?? new Uint32Array(0);
    this.blocks.truncate(events);
  }

  /** Number of the word at which the entries of an event start. */
  startOf(step: Step): number {
    return step <= 0 ? 0 : this.#ends[step - 1]!;
  }

  /** Brings a state from after event `from` to after event `to`, which is not before it. */
  replay(state: State, from: number, to: number): void {
    const end = this.startOf(to + 1);
    let at = this.startOf(from + 1);
    while (at < end) {
      const segment = this.#segments[at >>> SEGMENT_BITS]!;
      const base = at - (at & MASK);
      const stop = Math.min(end - base, SEGMENT);
      let i = at & MASK;
      while (i < stop) {
        const word = segment[i]!;
        if (word === PAD) {
          i = SEGMENT;
          break;
        }
        const form = word >>> FORM;
        if (form === WHOLE) {
          state.restore(word & CELL, segment[i + 1]!, 0xffffffff);
          i += 2;
        } else if (form === SAME) {
          i++;
        } else if (form === NONE) {
          state.restore(word & CELL, 0, 0);
          i++;
        } else {
          state.restore(word & CELL, segment[i + 1]!, segment[i + 2]!);
          i += 3;
        }
      }
      at = base + i;
    }
  }

  /**
   * Hands on the changes of the events `from` to `to`, both included, that concern cells of which `wanted` holds something
   * else than 0: the way to find few changes among many.
   */
  scan(from: number, to: number, wanted: Uint8Array, take: TakeChange): void {
    const ends = this.#ends;
    const end = this.startOf(to + 1);
    let at = this.startOf(from);
    let step = from;
    while (at < end) {
      const segment = this.#segments[at >>> SEGMENT_BITS]!;
      const base = at - (at & MASK);
      const stop = Math.min(end - base, SEGMENT);
      let i = at & MASK;
      while (i < stop) {
        const word = segment[i]!;
        if (word === PAD) {
          i = SEGMENT;
          break;
        }
        const form = word >>> FORM;
        const cell = word & CELL;
        if (form !== SAME && wanted[cell]! > 0) {
          while (ends[step]! <= base + i) step++;
          if (form === WHOLE) take(step, cell, segment[i + 1]!, 0xffffffff);
          else if (form === PARTIAL) take(step, cell, segment[i + 1]!, segment[i + 2]!);
          else take(step, cell, 0, 0);
        }
        i += form === WHOLE ? 2 : form === PARTIAL ? 3 : 1;
      }
      at = base + i;
    }
  }

  /** Reads the entries of the events `from` to `to`, both included. */
  read(from: number, to: number): ChangeCursor {
    return new ChangeCursor(this, this.#segments, from, to);
  }

  /** Goes on in a new segment; returns the index there. */
  #room(): number {
    const i = this.#at & MASK;
    if (i !== 0) {
      this.#segment.fill(PAD, i);
      this.#at += SEGMENT - i;
    }
    this.#segment = new Uint32Array(SEGMENT);
    this.#segments.push(this.#segment);
    return 0;
  }
}

/** Reads entries of a log one by one: `next`, then the fields. */
export class ChangeCursor {
  readonly #log: ChangeLog;
  readonly #segments: readonly Uint32Array[];
  #at: number;
  #end: number;
  readonly #last: number;
  /** The event whose entry is at hand. */
  step: Step;
  /** The cell that it wrote: its number in the world. */
  cell = 0;
  /** Whether the write changed it; `value` and `known` hold only then. */
  changes = false;
  value = 0;
  known = 0;

  constructor(log: ChangeLog, segments: readonly Uint32Array[], from: number, to: number) {
    this.#log = log;
    this.#segments = segments;
    this.#last = Math.min(to, log.events - 1);
    this.step = from;
    this.#at = log.startOf(from);
    this.#end = from <= this.#last ? log.startOf(from + 1) : this.#at;
  }

  /** Takes the next entry of a cell of which `wanted` holds something else than 0; false when there is none. */
  nextOf(wanted: Uint8Array): boolean {
    const end = this.#log.startOf(this.#last + 1);
    let at = this.#at;
    while (at < end) {
      const segment = this.#segments[at >>> SEGMENT_BITS]!;
      const base = at - (at & MASK);
      const stop = Math.min(end - base, SEGMENT);
      for (let i = at & MASK; i < stop; ) {
        const word = segment[i]!;
        if (word === PAD) break;
        if (wanted[word & CELL]! > 0) {
          this.#at = base + i;
          while (this.#end <= this.#at) this.#end = this.#log.startOf(++this.step + 1);
          return this.next();
        }
        const form = word >>> FORM;
        i += form === WHOLE ? 2 : form === PARTIAL ? 3 : 1;
      }
      at = base + SEGMENT;
    }
    this.#at = end;
    return false;
  }

  /** Takes the next entry; false when there is none. */
  next(): boolean {
    while (this.#at >= this.#end) {
      if (this.step >= this.#last) return false;
      this.#end = this.#log.startOf(++this.step + 1);
    }
    let segment = this.#segments[this.#at >>> SEGMENT_BITS]!;
    let i = this.#at & MASK;
    let word = segment[i]!;
    if (word === PAD) {
      this.#at += SEGMENT - i;
      // A pad at the end of an event's run belongs to the entry after it. There is such an entry; otherwise the run would have ended.
      segment = this.#segments[this.#at >>> SEGMENT_BITS]!;
      i = 0;
      word = segment[0]!;
    }
    const form = word >>> FORM;
    this.cell = word & CELL;
    this.changes = form !== SAME;
    if (form === WHOLE) {
      this.value = segment[i + 1]!;
      this.known = 0xffffffff;
      this.#at += 2;
    } else if (form === PARTIAL) {
      this.value = segment[i + 1]!;
      this.known = segment[i + 2]!;
      this.#at += 3;
    } else {
      this.value = 0;
      this.known = 0;
      this.#at++;
    }
    return true;
  }
}
