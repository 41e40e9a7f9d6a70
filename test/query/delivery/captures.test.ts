// Paths of deliveries in the captures, compared with those that a naive script takes from the text.
import assert from 'node:assert/strict';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { RecordedKinds } from '../../../src/query/recorded-kinds.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, grep } from '../../helpers/fixtures.ts';
import { armDeliveries, kvmDeliveries, type NaiveHop, x86Deliveries } from '../../helpers/naive-paths.ts';

const text = (name: string): string => Buffer.from(fixtureBytes(name)).toString('latin1');

/** About `count` elements, evenly spread. */
function sample<T>(all: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, i) => i % every === 0);
}

/** The first step of a line. */
function stepOf(trace: Trace, line: number): number {
  let step = trace.lastAtLine(line);
  while (step > 0 && trace.table.line(step - 1) === line) step--;
  assert.equal(trace.table.line(step), line, `line ${line} became an event`);
  return step;
}

/** Lines and stages of the path through the first, the middle and the last line of a delivery; each stage of a line once. */
function check(name: string, deliveries: readonly NaiveHop[][], count: number, only: ReadonlySet<string>): number {
  const trace = fixtureTrace(name);
  const recorded = new RecordedKinds(trace);
  let compared = 0;
  for (const naive of sample(deliveries, count)) {
    for (const { line } of [naive[0]!, naive[naive.length >> 1]!, naive.at(-1)!]) {
      const path = pathAt(trace, stepOf(trace, line), recorded);
      assert.ok(path, `line ${line} belongs to a delivery`);
      const hops = path.hops.map((hop) => ({ line: trace.table.line(hop.step), stage: hop.stage as string }));
      const shown = hops.filter(
        (hop, i) => only.has(hop.stage) && !(hops[i - 1]?.line === hop.line && hops[i - 1]?.stage === hop.stage),
      );
      assert.deepEqual(shown, naive, `${name}, delivery through line ${line}`);
    }
    compared++;
  }
  return compared;
}

describe('paths of captures equal those of the text', () => {
  it('x86 with interrupt remapping: cause, message, remapping, local APIC', () => {
    const naive = x86Deliveries(text('x86-vtd/qemu.log'));
    const compared = check('x86-vtd/qemu.log', naive, 100, new Set(['cause', 'message', 'remap', 'accept']));
    assert.ok(compared >= 100, `${compared} compared`);
  });

  it('Arm: doorbell, tables of the ITS, acknowledge, end', () => {
    const trace = fixtureTrace('arm64-a/qemu.log');
    const naive = armDeliveries(text('arm64-a/qemu.log'));
    const recorded = new RecordedKinds(trace);
    let compared = 0;
    for (const hops of sample(naive, 80)) {
      const path = pathAt(trace, stepOf(trace, hops[0]!.line), recorded)!;
      // What stands in front of the doorbell write depends on the device; from there on all must agree.
      const from = hops[0]!.line;
      const shown = path.hops
        .map((hop) => ({ line: trace.table.line(hop.step), stage: hop.stage as string }))
        .filter((hop) => hop.line >= from);
      assert.deepEqual(shown, hops, `delivery through line ${from}`);
      assert.equal(path.delivered, true);
      compared++;
    }
    assert.ok(compared >= 80, `${compared} compared`);
  });

  it('the host of a virtual machine: handler, irqfd, message, virtual local APIC, injection, end', () => {
    const naive = kvmDeliveries(text('x86-nested/l1-vfio.txt'));
    const only = new Set(['handler', 'signal', 'route', 'accept', 'inject', 'eoi']);
    const trace = fixtureTrace('x86-nested/l1-vfio.txt');
    const recorded = new RecordedKinds(trace);
    let compared = 0;
    for (const hops of naive) {
      const path = pathAt(trace, stepOf(trace, hops[0]!.line), recorded)!;
      const shown = path.hops
        .filter((hop) => only.has(hop.stage) && trace.table.kind(hop.step).name !== 'vfio.fire')
        .map((hop) => ({ line: trace.table.line(hop.step), stage: hop.stage as string }));
      assert.deepEqual(
        shown,
        [...hops].sort((a, b) => a.line - b.line),
        `delivery through line ${hops[0]!.line}`,
      );
      compared++;
    }
    assert.ok(compared >= 20, `${compared} compared`);
  });

  it('the interrupts that the Arm capture loses: where each ended, and why', () => {
    const name = 'arm64-a/qemu.log';
    const trace = fixtureTrace(name);
    const recorded = new RecordedKinds(trace);
    // Lines of -d guest_errors, each right behind the access that it is about, and the cause before them.
    for (const error of [/eventid 16383 >= 8/, /invalid ITE/, /SMMU_EVT_F_TRANSLATION/]) {
      const [line] = grep(name, error).filter(({ text: t }) => !t.includes('@'));
      assert.ok(line, `${error} stands in the capture`);
      const cause = grep(name, /e1000e_irq_msix_notify_vec/).findLast((l) => l.line < line.line)!;
      const path = pathAt(trace, stepOf(trace, cause.line), recorded)!;
      assert.equal(path.delivered, false, String(error));
      assert.match(path.reason!, error);
      assert.equal(trace.table.line(path.hops[0]!.step), cause.line);
    }
  });

  it('a fault that the SMMU recorded is a hop of the delivery that it ended', () => {
    const name = 'arm64-a/qemu.log';
    const trace = fixtureTrace(name);
    const faults = grep(name, /smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x18/);
    assert.ok(faults.length > 0);
    for (const { line } of faults) {
      const cause = grep(name, /e1000e_irq_msix_notify_vec/).findLast((l) => l.line < line)!;
      const path = pathAt(trace, stepOf(trace, line))!;
      assert.deepEqual(
        path.hops.map((hop) => [trace.table.line(hop.step), hop.stage]),
        [
          [cause.line, 'cause'],
          [line, 'remap'],
        ],
      );
      assert.equal(path.delivered, false);
    }
  });
});
