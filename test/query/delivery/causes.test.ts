// Simulated traces number their causes. The tracker goes by objects and threads; its deliveries must agree with the numbers.
import assert from 'node:assert/strict';
import { scenarioNames } from '../../../scripts/scenarios.ts';
import type { Delivery } from '../../../src/query/delivery/delivery.ts';
import { deliveryAt } from '../../../src/query/delivery/find.ts';
import { DeliveryTracker } from '../../../src/query/delivery/tracker.ts';
import { argumentOf, eventRow } from '../../../src/trace/row.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { Walk } from '../../../src/trace/walk.ts';
import { fixtureTrace } from '../../helpers/fixtures.ts';
import { bundled, run } from '../../sim/run.ts';

/** All deliveries of a trace. */
function deliveries(trace: Trace): Delivery[] {
  const ended: Delivery[] = [];
  const tracker = new DeliveryTracker(trace, (delivery) => ended.push(delivery));
  new Walk(trace, [tracker]).advance();
  return [...ended, ...tracker.slots.open];
}

/** The numbers of the causes that the events of a delivery name. */
function causesOf(trace: Trace, delivery: Delivery): Set<number> {
  const causes = new Set<number>();
  for (const { step } of delivery.hops) {
    const cause = argumentOf(trace.table.read(step, eventRow(trace.table.kind(step))), 'cause');
    if (cause !== undefined) causes.add(cause);
  }
  return causes;
}

/** Scenarios with so many events that they would take long. */
const LARGE = new Set(['queues-10000']);

describe('deliveries of simulated traces', () => {
  for (const name of scenarioNames().filter((scenario) => !LARGE.has(scenario)))
    it(`${name}: each cause belongs to one delivery`, () => {
      const { trace } = run(bundled(name));
      const all = deliveries(trace);
      const owner = new Map<number, Delivery>();
      for (const delivery of all)
        for (const cause of causesOf(trace, delivery)) {
          const other = owner.get(cause);
          // A cause that a delivery met on its way stands in both: one was merged into the other.
          const merged = other && (other.into === delivery || delivery.into === other);
          assert.ok(!other || merged, `cause ${cause} is in one delivery`);
          owner.set(cause, delivery);
        }
      for (const delivery of all)
        for (const [i, hop] of delivery.hops.entries())
          assert.ok(i === 0 || hop.step >= delivery.hops[i - 1]!.step, 'hops are in order');
    });

  it('a path that is looked for around an event is the delivery of the whole walk', () => {
    for (const name of [
      'chain-basic',
      'chain-remap',
      'its-basic',
      'posted-interrupts',
      'kvm-assigned-pending',
      'ims-queue-memory',
      'first-run',
      'affinity-move',
    ]) {
      const { trace } = run(bundled(name));
      for (const delivery of deliveries(trace))
        for (const { step } of delivery.hops) {
          const found = deliveryAt(trace, step);
          assert.deepEqual(
            found?.hops.map((hop) => hop.step),
            delivery.hops.map((hop) => hop.step),
            `${name}, step ${step}`,
          );
        }
    }
  });

  it('the same in captures', () => {
    for (const name of [
      'x86-vtd/qemu.log',
      'arm64-a/qemu.log',
      'x86-nested/l1-vfio.txt',
      'x86-vtd/ftrace.txt',
      'arm64-gicv2m/qemu.log',
    ]) {
      const trace = fixtureTrace(name);
      const all = deliveries(trace).filter((delivery) => delivery.hops.length > 1);
      const every = Math.max(1, Math.floor(all.length / 25));
      for (const delivery of all.filter((_, i) => i % every === 0)) {
        const steps = delivery.hops.map((hop) => hop.step);
        for (const step of [steps[0]!, steps[steps.length >> 1]!, steps.at(-1)!])
          assert.deepEqual(
            deliveryAt(trace, step)?.hops.map((hop) => hop.step),
            steps,
            `${name}, step ${step}`,
          );
      }
    }
  });
});
