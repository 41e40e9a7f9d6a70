// A file that grows: after any prefix of its bytes the accounting adds up, and looking at it changes nothing of what follows.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { traceInfo } from '../../src/query/info.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes, importBytes, traceFixtures } from '../helpers/fixtures.ts';
import { randomWords } from '../model/random.ts';
import { bytesOfCase, traceCases } from './case.ts';

/** So many looks at each file. */
const LOOKS = 20;
/** Of a capture, this many bytes. */
const MOST = 80_000;

/** Reads bytes in pieces of any size and looks at the trace after each. */
function looked(bytes: Uint8Array, seed: number): Trace {
  const next = randomWords(seed);
  const cuts = Array.from({ length: LOOKS }, () => next() % bytes.length).sort((a, b) => a - b);
  const run = new ImportRun('test');
  let at = 0;
  for (const cut of cuts) {
    run.push(bytes.subarray(at, cut));
    at = cut;
    run.settle();
    assert.deepEqual(checkIntegrity(run.trace), [], `after ${cut} bytes`);
    const { records, understood, unknown, skipped } = traceInfo(run.trace);
    const sum = [...Object.values(unknown), ...Object.values(skipped)].reduce((a, b) => a + b, understood);
    assert.equal(sum, records, `after ${cut} bytes`);
  }
  run.push(bytes.subarray(at));
  return run.end();
}

/** Pages and mails have escapes, which the first look decides for the whole file: such a file does not grow line by line. */
const WHOLE = /html|quoted-printable/;

describe('a file that is looked at while it grows', () => {
  const files = [
    ...traceCases().map((name) => [name, bytesOfCase(name)] as const),
    ...traceFixtures().map((name) => [name, fixtureBytes(name).subarray(0, MOST)] as const),
    ['x86-vtd/trace.dat', fixtureBytes('x86-vtd/trace.dat')] as const,
  ];
  for (const [name, bytes] of files) {
    if (WHOLE.test(name)) continue;
    it(name, () => {
      const whole = traceInfo(importBytes(bytes));
      for (const seed of [1, 2]) assert.deepEqual(traceInfo(looked(bytes, seed)), whole);
    });
  }
});
