// How patient a test has to be on this machine at this moment. Time limits are written for a quiet machine of today; on a slower or
// busier one every limit of every suite grows by one measured factor.
import { availableParallelism, loadavg } from 'node:os';
import type Mocha from 'mocha';

/** Turns of the loop below, and the milliseconds that they take on a quiet machine of 2024 with Node 24. */
const TURNS = 24_000_000;
const NOMINAL_MS = 30;
/** A factor beyond this only hides that something hangs. */
const MOST = 30;
/** How long a measurement of the load counts, in milliseconds. */
const FRESH_MS = 3000;

/** Milliseconds of wall time that a fixed computation takes: longer on a slow processor, and when others use it too. */
function spin(): number {
  const started = performance.now();
  let x = 1;
  for (let i = 0; i < TURNS; i++) x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d | 1);
  return performance.now() - started;
}

/** Processes that want to run, per processor; 0 where the system does not tell (Windows). */
const crowd = (): number => loadavg()[0]! / availableParallelism();

let slowness: number | undefined;
let patienceNow = 1;
let measuredAt = Number.NEGATIVE_INFINITY;

/**
 * The factor, at least 1; it never falls while a process runs, so that a test is held to the limit that it started with. The
 * speed is measured once, at the first call (about 30 ms); how crowded the machine is, again and again. A test with an editor
 * or a browser has several processes, which share what is left: so a crowd counts twice.
 */
export function patience(): number {
  const now = performance.now();
  if (now - measuredAt < FRESH_MS) return patienceNow;
  measuredAt = now;
  slowness ??= spin() / NOMINAL_MS;
  patienceNow = Math.min(MOST, Math.max(patienceNow, slowness, 2 * crowd()));
  return patienceNow;
}

/** A time limit for a quiet machine, as it has to be on this one now. */
export const patient = (ms: number): number => Math.ceil(ms * patience());

/** Makes mocha take every time limit of its tests and hooks, also those that tests set for themselves, times the factor. */
export function makePatient({ Runnable }: Pick<typeof Mocha, 'Runnable'>): void {
  patience();
  const { prototype } = Runnable;
  const plain = prototype.timeout as (this: Mocha.Runnable, ms?: string | number) => unknown;
  prototype.timeout = function timeout(this: Mocha.Runnable, ...given: [] | [string | number]) {
    return given.length > 0 ? plain.call(this, given[0]) : patient(plain.call(this) as number);
  } as typeof prototype.timeout;
}
