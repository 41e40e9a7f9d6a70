// Softirqs (include/trace/events/irq.h, kernel/softirq.c): what a handler raised, when it ran, and how the path of an interrupt goes on there.
import assert from 'node:assert/strict';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { pathValue } from '../../../src/query/state.ts';
import { statisticsOf } from '../../../src/query/statistics/rows.ts';
import { wholly } from '../samples.ts';

const line = (cpu: number, time: string, payload: string): string =>
  `          <idle>-0       [00${cpu}] d.h1.    ${time}: ${payload}\n`;
const NET = [
  line(2, '10.000100', 'irq_handler_entry: irq=41 name=eth0'),
  line(2, '10.000101', 'softirq_raise: vec=3 [action=NET_RX]'),
  line(2, '10.000102', 'irq_handler_exit: irq=41 ret=handled'),
  line(2, '10.000105', 'softirq_entry: vec=3 [action=NET_RX]'),
  line(2, '10.000125', 'softirq_exit: vec=3 [action=NET_RX]'),
].join('');
const lines = (text: string): string => `# tracer: nop\n${text}`;

describe('softirqs', () => {
  it('are raised and run on the CPU of the record', () => {
    const { trace, events, info } = wholly(lines(NET));
    assert.deepEqual(events.slice(1, 2).concat(events.slice(3)), [
      'softirq.raise cpu/2/softirq/NET_RX',
      'softirq.entry cpu/2/softirq/NET_RX',
      'softirq.exit cpu/2/softirq/NET_RX',
    ]);
    assert.equal(info.understood, 5);
    const at = (key: string, step: number): unknown =>
      pathValue(trace.stateAt(step), `cpu/2/softirq/NET_RX/${key}`) ?? null;
    const step = (n: number): number => trace.lastAtLine(n + 1);
    assert.deepEqual([at('raised', step(2)), at('running', step(2))], [true, null]);
    assert.deepEqual([at('raised', step(4)), at('running', step(4))], [false, true]);
    assert.deepEqual([at('raised', step(5)), at('running', step(5))], [false, false]);
    assert.deepEqual([at('raises', step(5)), at('entries', step(5))], [1, 1]);
  });

  it('the fields option and perf script print the same', () => {
    const fields = wholly(lines(line(1, '10.000100', 'softirq_raise: vec=0x1 (1)'))).events;
    assert.deepEqual(fields, ['softirq.raise cpu/1/softirq/TIMER']);
    const perf = wholly(' swapper     0 [001]    10.000100: irq:softirq_entry: vec=9 [action=RCU]\n').events;
    assert.deepEqual(perf, ['softirq.entry cpu/1/softirq/RCU']);
  });

  it('a number that no softirq has is without effect', () => {
    const { info } = wholly(lines(line(1, '10.000100', 'softirq_raise: vec=10 [action=0xa]')));
    assert.deepEqual(info.withoutEffect, { softirq_raise: 1 });
  });

  it('the path of an interrupt goes on to the softirq that its handler raised', () => {
    const { trace } = wholly(lines(NET));
    const hops = [
      'handler irq/41',
      'handler cpu/2/softirq/NET_RX',
      'handler irq/41',
      'handler cpu/2/softirq/NET_RX',
      'handler cpu/2/softirq/NET_RX',
    ];
    for (let n = 2; n <= 6; n++) {
      const path = pathAt(trace, trace.lastAtLine(n));
      assert.deepEqual(
        path?.hops.map(({ stage, object }) => `${stage} ${object}`),
        hops,
        `line ${n}`,
      );
      assert.equal(
        path?.hops.every(({ seen }) => seen),
        true,
      );
      assert.equal(path?.delivered, true);
    }
  });

  it('what no handler raised, or another CPU runs, is no part of the path', () => {
    const { trace } = wholly(
      lines(
        line(2, '10.000050', 'softirq_raise: vec=1 [action=TIMER]') +
          line(2, '10.000100', 'irq_handler_entry: irq=41 name=eth0') +
          line(1, '10.000101', 'softirq_raise: vec=3 [action=NET_RX]') +
          line(2, '10.000102', 'irq_handler_exit: irq=41 ret=handled') +
          line(1, '10.000105', 'softirq_entry: vec=3 [action=NET_RX]') +
          line(2, '10.000106', 'softirq_entry: vec=1 [action=TIMER]'),
      ),
    );
    const path = pathAt(trace, trace.lastAtLine(3));
    assert.deepEqual(
      path?.hops.map(({ object }) => object),
      ['irq/41', 'irq/41'],
    );
  });

  it('statistics by vector tell how long it waited and ran', () => {
    const again = NET.replaceAll('10.0001', '11.0002').replace('11.000205', '11.000215');
    const work = statisticsOf(wholly(lines(NET + again)).trace, 'vector');
    let result = work.next();
    while (!result.done) result = work.next();
    const row = result.value.find(({ key }) => key === 'cpu/2/softirq/NET_RX');
    // 4 and 14 µs from the raise to the run; 20 and 10 µs of run.
    assert.deepEqual([row?.count, row?.latency.p50, row?.latency.max], [2, '0.000004', '0.000014']);
    assert.deepEqual([row?.service.p50, row?.service.max], ['0.000010', '0.000020']);
  });
});
