// Imports mutants until it is told to stop, in a thread of its own so that the test sees a hang.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { ImportError, ImportRun } from '../../src/import/run.ts';
import { other } from '../../src/model/events/notes.ts';
import { State } from '../../src/model/state.ts';
import { apply } from '../../src/model/vocabulary.ts';
import { eventText } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import { stateTree } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { eventRow } from '../../src/trace/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { randomWords } from '../model/random.ts';
import { type Mutant, mutantOf } from './mutate.ts';

export interface FuzzTask {
  readonly seed: number;
  readonly count: number;
  readonly milliseconds: number;
  /** Cell 0: mutants done so far. */
  readonly progress: SharedArrayBuffer;
}

export interface FuzzResult {
  readonly done: number;
  /** How many were read as traces; the others were refused with a clear answer. */
  readonly read: number;
  readonly events: number;
  readonly failure?: { readonly seed: number; readonly story: string; readonly error: string };
}

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

/** Imports a mutant in chunks of a random size; undefined when it is refused. */
function read(mutant: Mutant, chunk: number): Trace | undefined {
  const run = new ImportRun('mutant');
  try {
    for (let at = 0; at < mutant.bytes.length; at += chunk) run.push(mutant.bytes.subarray(at, at + chunk));
    return run.end();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    assert.match(error.message, /^[^\n]{5,300}$/);
    return undefined;
  }
}

function check(mutant: Mutant, trace: Trace, rng: () => number): void {
  assert.deepEqual(checkIntegrity(trace), []);
  const info = traceInfo(trace);
  assert.equal(info.understood + sum(info.unknown) + sum(info.skipped), info.records, 'records');
  assert.equal(info.records + sum(info.others), info.lines, 'lines');
  if (!mutant.packed) {
    const ends = mutant.bytes.reduce((n, b) => n + (b === 10 ? 1 : 0), 0);
    assert.equal(info.lines, ends + (mutant.bytes.at(-1) === 10 ? 0 : 1), 'as many lines as there are');
    assert.equal(info.problem, null);
  }
  if (trace.length === 0) return;
  const step = rng() % trace.length;
  eventText(trace, step);
  const state = new State(trace.world);
  const row = eventRow(other);
  for (let s = 0; s <= step; s++) {
    apply(state, trace.table.kind(s), trace.table.read(s, row));
  }
  assert.equal(JSON.stringify(stateTree(trace.stateAt(step))), JSON.stringify(stateTree(state)), `state at ${step}`);
}

const { seed, count, milliseconds, progress } = workerData as FuzzTask;
const done = new Int32Array(progress);
const until = Date.now() + milliseconds;
let reads = 0;
let events = 0;
let i = 0;
let failure: FuzzResult['failure'];
for (; i < count && Date.now() < until && failure === undefined; i++) {
  Atomics.store(done, 0, i);
  const mutant = mutantOf(seed + i);
  const rng = randomWords(seed + i + 1);
  try {
    const trace = read(mutant, 1 + (rng() % (rng() % 2 ? 100_000 : 3000)));
    if (trace === undefined) continue;
    reads++;
    events += trace.length;
    check(mutant, trace, rng);
  } catch (error) {
    failure = {
      seed: seed + i,
      story: mutant.story,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}
const result: FuzzResult = { done: i, read: reads, events, ...(failure ? { failure } : {}) };
parentPort!.postMessage(result);
