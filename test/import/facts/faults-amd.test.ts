// Faults that were made on a real kernel (Linux 6.12 in QEMU 10.0 with an AMD IOMMU): an nvme whose vectors a shell masked, by function mask and one by one, and
// whose messages it overwrote. What the rules say of the log of the machine, the trace and the log of the kernel, and its irqs, joined.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import type { Finding } from '../../../src/check/check-trace.ts';
import { rules } from '../../../src/check/rules.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, grep } from '../../helpers/fixtures.ts';

const FILES = ['log', 'guest', 'kernel', 'irqs'].map((part) => `x86-amd/faults-${part}.txt`);
const [LOG, GUEST, KERNEL] = FILES as [string, string, string];

/** Seconds of the stamp of a kernel log. */
const stamp = (text: string): number => Number(/^\[ *(\d+\.\d+)\]/.exec(text)![1]);

describe('an nvme with an AMD IOMMU whose interrupts do not arrive', () => {
  let trace: Trace;
  let findings: readonly Finding[];
  before(() => {
    const [log, guest, kernel, irqs] = FILES.map((name) => fixtureTrace(name));
    // The snapshot of the irqs was taken before the recording began: kit.json beside it says so.
    const taken = { from: guest!.first.start, to: guest!.first.start, clock: guest!, by: 'kit.json' as const };
    trace = joinTraces([{ trace: log! }, { trace: guest! }, { trace: kernel! }, { trace: irqs!, taken }]);
    ({ findings } = checkTrace(trace, rules));
  });
  const of = (id: string): Finding[] => findings.filter(({ rule }) => rule.id === id);
  const paths = (id: string): string[] =>
    of(id)
      .map(({ object }) => trace.world.path(object))
      .sort();
  const entries = [1, 2, 3, 4].map((n) => `device/0000:00:03.0/msix/${n}`);

  it('is one system on one clock', () => {
    assert.deepEqual([...new Set(trace.sources.map(({ system }) => system))], ['']);
    for (const name of [GUEST, KERNEL]) {
      const { alignment } = trace.sources.find(({ file }) => file === name)!;
      assert.ok(alignment!.uncertainty! < 250_000, `${name}: ${alignment!.uncertainty} ns`);
    }
  });

  it('R12: what was raised under the function mask, and under the mask bits, came at the unmask', () => {
    assert.deepEqual(paths('R12'), [...entries, ...entries].sort());
    const late = of('R12').map(({ title }) => Number(/came (\d+\.\d+) s later/.exec(title)![1]));
    // The log of the kernel tells when the shell masked and unmasked: the requests were sent after the first, the messages at the second.
    const [from, to, masked, unmasked] = ['function mask', 'function unmask', 'mask entry 1-4', 'io done'].map((text) =>
      stamp(grep(KERNEL, new RegExp(`MARK ${text}$`))[0]!.text),
    );
    for (const seconds of late.slice(0, 4)) assert.ok(seconds < to! - from! && seconds > 1.4, `${seconds} s`);
    for (const seconds of late.slice(4)) assert.ok(seconds < unmasked! - masked! + 1 && seconds > 12, `${seconds} s`);
  });

  it('F06: the four writes of data while nothing masked the entries', () => {
    const lines = grep(LOG, /write .* value 0x77 size 4 name 'msix-table'/).map(({ line }) => line);
    assert.deepEqual(paths('F06'), entries);
    assert.deepEqual(
      of('F06').map(({ step }) => trace.table.line(step)),
      lines,
    );
  });

  it('F30: the messages named an entry of the table that is not present', () => {
    const [refused] = grep(LOG, /amdvi_ir_target_abort RemapEn is disabled/);
    const [finding, ...others] = of('F30');
    assert.equal(others.length, 0);
    assert.equal(finding!.title, '0000:00:03.0 used IRTE 119 of amdvi-0x18, which is not present');
    assert.equal(trace.table.line(finding!.step), refused!.line);
  });

  it('R02: each completion that was polled is told once, with what held its interrupt back', () => {
    const polled = grep(KERNEL, /completion polled/);
    const wrong = stamp(grep(KERNEL, /MARK wrong data/)[0]!.text);
    assert.ok(polled.length > 20);
    assert.ok(grep(GUEST, /console: .*completion polled/).length > 20, 'the trace holds the lines, too');
    const found = of('R02');
    assert.equal(found.length, polled.length);
    for (const [i, { text, object }] of found.entries()) {
      const line = polled[i]!.text;
      const queue = /QID (\d)/.exec(line)![1]!;
      assert.equal(trace.world.path(object), `device/0000:00:03.0/queue/${queue}`);
      const held =
        stamp(line) < wrong
          ? 'was masked by its own mask bit, and its pending bit was set; its message was 0xfee00000/0x\\d'
          : 'was not masked; its message was 0xfee00000/0x77';
      assert.match(
        text,
        new RegExp(`Its irq is ${32 + Number(queue)}, entry ${queue} of 0000:00:03.0. Then the entry ${held}\\.$`),
      );
    }
  });

  it('nothing else is reported but that entries share a message', () => {
    const rest = findings.filter(({ rule }) => !['F06', 'F30', 'R02', 'R12'].includes(rule.id));
    assert.deepEqual([...new Set(rest.map(({ rule }) => rule.id))], ['R10']);
    for (const { title } of rest)
      assert.match(title, /^entry [2-4] of 0000:00:03\.0 sent the message of entry 1 \(0xfee00000\/0x77\)$/);
  });
});
