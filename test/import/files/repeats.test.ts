// What two files both recorded is told once: logs that overlap, a report of a part of a longer recording; other files stay as they are.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { withoutRepeats } from '../../../src/import/files/repeats.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureLines, fixtureTrace, importText } from '../../helpers/fixtures.ts';

const part = (name: string, from: number, to: number, file: string): Trace =>
  importText(
    `${fixtureLines(name)
      .slice(from, to)
      .map(({ text }) => text)
      .join('\n')}\n`,
    file,
  );

const count = (trace: Trace, ...kinds: readonly string[]): number => {
  let n = 0;
  for (let step = 0; step < trace.length; step++) if (kinds.includes(trace.table.kind(step).name)) n++;
  return n;
};

const join = (traces: readonly Trace[]): Trace => joinTraces(traces.map((trace) => ({ trace })));

describe('files that overlap', () => {
  it('of a log that was rotated, each record is told once', () => {
    const name = 'x86-vtd/qemu.log';
    const lines = fixtureLines(name).length;
    const [first, second] = [
      part(name, 0, Math.round(lines * 0.7), 'a'),
      part(name, Math.round(lines * 0.4), lines, 'b'),
    ];
    const kept = whole(withoutRepeats([first, second]));
    assert.equal(kept[0], first);
    const all = fixtureTrace(name);
    const joined = join(kept);
    // Messages, translations and deliveries of the whole log; what depends on what came before it may be told in other words.
    for (const kind of ['ir.request', 'ir.remap', 'apic.deliver', 'iec.inv', 'tbl.write'])
      assert.equal(count(joined, kind), count(all, kind), kind);
    assert.ok(count(join([first, second]), 'apic.deliver') > count(all, 'apic.deliver') * 1.2);
    const [, b] = joinedInfo(joined).sources;
    assert.equal(b!.repeats!.of, 'a');
    assert.equal(b!.events + b!.repeats!.events, second.length);
    assert.equal(b!.records, Math.round(lines) - Math.round(lines * 0.4));
  });

  it('of a text with more digits than the other one', () => {
    const name = 'x86-vtd/ftrace.txt';
    const lines = fixtureLines(name);
    const coarse = part(name, 0, 4000, 'a');
    const fine = importText(
      `# tracer: nop\n${lines
        .slice(3000, 6000)
        .map(({ text }) => text.replace(/( \d+\.\d{6}): /, '$1407: '))
        .join('\n')}\n`,
      'b',
    );
    const joined = join(whole(withoutRepeats([coarse, fine])));
    const all = part(name, 0, 6000, 'c');
    for (const kind of ['irq.entry', 'irq.exit', 'vec.update', 'msg.write'])
      assert.equal(count(joined, kind), count(all, kind), kind);
  });

  it('files that were not recorded together stay as they are', () => {
    const own = fixtureTrace('x86-vtd/qemu.log');
    for (const other of ['x86-x2apic/qemu.log', 'x86-vtd/ftrace.txt', 'x86-nested/l2-qemu.log'])
      assert.equal(whole(withoutRepeats([own, fixtureTrace(other)]))[1], fixtureTrace(other), other);
    const kernel = fixtureTrace('x86-vtd/ftrace.txt');
    for (const other of ['arm64-a/ftrace-06-vfio.txt', 'x86-nested/l1-ftrace.txt', 'x86-x2apic/irq-events.txt'])
      assert.equal(whole(withoutRepeats([kernel, fixtureTrace(other)]))[1], fixtureTrace(other), other);
  });
});
