// Mutated captures: imported, or refused in one line; accounting and state are right.
import assert from 'node:assert/strict';
import { ImportError, ImportRun } from '../../../src/import/run.ts';
import { other } from '../../../src/model/events/notes.ts';
import { State } from '../../../src/model/state.ts';
import { apply } from '../../../src/model/vocabulary.ts';
import { eventText } from '../../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../../src/query/info.ts';
import { stateTree } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { eventRow } from '../../../src/trace/row.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { randomWords } from '../../model/random.ts';
import type { Trial } from './fuzz-kinds.ts';
import { type Mutant, mutantOf } from './mutate.ts';

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

/** Imports a mutant in chunks of a size, `path`: from there in a folder; undefined when it is refused. */
export function importMutant(bytes: Uint8Array, chunk: number, path?: string): Trace | undefined {
  const run = new ImportRun('mutant', undefined, path);
  try {
    for (let at = 0; at < bytes.length; at += chunk) run.push(bytes.subarray(at, at + chunk));
    return run.end();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    assert.match(error.message, /^[^\n]{5,400}$/);
    return undefined;
  }
}

/** Every record and every line is counted once, and the trace is sound. */
export function checkAccounting(trace: Trace): TraceInfo {
  assert.deepEqual(checkIntegrity(trace), []);
  const info = traceInfo(trace);
  assert.equal(info.understood + sum(info.unknown) + sum(info.skipped), info.records, 'records');
  assert.equal(info.records + sum(info.others), info.lines, 'lines');
  return info;
}

function check(mutant: Mutant, trace: Trace, rng: () => number): void {
  const info = checkAccounting(trace);
  if (!mutant.packed) {
    const ends = mutant.bytes.reduce((n, b) => n + (b === 10 ? 1 : 0), 0);
    // Lines of JSON strings are counted, of which many may stand on one line of the file (src/import/text/json-lines.ts).
    if (!info.undone.includes('json-escaped'))
      assert.equal(info.lines, ends + (mutant.bytes.at(-1) === 10 ? 0 : 1), 'as many lines as there are');
    assert.equal(info.problem, null);
  }
  checkState(trace, rng);
}

/** The state at some step is the fold of the events up to it, one by one. */
export function checkState(trace: Trace, rng: () => number): void {
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

/** A mutated capture. */
export function fuzzCapture(seed: number): Trial {
  const mutant = mutantOf(seed);
  return {
    story: mutant.story,
    run: () => {
      const rng = randomWords(seed + 1);
      const trace = importMutant(mutant.bytes, 1 + (rng() % (rng() % 2 ? 100_000 : 3000)));
      if (trace === undefined) return { read: false, events: 0 };
      check(mutant, trace, rng);
      return { read: true, events: trace.length };
    },
  };
}
