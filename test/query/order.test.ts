// The order of events of different sources: known only where they lie farther apart than their clocks may differ.
import assert from 'node:assert/strict';
import { joinTraces } from '../../src/import/join/join.ts';
import { pathAt } from '../../src/query/delivery/path.ts';
import { viewEvent } from '../../src/query/events.ts';
import { joinedInfo } from '../../src/query/info.ts';
import { orderOf } from '../../src/query/order.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';

describe('the order of events', () => {
  const trace = joinTraces([
    { trace: fixtureTrace('x86-vtd/ftrace.txt') },
    { trace: fixtureTrace('x86-vtd/qemu.log') },
  ]);
  const order = orderOf(trace)!;
  const uncertainty = Number(joinedInfo(trace).clocks[1]!.uncertainty) * 1e9;
  /** Times of the two recorded sources, and what is farther away than the clocks may differ. */
  const apart = (a: number, b: number): number => Math.abs(trace.table.time(a) - trace.table.time(b));
  const recorded = (step: number): boolean => trace.sourceOf(step) < 2;

  it('inside one source it is known, of two sources as far as the clocks of info tell', () => {
    assert.ok(uncertainty > 0 && uncertainty < 1e6);
    let [close, far] = [0, 0];
    for (let step = 1; step < trace.length; step++) {
      if (!recorded(step) || !recorded(step - 1)) continue;
      const same = trace.sourceOf(step) === trace.sourceOf(step - 1);
      const near = apart(step, step - 1) <= uncertainty;
      assert.equal(order.known(step - 1, step), same || !near, `steps ${step - 1} and ${step}`);
      if (!same && near) close++;
      if (!same && !near) far++;
    }
    assert.ok(close > 10 && far > 10, `${close} pairs are close, ${far} are not`);
  });

  it('tells the nearest event of another source on either side, and none where all are far away', () => {
    let marked = 0;
    for (let step = 0; step < trace.length; step++) {
      if (!recorded(step) || Number.isNaN(trace.table.time(step))) continue;
      const other = (s: number): boolean => recorded(s) && trace.sourceOf(s) !== trace.sourceOf(step);
      const close: number[] = [];
      for (const by of [-1, 1])
        for (let s = step + by; s >= 0 && s < trace.length && Math.abs(s - step) < 300; s += by)
          if (other(s) && apart(s, step) <= uncertainty) {
            close.push(s);
            break;
          }
      assert.deepEqual(order.unknownBeside(step), close, `step ${step}`);
      if (close.length > 0) marked++;
    }
    assert.ok(marked > 100, `${marked} events`);
  });

  it('a path says of which hops it is not known', () => {
    // The machine delivers to the processor, and the kernel in it runs the handler some microseconds later.
    const entries = Array.from({ length: trace.length }, (_, step) => step).filter((step) => {
      const { kind, object } = viewEvent(trace, step);
      return kind === 'irq.entry' && object === 'irq/41';
    });
    const { hops } = entries
      .slice(0, 20)
      .map((step) => pathAt(trace, step)!)
      .find((path) => path.hops.some(({ unordered }) => unordered !== undefined))!;
    const steps = hops.map(({ step }) => step);
    assert.ok(new Set(steps.map((step) => trace.sourceOf(step))).size === 2);
    for (const { step, unordered } of hops)
      assert.deepEqual(
        unordered ?? [],
        steps.filter((s) => trace.sourceOf(s) !== trace.sourceOf(step) && apart(s, step) <= uncertainty),
      );
  });

  it('a trace of one source knows all', () => {
    assert.equal(orderOf(fixtureTrace('x86-vtd/qemu.log')), undefined);
  });
});
