// Whether it is known which of two events came first: clocks of different sources are put on one clock with an error only.
import type { SourceId, Step } from '../base/ids.ts';
import type { Source } from '../trace/source.ts';
import type { Trace } from '../trace/trace.ts';

/** Nanoseconds by which the clocks of two sources may differ after they were put on one clock, where nothing tells how much. */
const NOT_TOLD = 1e6;

/** Events that are looked at in one direction for one of another source. */
const FARTHEST = 4096;

/** The order of the events of a trace of several sources. */
export class EventOrder {
  readonly #trace: Trace;
  readonly #between = new Map<number, number>();
  /** For each source the nanoseconds by which its clock and any other one may differ; filled when asked for. */
  readonly #most: (number | undefined)[] = [];

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Nanoseconds by which the clocks of two sources may differ; 0 for one source, and for two parts of one file. */
  uncertainty(a: SourceId, b: SourceId): number {
    if (a === b) return 0;
    const key = Math.min(a, b) * this.#trace.sources.length + Math.max(a, b);
    let found = this.#between.get(key);
    if (found === undefined) this.#between.set(key, (found = this.#find(a, b)));
    return found;
  }

  /** Whether it is known which of two events came first: inside one source always; ticks are no durations. */
  known(a: Step, b: Step): boolean {
    const [x, y] = [this.#trace.sourceOf(a), this.#trace.sourceOf(b)];
    if (x === y) return true;
    const { table, time } = this.#trace;
    if (time.ticks) return false;
    const uncertainty = this.uncertainty(x, y);
    return uncertainty === 0 || Math.abs(table.time(a) - table.time(b)) > uncertainty;
  }

  /**
   * The nearest events of other sources, before and behind an event, that may have happened on its other side: at most one each. Events without
   * a time, and those that follow from what several sources show, have no order of their own.
   */
  unknownBeside(step: Step): Step[] {
    const found: Step[] = [];
    if (!this.#counts(step)) return found;
    for (const by of [-1, 1]) {
      const other = this.#beside(step, by);
      if (other !== undefined) found.push(other);
    }
    return found;
  }

  #beside(step: Step, by: number): Step | undefined {
    const { table, length } = this.#trace;
    const time = table.time(step);
    const most = this.#mostOf(this.#trace.sourceOf(step));
    for (let n = 1; n <= FARTHEST; n++) {
      const other = step + n * by;
      if (other < 0 || other >= length || Math.abs(table.time(other) - time) > most) return undefined;
      if (this.#counts(other) && !this.known(step, other)) return other;
    }
    return undefined;
  }

  #mostOf(source: SourceId): number {
    const stamped = ({ start, derived }: Source): boolean => !Number.isNaN(start) && !derived;
    return (this.#most[source] ??= this.#trace.sources.reduce(
      (most, other, i) => (stamped(other) ? Math.max(most, this.uncertainty(source, i)) : most),
      0,
    ));
  }

  #counts(step: Step): boolean {
    return !Number.isNaN(this.#trace.table.time(step)) && !this.#trace.sources[this.#trace.sourceOf(step)]!.derived;
  }

  #find(a: SourceId, b: SourceId): number {
    const { sources } = this.#trace;
    const [x, y] = [sources[a]!, sources[b]!];
    if (x.file === y.file) return x.derived || y.derived || (x.binary && x.clock === y.clock) ? 0 : NOT_TOLD;
    if (this.#recording(x) === this.#recording(y)) return x.derived || y.derived ? NOT_TOLD : 0;
    const [ways, others] = [this.#way(x), this.#way(y)];
    // What both were compared with says nothing against the order of the two.
    const apart = [...ways.filter((s) => !others.includes(s)), ...others.filter((s) => !ways.includes(s))];
    let sum = 0;
    for (const source of apart) {
      const own = this.#own(source);
      if (own === undefined) return NOT_TOLD;
      sum += own;
    }
    return sum;
  }

  /** The first file of the recording that a source is a piece of. */
  #recording({ file, continues }: Source): string {
    const before = continues && this.#trace.sources.find((source) => source.file === continues.file && !source.derived);
    return before === undefined ? file : this.#recording(before);
  }

  /** A source, what its clock was compared with, and so on. */
  #way(source: Source): Source[] {
    const way = [source];
    for (;;) {
      const next = this.#trace.sources[way.at(-1)!.alignment?.with ?? -1];
      if (next === undefined || way.includes(next)) return way;
      way.push(next);
    }
  }

  /** The error of the comparison of a source with the next one; undefined where nothing tells it. */
  #own(source: Source): number | undefined {
    const { sources, first } = this.#trace;
    if (source === first) return 0;
    const total = source.alignment?.uncertainty;
    const other = sources[source.alignment?.with ?? -1];
    const before = other === undefined || other === first ? 0 : other.alignment?.uncertainty;
    return total === undefined || before === undefined ? undefined : Math.max(0, total - before);
  }
}

/** The order of the events of a trace; undefined where it has one source, and every order is known. */
export const orderOf = (trace: Trace): EventOrder | undefined =>
  trace.sources.length < 2 ? undefined : new EventOrder(trace);
