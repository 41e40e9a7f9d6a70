// A thread that reads ahead changes nothing of what is read; it may also fail.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { helpers } from '../../../src/cli/threads.ts';
import { unzstd } from '../../../src/cli/unzstd.ts';
import type { Helpers } from '../../../src/import/helpers.ts';
import { ImportRun } from '../../../src/import/run.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes } from '../../helpers/fixtures.ts';
import { threadOf } from '../../helpers/thread.ts';

const NAMES = ['x86-nested/l1-trace.dat', 'x86-vtd/trace.dat'];

function read(name: string, given: Helpers): Trace {
  const run = new ImportRun('trace.dat', undefined, undefined, given);
  run.push(fixtureBytes(name));
  return run.end();
}

function same(name: string, given: Helpers): void {
  const alone = read(name, {});
  const other = read(name, given);
  assert.deepEqual(traceInfo(other), traceInfo(alone));
  assert.ok(
    Buffer.concat([...irqtraceBytes(other)]).equals(Buffer.concat([...irqtraceBytes(alone)])),
    'the same events',
  );
}

describe('trace.dat, read ahead', () => {
  for (const name of NAMES) {
    describe(name, () => {
      it('by a thread: the same bytes', () => {
        const thread = threadOf();
        same(name, { thread: () => thread });
        assert.ok(thread.given > 3, `only ${thread.given} answers`);
      });

      it('by a thread that fails at any point', () => {
        const all = threadOf();
        read(name, { thread: () => all });
        for (let answers = 0; answers < all.given; answers += 1 + Math.floor(all.given / 12))
          same(name, { thread: () => threadOf({}, answers) });
      });

      it('by the runtime, which unpacks zstd', function () {
        if (unzstd === undefined) return this.skip();
        let calls = 0;
        const counted: Helpers['unzstd'] = (packed, size) => {
          calls++;
          return unzstd!(packed, size);
        };
        same(name, { unzstd: counted });
        assert.ok(calls > 5, `${calls} calls`);
        same(name, { unzstd: () => undefined });
        same(name, { unzstd: (packed, size) => unzstd!(packed, size)?.subarray(1) });
      });

      it('by a real thread of the command line', function () {
        this.timeout(30_000);
        assert.ok(existsSync(new URL('../../../src/cli/page-thread.ts', import.meta.url)));
        same(name, { thread: () => helpers.thread?.(2 ** 30) });
      });
    });
  }

  it('small files need no thread', () => {
    assert.equal(helpers.thread?.(1 << 20), undefined);
  });
});
