// A file that still grows: after any prefix of its bytes the accounting adds up, and in the end all is as if it had been
// read at once.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { traceInfo } from '../../src/query/info.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { fixtureBytes, importBytes, traceFixtures } from '../helpers/fixtures.ts';
import { randomWords } from '../model/random.ts';

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

describe('a source that grows', () => {
  for (const name of traceFixtures()) {
    it(`${name}: adds up after any prefix`, () => {
      const bytes = fixtureBytes(name);
      const next = randomWords(3);
      const run = new ImportRun('test');
      for (let at = 0; at < bytes.length; ) {
        const to = Math.min(bytes.length, at + 1 + (next() % Math.ceil(bytes.length / 8)));
        run.push(bytes.subarray(at, to));
        at = to;
        run.settle();
        if (run.format === undefined) continue;
        const info = traceInfo(run.trace);
        assert.deepEqual(checkIntegrity(run.trace), [], `after ${at} bytes`);
        const lines = bytes.subarray(0, at).reduce((n, b) => n + (b === 10 ? 1 : 0), 0);
        assert.equal(info.lines, lines, `lines after ${at} bytes`);
        assert.equal(info.understood + sum(info.unknown) + sum(info.skipped), info.records);
        assert.equal(info.records + sum(info.others), info.lines);
        run.settle();
        assert.deepEqual(traceInfo(run.trace), info, 'settling twice changes nothing');
      }
      run.end();
      assert.deepEqual(traceInfo(run.trace), traceInfo(importBytes(bytes)));
    });
  }
});
