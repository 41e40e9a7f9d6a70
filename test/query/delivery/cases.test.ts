// Paths in all small files that engineers bring, damaged ones among them: an answer for every event, hops in order, a reason for each loss.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ImportError, ImportRun } from '../../../src/import/run.ts';
import { pathAt, pathText } from '../../../src/query/delivery/path.ts';
import { RecordedKinds } from '../../../src/query/recorded-kinds.ts';
import type { Trace } from '../../../src/trace/trace.ts';

const FOLDER = resolve(import.meta.dirname, '../../fixtures/cases');

/** The trace of a file; undefined for one that is none. */
function traceOf(name: string): Trace | undefined {
  try {
    const run = new ImportRun(name);
    run.push(readFileSync(join(FOLDER, name)));
    return run.end();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return undefined;
  }
}

describe('paths in small files', () => {
  it('every event has an answer; hops stand in order; what was not delivered has a reason', () => {
    let paths = 0;
    for (const name of readdirSync(FOLDER)) {
      const trace = traceOf(name);
      if (trace === undefined) continue;
      const recorded = new RecordedKinds(trace);
      for (let step = 0; step < trace.length; step++) {
        const path = pathAt(trace, step, recorded);
        if (path === undefined) continue;
        paths++;
        const steps = path.hops.map((hop) => hop.step);
        assert.deepEqual(
          steps,
          [...steps].sort((a, b) => a - b),
          `${name}, step ${step}`,
        );
        if (path.delivered === false) assert.ok(path.reason, `${name}, step ${step}`);
        assert.equal(pathText(path).length, steps.length + 1 + path.blind.length + (path.near ? 1 : 0));
      }
    }
    assert.ok(paths > 200, `${paths} paths`);
  });
});
