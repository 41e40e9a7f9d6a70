// Runs trials of one kind until it is told to stop, in a thread of its own so that the test sees a hang.
import { parentPort, workerData } from 'node:worker_threads';
import { fuzzKinds } from './fuzz-kinds.ts';

export interface FuzzTask {
  readonly kind: string;
  readonly seed: number;
  readonly count: number;
  readonly milliseconds: number;
  /** Cell 0: trials done so far. */
  readonly progress: SharedArrayBuffer;
}

export interface FuzzResult {
  readonly done: number;
  /** How many were read; the others were refused with a clear answer. */
  readonly read: number;
  readonly events: number;
  readonly failure?: { readonly seed: number; readonly story: string; readonly error: string };
}

const { kind, seed, count, milliseconds, progress } = workerData as FuzzTask;
const trial = fuzzKinds[kind]!;
const done = new Int32Array(progress);
const until = Date.now() + milliseconds;
let reads = 0;
let events = 0;
let i = 0;
let failure: FuzzResult['failure'];
for (; i < count && Date.now() < until && failure === undefined; i++) {
  Atomics.store(done, 0, i);
  let story = '';
  try {
    const one = trial(seed + i);
    story = one.story;
    const outcome = one.run();
    if (outcome.read) reads++;
    events += outcome.events;
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    failure = { seed: seed + i, story, error: what };
  }
}
const result: FuzzResult = { done: i, read: reads, events, ...(failure ? { failure } : {}) };
parentPort!.postMessage(result);
