// Thousands of mutated captures: each is imported, or refused in one line, without crash, hang or lost accounting.
//   IRQSCOPE_FUZZ=600       runs for 600 seconds instead of a few
//   IRQSCOPE_FUZZ_SEED=123  begins with the mutant of that number, such as the one that a failure names
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { patient } from '../../scripts/test/patience.ts';
import type { FuzzResult, FuzzTask } from './fuzz-worker.ts';
import { mutantOf } from './mutate.ts';

const LONG = Number(process.env['IRQSCOPE_FUZZ'] ?? 0);
const SEED = process.env['IRQSCOPE_FUZZ_SEED'];

/** Longest time that one mutant may take on a quiet machine, which needs a fraction of that. */
const HANG_MS = 20_000;

function fuzz(task: Omit<FuzzTask, 'progress'>): Promise<FuzzResult> {
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
        finish(() => reject(new Error(`hangs: IRQSCOPE_FUZZ_SEED=${seed} (${mutantOf(seed).story})`)));
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

describe('mutated captures', () => {
  it('are imported or refused, never lost', async function () {
    this.timeout((LONG + 90) * 1000);
    const seed = SEED === undefined ? randomInt(2 ** 31) : Number(SEED);
    const count = LONG > 0 ? Number.MAX_SAFE_INTEGER : 5000;
    const result = await fuzz({ seed, count, milliseconds: LONG > 0 ? LONG * 1000 : patient(12_000) });
    const { failure } = result;
    if (failure) assert.fail(`IRQSCOPE_FUZZ_SEED=${failure.seed} makes it again (${failure.story})\n${failure.error}`);
    assert.ok(result.done >= 500, `only ${result.done} mutants`);
    assert.ok(result.read > result.done * 0.6, `only ${result.read} of ${result.done} were read`);
    assert.ok(result.events > result.done * 10, 'mutants with hardly any events');
  });

  it('are the same for the same number', () => {
    for (const seed of [1, 2, 3]) assert.deepEqual(mutantOf(seed), mutantOf(seed));
    assert.notDeepEqual(mutantOf(1), mutantOf(2));
  });
});
