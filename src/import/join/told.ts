import type { Source } from '../../trace/source.ts';
import { inverse } from './line.ts';
import type { Connection } from './relations.ts';

const NANO = 1_000_000_000n;
const GOES_ON = 'one recording goes on from file to file';
/** One clock: nothing has to be compared. */
const SAME = { offset: 0, rate: 0, origin: 0, uncertainty: 0, pairs: [], bursts: 0 };

/**
 * What connects two sources because one of them tells it: a guest that was recorded together with its host tells how their clocks differ; a
 * file that goes on from another one has its clock.
 */
export function toldConnection(a: Source, b: Source): Connection | undefined {
  if (a.continues?.file === b.file || b.continues?.file === a.file)
    return {
      relation: 'same',
      fit: { ...SAME, offset: Number((b.time.base - a.time.base) * NANO) },
      told: true,
      why: GOES_ON,
    };
  const same = sameLine(a, b);
  if (same !== undefined) return same;
  const reverse = sameLine(b, a);
  if (reverse !== undefined) return { ...reverse, fit: { ...reverse.fit, ...inverse(reverse.fit) } };
  const forward = lineTo(a, b);
  if (forward !== undefined) return { relation: 'hosts', fit: forward, told: true };
  const back = lineTo(b, a);
  if (back === undefined) return undefined;
  return { relation: 'runs-in', fit: { ...back, ...inverse(back) }, told: true };
}

/** The clock of printk is that of perf, and the local clock of the ring buffer: local_clock of kernel/sched/clock.c. */
const SAME_CLOCK = ['local', 'perf'];
/** The text of ftrace does not tell its clock. That is `local` unless someone chose another one. */
const BY_DEFAULT = 'not told';
/** Nanoseconds by which stamps of two processors, and the calls of one that read the clock one after the other, may differ. */
const APART = 1e6;

/** Clocks of ftrace that count from the start of the kernel, as printk does, or from little before: they lie within seconds of it. */
const SINCE_BOOT = [...SAME_CLOCK, BY_DEFAULT, 'global', 'mono', 'mono_raw', 'boot', 'uptime'];

/**
 * What must be added to times of `b` to get about those of `a`, in nanoseconds, where one is the log of a kernel and the other a recording of that kernel
 * with a clock that counts from its start; else undefined.
 */
export function aboutApart(a: Source, b: Source): number | undefined {
  const counts = ({ format, clock, time }: Source): boolean =>
    !time.ticks && (format === 'dmesg' ? clock === 'boot' : SINCE_BOOT.includes(clock));
  return counts(a) && counts(b) ? Number((b.time.base - a.time.base) * NANO) : undefined;
}

/** What connects the log of a kernel with another recording of the same kernel; undefined where `log` is none, or the clocks count from something else. */
export function logConnection(log: Source, other: Source): Connection | undefined {
  if (log.format !== 'dmesg' || other.format === 'dmesg') return undefined;
  const offset = aboutApart(other, log);
  if (offset === undefined) return undefined;
  const told = SAME_CLOCK.includes(other.clock);
  const uncertainty = told ? APART : Number.POSITIVE_INFINITY;
  const fit = { offset, rate: 0, origin: 0, uncertainty, pairs: [], bursts: 0 };
  return { relation: 'same', fit, ...(told ? { told } : { assumed: true }) };
}

/** The same where both recorded the same events, and `b` tells it. */
function sameLine(a: Source, { same }: Source): Connection | undefined {
  if (same === undefined || same.of !== a.file) return undefined;
  const { offset, rate, origin, uncertainty, lines } = same;
  const fit = { offset, rate, origin, uncertainty, pairs: [], bursts: 0 };
  return { relation: 'same', fit, told: true, shared: { file: a.file, lines } };
}

/** The line from the clock of `b` to that of `a`, if `b` tells it. */
function lineTo(a: Source, b: Source): Connection['fit'] | undefined {
  const { shift } = b;
  if (shift === undefined || shift.to !== a.recording || a.time.ticks || b.time.ticks) return undefined;
  const offset = Number(shift.offset + (b.time.base - a.time.base) * NANO);
  return { offset, rate: shift.rate, origin: shift.origin, uncertainty: shift.uncertainty, pairs: [], bursts: 0 };
}
