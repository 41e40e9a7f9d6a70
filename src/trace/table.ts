import { f64Column, i16Column, u8Column, u32Column, WordPool } from '../base/columns.ts';
import type { EventKind, EventView } from '../model/event.ts';
import { vocabulary } from '../model/vocabulary.ts';

/**
 * The events of a trace, one column per property. Columns: `kind` number in the vocabulary; `time` units since the
 * base of the trace (see TimeBase), NaN unknown; `cpu` or -1; `object` number in the world; `task` text number of who
 * recorded it (thread or comm-pid), 0 unknown; `line` 1-based; `offset` byte in the (uncompressed) source; `args` start
 * of the arguments in the word pool.
 */
export class EventTable {
  readonly #kind = u8Column();
  readonly #time = f64Column();
  readonly #cpu = i16Column();
  readonly #object = u32Column();
  readonly #task = u32Column();
  readonly #line = u32Column();
  readonly #offset = f64Column();
  readonly #args = u32Column();
  readonly #pool = new WordPool();

  /** How many events there are. */
  get length(): number {
    return this.#kind.length;
  }

  /** Bytes that the columns take. */
  get bytes(): number {
    const columns = [this.#kind, this.#time, this.#cpu, this.#object, this.#task, this.#line, this.#offset, this.#args];
    return columns.reduce((sum, c) => sum + c.bytes, this.#pool.bytes);
  }

  /** Appends an event; `words` holds its arguments in the layout of its kind. */
  push(
    kind: number,
    time: number,
    cpu: number,
    object: number,
    task: number,
    line: number,
    offset: number,
    words: Uint32Array,
  ): void {
    this.#kind.push(kind);
    this.#time.push(time);
    this.#cpu.push(cpu);
    this.#object.push(object);
    this.#task.push(task);
    this.#line.push(line);
    this.#offset.push(offset);
    this.#args.push(this.#pool.append(words, vocabulary[kind]!.size));
  }

  kindNumber(step: number): number {
    return this.#kind.get(step);
  }

  kind(step: number): EventKind {
    return vocabulary[this.#kind.get(step)]!;
  }

  time(step: number): number {
    return this.#time.get(step);
  }

  cpu(step: number): number {
    return this.#cpu.get(step);
  }

  object(step: number): number {
    return this.#object.get(step);
  }

  task(step: number): number {
    return this.#task.get(step);
  }

  line(step: number): number {
    return this.#line.get(step);
  }

  offset(step: number): number {
    return this.#offset.get(step);
  }

  /** One word of an event's arguments. */
  word(step: number, index: number): number {
    const start = this.#args.get(step);
    return this.#pool.segment(start)[this.#pool.offset(start) + index]!;
  }

  /** Points a view at an event. */
  view(step: number, into: EventView): EventView {
    const start = this.#args.get(step);
    into.object = this.#object.get(step);
    into.cpu = this.#cpu.get(step);
    into.words = this.#pool.segment(start);
    into.at = this.#pool.offset(start);
    return into;
  }

  /** The last step at or before a time, or -1. Times need not be sorted: it is the last one of all that qualify. */
  lastAtTime(time: number): number {
    for (let step = this.length - 1; step >= 0; step--) if (this.#time.get(step) <= time) return step;
    return -1;
  }

  /** The last step whose record stands at or before a line (1-based), or -1. */
  lastAtLine(line: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#line.get(middle) <= line) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
