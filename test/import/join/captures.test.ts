// Captures of several sources become one trace: systems, clocks and rows of the list, against the captures' own lines.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, grep } from '../../helpers/fixtures.ts';

/** Times of stores of messages in the text of a kernel and in the log of its machine, paired by address in order. */
function naivePairs(kernel: string, log: string): { readonly own: number; readonly seen: number }[] {
  const stamp = (text: string): number => Number(/(\d+\.\d{6}):/.exec(text)![1]);
  const own = new Map<string, number[]>();
  const add = (map: Map<string, number[]>, key: string, time: number): void => {
    const list = map.get(key);
    if (list) list.push(time);
    else map.set(key, [time]);
  };
  for (const { text } of grep(kernel, /msiwrite: .* lo=0xfee/)) add(own, /lo=(0x\w+)/.exec(text)![1]!, stamp(text));
  const seen = new Map<string, number[]>();
  for (const { text } of grep(log, /write .* value 0xfee0\w+ .*msix-table/))
    add(seen, /value (0x\w+)/.exec(text)![1]!, Number(/@(\d+\.\d{6}):/.exec(text)![1]));
  const found: { own: number; seen: number }[] = [];
  for (const [key, times] of own) {
    const others = seen.get(key) ?? [];
    if (others.length === times.length) times.forEach((t, i) => void found.push({ own: t, seen: others[i]! }));
  }
  return found;
}

const seconds = (text: string): number => Number(text);

describe('a joined trace', () => {
  describe('of a kernel and the log of its machine', () => {
    const trace = joinTraces([
      { trace: fixtureTrace('x86-vtd/ftrace.txt') },
      { trace: fixtureTrace('x86-vtd/qemu.log') },
    ]);
    const info = joinedInfo(trace);

    it('is one system, seen by its kernel and by its hardware', () => {
      assert.deepEqual(info.systems, []);
      assert.deepEqual(
        info.sources.map(({ vantage, system }) => [vantage, system]),
        [
          ['kernel', null],
          ['hardware', null],
        ],
      );
    });

    it('has the clock offset that the stores of messages show, with its evidence', () => {
      const pairs = naivePairs('x86-vtd/ftrace.txt', 'x86-vtd/qemu.log');
      assert.ok(pairs.length >= 10, `${pairs.length} pairs`);
      const { offset, uncertainty, drift, evidence } = info.clocks[1]!;
      const start = seconds(info.sources[1]!.start!);
      const misses = pairs.map(({ own, seen }) => {
        // Seconds since 1970 with microseconds leave a double no room for a sum.
        const told = seen - start + (start + seconds(offset)) + (drift / 1e6) * (seen - start);
        return Math.abs(told - own);
      });
      const near = misses.filter((miss) => miss <= seconds(uncertainty!) + 1e-6);
      assert.ok(near.length >= pairs.length * 0.95, `${near.length} of ${pairs.length} within ${uncertainty}`);
      assert.ok(seconds(uncertainty!) < 0.0005);
      assert.ok(evidence.length >= 10);
      for (const { steps, what } of evidence) {
        const [a, b] = steps.map((step) => trace.table.time(step));
        assert.ok(Math.abs(a! - b!) < 2.2e6, what);
        assert.deepEqual(steps.map((step) => trace.sourceOf(step)).sort(), [0, 1]);
      }
    });

    it('keeps every event of both, in the order of its own source', () => {
      assert.equal(
        trace.length,
        trace.sources.reduce((sum, { events }) => sum + events.length, 0),
      );
      for (const [i, name] of ['x86-vtd/ftrace.txt', 'x86-vtd/qemu.log'].entries())
        assert.equal(trace.sources[i]!.events.length, fixtureTrace(name).length);
      const last = trace.sources.map(() => -1);
      for (let step = 0; step < trace.length; step++) {
        const source = trace.sourceOf(step);
        assert.equal(trace.rowOf(step), last[source]! + 1);
        last[source]!++;
      }
    });

    it('knows the entry of an irq from the stores that both show, also when the message is torn down', () => {
      // The driver of the nvme function is unbound near the end: all messages are zero.
      const rows = interrupts(trace, trace.length - 1).map(({ row }) => row);
      const actions = grep('x86-vtd/ftrace.txt', /irq_handler_entry: irq=\d+ name=nvme0q\d/);
      for (const [queue, index] of [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ]) {
        const number = /irq=(\d+)/.exec(actions.find(({ text }) => text.endsWith(`nvme0q${queue}`))!.text)![1];
        const row = rows.find(({ irq }) => irq === `irq/${number}`);
        assert.equal(row?.entry, `device/0000:00:03.0/msix/${index}`);
        assert.equal(row?.action, `nvme0q${queue}`);
        assert.equal(rows.filter(({ entry }) => entry === row?.entry).length, 1);
      }
    });

    it('says where the records of the kernel end, and no rule takes their absence for a fault', () => {
      const ends = Array.from({ length: trace.length }, (_, step) => step).filter(
        (step) => trace.table.kind(step).name === 'source.end',
      );
      const [end, ...more] = ends;
      assert.deepEqual(more, []);
      const last = trace.sources[0]!.events;
      assert.equal(trace.table.line(end!), last.line(last.length - 1));
      // Until its end the kernel told of every teardown; behind it functions send for irqs that it set up again.
      const found = checkTrace(trace, rules).findings.filter(({ severity }) => severity === 'error');
      assert.deepEqual(
        found.map(({ rule }) => rule.id).filter((id) => id === 'F10'),
        [],
      );
    });

    it('has one row for an interrupt that both tell of', () => {
      const rows = interrupts(trace, trace.length - 1).map(({ row }) => row);
      const of = (entry: string) => rows.filter((row) => row.entry === entry);
      const [row, ...more] = of('device/0000:00:06.0/msix/1');
      assert.deepEqual(more, []);
      assert.ok(row!.irq !== null && row!.irte !== null, JSON.stringify(row));
    });
  });

  describe('of a host, its guest and the machine of the host', () => {
    const parts: Trace[] = [fixtureTrace('x86-nested/l1-vfio.txt'), fixtureTrace('x86-nested/l2-qemu.log')];
    const trace = joinTraces(parts.map((part) => ({ trace: part })));

    it('has the objects of the guest under its name', () => {
      assert.deepEqual(joinedInfo(trace).systems, ['host', 'guest']);
      assert.ok(trace.world.objectAt('guest:device/0000:00:01.0/msix/0') >= 0);
      assert.ok(trace.world.objectAt('irq/28') >= 0);
    });
  });

  it('takes names and offsets of the user', () => {
    const trace = joinTraces([
      { trace: fixtureTrace('x86-vtd/ftrace.txt'), system: 'board' },
      { trace: fixtureTrace('x86-vtd/qemu.log'), system: 'emulator', offset: -1_795_148_000_000_000_000n },
    ]);
    const { systems, clocks } = joinedInfo(trace);
    assert.deepEqual(systems, ['board', 'emulator']);
    assert.equal(clocks[1]!.offset, '-1795148000.000000000');
    assert.equal(clocks[1]!.uncertainty, null);
    assert.deepEqual(clocks[1]!.evidence, []);
  });
});
