// Two recordings of one kernel that do not overlap, so that nothing stands in both: the threads that wrote them are the same, and so is the clock that they name.
import type { Trace } from '../../trace/trace.ts';
import type { Connection } from './relations.ts';

/** Formats in which a kernel records, with the threads by name and number. */
const RECORDINGS: ReadonlySet<string> = new Set(['ftrace-text', 'trace-dat', 'trace-cmd-report', 'perf-script']);
/** One clock by several names: local_clock, and what text does not tell, since it is the one that is set up by default. */
const LOCAL: ReadonlySet<string> = new Set(['local', 'perf', 'not told']);
/** Threads that stand in both, at least: fewer have the same numbers in other kernels of that version, too. */
const FEWEST = 8;
/** Of these, the share of numbers that may have other names: a thread that ended, and one that got its number. */
const OTHERS = 0.1;
/** Of the threads of the smaller recording, the share that the other one has, too, where both were made at the same time. */
const OVERLAP = 0.05;
const NANO = 1_000_000_000n;

/** Threads by their numbers. */
type Threads = ReadonlyMap<string, string>;

/** Finds recordings of one kernel. */
export class SameKernels {
  readonly #threads = new Map<Trace, Threads>();

  /** What connects two recordings of one kernel; undefined where they overlap, or nothing shows that it is one. */
  connection(a: Trace, b: Trace): Connection | undefined {
    const [x, y] = [a.first, b.first];
    for (const { first, sources } of [a, b])
      if (!RECORDINGS.has(first.format) || first.time.ticks || sources.length > 1 || Number.isNaN(first.start))
        return undefined;
    const clock = x.clock === y.clock || (LOCAL.has(x.clock) && LOCAL.has(y.clock));
    if (!clock || (x.kernel ?? y.kernel) !== (y.kernel ?? x.kernel)) return undefined;
    const offset = Number((y.time.base - x.time.base) * NANO);
    if (y.start + offset <= x.end && x.start <= y.end + offset) return undefined;
    const { shared, clashes } = this.#compared(a, b);
    if (shared < FEWEST || clashes > shared * OTHERS) return undefined;
    const fit = { offset, rate: 0, origin: 0, uncertainty: Number.POSITIVE_INFINITY, pairs: [], bursts: 0 };
    return { relation: 'same', fit, assumed: true, why: `${shared} threads stand in both, and the clock is the same` };
  }

  /**
   * Whether two recordings may have been made at the same time, with clocks of different kinds: their threads may be those of one kernel, and those that come and
   * go are among them, too.
   */
  mayOverlap(a: Trace, b: Trace): boolean {
    if (!RECORDINGS.has(a.first.format) || !RECORDINGS.has(b.first.format)) return false;
    const { shared, clashes } = this.#compared(a, b);
    const fewest = Math.min(this.#of(a).size, this.#of(b).size);
    return shared > 0 && clashes <= shared && shared >= fewest * OVERLAP;
  }

  /** How many threads stand in both, and how many numbers have two names. */
  #compared(a: Trace, b: Trace): { readonly shared: number; readonly clashes: number } {
    const other = this.#of(b);
    const both = [...this.#of(a)].filter(([number]) => other.has(number));
    const shared = both.filter(([number, name]) => other.get(number) === name).length;
    return { shared, clashes: both.length - shared };
  }

  #of(trace: Trace): Threads {
    let found = this.#threads.get(trace);
    if (found === undefined) this.#threads.set(trace, (found = threadsOf(trace)));
    return found;
  }
}

function threadsOf({ table, length, world }: Trace): Threads {
  const numbers = new Set<number>();
  for (let step = 0; step < length; step++) numbers.add(table.task(step));
  const threads = new Map<string, string>();
  for (const task of numbers) {
    const [, name, number] = /^(.*)-([1-9]\d*)$/.exec(world.strings.text(task)) ?? [];
    // Each CPU has an idle thread with the number 0.
    if (number !== undefined) threads.set(number, name!);
  }
  return threads;
}
