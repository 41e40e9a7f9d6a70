// The log of a kernel beside a trace of the same kernel: printk and the local clock of the ring buffer are one clock.
import assert from 'node:assert/strict';
import { joinTraces } from '../../../src/import/join/join.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { importText } from '../../helpers/fixtures.ts';

const FTRACE = `# tracer: nop
          <idle>-0       [002] d.h1.   100.000001: irq_handler_entry: irq=42 name=nvme0q1
          <idle>-0       [002] d.h1.   300.000001: irq_handler_exit: irq=42 ret=handled
`;
const FAULT =
  'DMAR: [INTR-REMAP] Request device [65:00.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear';

describe('a kernel log joined with a trace of its kernel', () => {
  it('stands between its events, on its clock', () => {
    const trace = joinTraces([FTRACE, `[  200.000000] ${FAULT}\n`].map((text) => ({ trace: importText(text) })));
    const kinds = Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name);
    assert.deepEqual(
      kinds.filter((kind) => /^(irq|ir)\./.test(kind)),
      ['irq.entry', 'ir.fault', 'irq.exit'],
    );
    const { systems, clocks } = joinedInfo(trace);
    // The text of ftrace does not tell its clock. With another one than the local clock both may differ, in one capture by 1.59 s.
    assert.deepEqual([systems, clocks[1]?.offset, clocks[1]?.uncertainty], [[], '0.000000000', null]);
    assert.deepEqual([trace.sources[1]!.alignment?.assumed, trace.sources[1]!.alignment?.told], [true, undefined]);
    assert.equal(kinds.includes('source.end'), false, 'a log ends when nothing is said any more');
  });

  it('beside a recording that tells that its clock is the local one, it is known to be that clock', () => {
    const parts = [FTRACE, `[  200.000000] ${FAULT}\n`].map((text) => ({ trace: importText(text) }));
    parts[0]!.trace.first.clock = 'local';
    const { alignment } = joinTraces(parts).sources[1]!;
    assert.deepEqual([alignment?.uncertainty, alignment?.told, alignment?.assumed], [1e6, true, undefined]);
  });

  it('by the wall clock it is not brought to that of the trace by its stamps', () => {
    const trace = joinTraces(
      [FTRACE, `[Thu Oct 22 08:54:51 2020] ${FAULT}\n`].map((text) => ({ trace: importText(text) })),
    );
    assert.equal(joinedInfo(trace).clocks[1]?.uncertainty, null);
  });
});
