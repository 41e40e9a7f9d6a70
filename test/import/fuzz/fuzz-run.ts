// Runs a worker of trials and watches whether it still moves.
import { Worker } from 'node:worker_threads';
import { patient } from '../../../scripts/test/patience.ts';
import { fuzzKinds } from './fuzz-kinds.ts';
import type { FuzzResult, FuzzTask } from './fuzz-worker.ts';

/** Longest time that one trial may take on a quiet machine, which needs a fraction of that. */
const HANG_MS = 20_000;

/** Runs trials; a hang is a failure too. */
export function fuzz(task: Omit<FuzzTask, 'progress'>): Promise<FuzzResult> {
  const progress = new SharedArrayBuffer(4);
  const done = new Int32Array(progress);
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData: { ...task, progress } });
  return new Promise((resolve, reject) => {
    let last = -1;
    let since = Date.now();
    const watch = setInterval(() => {
      const now = Atomics.load(done, 0);
      if (now !== last) [last, since] = [now, Date.now()];
      else if (Date.now() - since > patient(HANG_MS)) {
        const seed = task.seed + now;
        const failure = { seed, story: fuzzKinds[task.kind]!(seed).story, error: 'hangs' };
        finish(() => resolve({ done: now, read: 0, events: 0, failure }));
      }
    }, 500);
    const finish = (how: () => void): void => {
      clearInterval(watch);
      void worker.terminate().then(how);
    };
    worker.once('message', (result: FuzzResult) => finish(() => resolve(result)));
    worker.once('error', (error) => finish(() => reject(error)));
  });
}
