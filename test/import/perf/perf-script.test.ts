// What perf script prints: heads in all their forms, and the same events as those of ftrace text.
import assert from 'node:assert/strict';
import { eventText, viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { fixtureTrace, grep, importBytes, importText } from '../../helpers/fixtures.ts';
import { bytesOfCase as bytesOf } from '../case.ts';

/** Kind and object of the only event that is not about the CPU being seen. */
const read = (...lines: string[]) => {
  const trace = importText(`${lines.join('\n')}\n`);
  const events = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step));
  return { trace, events: events.filter(({ kind }) => kind !== 'cpu.online') };
};

describe('perf script', () => {
  it('reads heads in every form that its options give', () => {
    const rest = 'irq:irq_handler_entry: irq=28 name=nvme0q1';
    for (const [head, task, time, cpu] of [
      ['         swapper       0 [002]   130.602090: ', 'swapper-0', '130.602090', 2],
      ['     migration/0      21/21      [000]   130.594554847: ', 'migration/0-21', '130.594554847', 0],
      ['     CPU 0/KVM  699876 [004] 108229.766087:          ', 'CPU 0/KVM-699876', '108229.766087', 4],
      [' dbs_load_kernel 426566 [004] 108229.766087: ', 'dbs_load_kernel-426566', '108229.766087', 4],
      ['  a 1   7/8 [001]   1.000001:          1 ', 'a 1-8', '1.000001', 1],
      ['VM:     1 VCPU:000  qemu 77 [001] 5.000000: ', 'qemu-77', '5.000000', 1],
      ['   swapper     0 [003] d.h..   5.000000: ', 'swapper-0', '5.000000', 3],
      ['[003]   5.000000: ', undefined, '5.000000', 3],
    ] as const) {
      const { trace, events } = read(head + rest);
      assert.equal(traceInfo(trace).format, 'perf-script', head);
      const [event, ...more] = events;
      assert.deepEqual(more, [], head);
      assert.deepEqual([event?.kind, event?.object, event?.time, event?.cpu], ['irq.entry', 'irq/28', time, cpu], head);
      assert.equal((event as { task?: string }).task, task, head);
    }
  });

  it('leaves call chains and records of perf itself aside, and counts what perf lost on its CPU', () => {
    const { trace, events } = read(
      '         swapper       0 [002]   130.602090: irq:irq_handler_entry: irq=28 name=nvme0q1',
      '\tffffffff8110b2c4 __handle_irq_event_percpu+0xa4 ([kernel.kallsyms])',
      '\tffffffff81c01a4f asm_common_interrupt+0x1f (/usr/lib/debug/vmlinux)',
      '',
      '         swapper       0 [001]   130.700000: PERF_RECORD_LOST lost 6',
      '         swapper       0 [001]   130.700001: PERF_RECORD_COMM: x:1/1',
      '         swapper       0 [002]   130.800000: irq:irq_handler_exit: irq=28 ret=handled',
    );
    const info = traceInfo(trace);
    assert.deepEqual([info.records, info.understood, info.lost], [2, 2, 6]);
    assert.deepEqual(info.others, { 'stack trace': 2, blank: 1, 'loss marker': 1, 'record of perf': 1 });
    assert.deepEqual(
      events.map(({ kind, cpu }) => [kind, cpu]),
      [
        ['irq.entry', 2],
        ['lost', 1],
        ['irq.exit', 2],
      ],
    );
  });

  it('is not taken for ftrace text, nor that for it', () => {
    const { trace } = read('  swapper-0 [002] d.h.. 130.602090: irq_handler_entry: irq=28 name=nvme0q1');
    assert.equal(traceInfo(trace).format, 'ftrace-text');
  });

  it('counts what the lines of a capture say: losses, and records of events that nobody here knows', () => {
    const info = traceInfo(fixtureTrace('x86-lost/perf-script.txt'));
    const lost = grep('x86-lost/perf-script.txt', /PERF_RECORD_LOST/);
    assert.ok(lost.length > 0);
    assert.equal(
      info.lost,
      lost.reduce((sum, { text }) => sum + Number(/lost (\d+)/.exec(text)![1]), 0),
    );
    assert.equal(info.unknown['block_plug'], grep('x86-lost/perf-script.txt', / block:block_plug:/).length);
    assert.equal(info.understood + Object.values(info.unknown).reduce((a, b) => a + b, 0), info.records);
  });

  it('reads what people paste: a prompt in front, periods, call chains', () => {
    for (const [file, records] of [
      ['perf-script-kvm.txt', 10],
      ['other-perf-F.txt', 3],
    ] as const) {
      const info = traceInfo(importBytes(bytesOf(file)));
      assert.equal(info.format, 'perf-script', file);
      const lines = new TextDecoder().decode(bytesOf(file)).split('\n');
      assert.equal(lines.filter((line) => /\[\d+\] +\d+\.\d+: /.test(line)).length, records, file);
      assert.deepEqual([info.records, info.understood], [records, records], file);
    }
  });

  it('tells the same as ftrace text of the same record', () => {
    const payload = 'vector_config: irq=28 vector=35 cpu=1 apicdest=0x00000100';
    const perf = read(`  kworker/5:2-eve 429543 [005]  10.000001: irq_vectors:${payload}`);
    const text = read(`  kworker/5:2-eve-429543 [005] d..1.  10.000001: ${payload}`);
    const texts = ({ trace }: typeof perf) => Array.from({ length: trace.length }, (_, step) => eventText(trace, step));
    assert.deepEqual(texts(perf), texts(text));
  });
});
