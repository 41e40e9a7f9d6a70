// A file that still grows: after any prefix of its bytes the accounting adds up, and in the end all is as if it had been
// read at once.
import assert from 'node:assert/strict';
import { bytesOf } from '../../src/base/bytes.ts';
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

  it('events that the header counts as lost are not added to those of the loss markers, however often it is settled', () => {
    // The header: 107 records written, 100 kept. The markers: 3 and 2.
    const head = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 100/107   #P:2\n#\n';
    const record = (n: number): string =>
      `          <idle>-0       [000] d.h1.   ${n}.000000: irq_handler_exit: irq=4 ret=handled\n`;
    const text = `${head}${record(1)}CPU:0 [LOST 3 EVENTS]\n${record(2)}CPU:1 [LOST 2 EVENTS]\n${record(3)}`;
    const lost = (settles: boolean): number | null => {
      const run = new ImportRun('test');
      for (const line of text.split(/(?<=\n)/)) {
        run.push(bytesOf(line));
        if (settles) run.settle();
      }
      return traceInfo(run.end()).lost;
    };
    assert.equal(lost(false), 7);
    assert.equal(lost(true), 7);
  });
});
