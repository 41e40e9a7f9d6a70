// `irqscope stats`: the shape of its answers and how it refuses.
import assert from 'node:assert/strict';
import { answered, example, irqscope } from './run.ts';

const FTRACE = 'test/fixtures/x86-vtd/ftrace.txt.gz';

describe('irqscope stats', () => {
  it('answers rows with the keys of the contract', async () => {
    for (const by of ['irq', 'vector', 'cpu', 'device', 'vcpu', 'kind']) {
      // Handlers, which rows of irqs and CPUs count, are in the trace of a kernel only.
      const file = by === 'irq' || by === 'cpu' ? FTRACE : example;
      const { status, out } = await answered(['stats', file, '--by', by, '--json']);
      assert.equal(status, 0);
      const rows = JSON.parse(out) as Record<string, unknown>[];
      assert.ok(rows.length > 0, by);
      for (const row of rows) {
        assert.deepEqual(Object.keys(row), ['key', 'name', 'count', 'rate', 'latency', 'service', 'masks', 'exits']);
        for (const key of ['latency', 'service'])
          assert.deepEqual(Object.keys(row[key] as object), ['p50', 'p99', 'max']);
      }
    }
  });

  it('groups by irq when not told otherwise, the busiest first; durations are decimal seconds', async () => {
    const { out } = await answered(['stats', FTRACE, '--json']);
    const rows = JSON.parse(out) as { key: string; count: number; service: { p50: string } }[];
    assert.match(rows[0]!.key, /^irq\/\d+$/);
    assert.ok(rows.every(({ count }, i) => i === 0 || count <= rows[i - 1]!.count));
    assert.match(rows[0]!.service.p50, /^0\.\d{6}$/);
  });

  it('says what is there when a trace has nothing of the kind', async () => {
    const { status, out } = await answered(['stats', example]);
    assert.equal(status, 0);
    assert.match(out, /^nothing in this trace is counted by irq; other rows: --by vector/);
  });

  it('ends with 2 and one line for bad usage', async () => {
    for (const args of [[], [example, example], [example, '--by', 'irqs'], [example, '--by', 'x'], ['no-such-file']]) {
      const { status, out, err } = await irqscope(['stats', ...args]);
      assert.equal(status, 2, args.join(' '));
      assert.equal(out, '');
      assert.match(err, /^irqscope: .+\n$/);
    }
  });
});
