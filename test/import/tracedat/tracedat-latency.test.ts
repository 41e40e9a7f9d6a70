// The text of a latency tracer in a trace.dat of version 6.
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import { datV6 } from '../../helpers/trace-dat.ts';

describe('a latency tracer', () => {
  it('text of a latency tracer is read as ftrace prints it', () => {
    const bytes = datV6({ formats: [], rings: [{ cpus: [{ cpu: 0, pages: [] }] }] });
    const word = Buffer.from(bytes).indexOf('flyrecord');
    const text = [
      '# tracer: irqsoff',
      '#',
      '# irqsoff latency trace v1.1.5 on 6.1.0',
      '# latency: 16 us, #2/2, CPU#1 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:4)',
      '  <idle>-0       1d.h1    0us : irq_handler_entry: irq=41 name=nvme0q1',
      '  <idle>-0       1d.h1   16us : irq_handler_exit: irq=41 ret=handled',
      '',
    ].join('\n');
    const whole = Buffer.concat([bytes.subarray(0, word), Buffer.from(`latency  \0${text}`)]);
    const trace = importBytes(whole);
    const info = traceInfo(trace);
    assert.deepEqual([info.format, info.records, info.understood, info.problem], ['trace-dat', 2, 2, null]);
    assert.match(info.variant, /^version 6, text of a latency tracer: latency format, tracer irqsoff/);
    assert.deepEqual([info.start, info.end, info.lines], ['0.000000', '0.000016', 6]);
    const entry = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step)).find(
      ({ kind }) => kind === 'irq.entry',
    );
    assert.equal(entry?.object, 'irq/41');
    assert.equal(entry?.source.offset, whole.indexOf('  <idle>-0       1d.h1    0us'));
  });
});
