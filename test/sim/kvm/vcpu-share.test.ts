// Virtual CPUs that share CPUs of the host: who has one when, and what exits take from the guest. What is expected follows from the slice and from
// the costs in src/sim/kvm: an exit or entry takes 600 ns, a handler of the guest 1200 ns.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { comparing } from '../../../src/sim/measures/compare.ts';
import { type Measures, Meter } from '../../../src/sim/measures/measure.ts';
import { TraceRecorder } from '../../../src/sim/recorder.ts';
import { readScenario } from '../../../src/sim/scenario.ts';
import { newTrace, Simulation } from '../../../src/sim/simulation.ts';
import { comparedBars, comparedRows, verdict } from '../../../src/view/policy-comparison.ts';
import { bundled, events, run, scenarioOf } from '../run.ts';

const BDF = '0000:00:04.0';
const ns = (e: EventView): number => Math.round(Number(e.time) * 1e9);

/** Two virtual CPUs, as a rule on one CPU of the host, and a function whose interrupt goes to the first. */
function shared(share: object, workload: readonly object[] = [], more: object = {}): object {
  return {
    platform: { cpus: 2 },
    vms: [
      {
        vcpus: 2,
        share: { cpus: 1, slice: '100us', ...share },
        devices: [{ bdf: BDF, name: 'net', vectors: 1, source: 'irqfd', ...more }],
      },
    ],
    policies: { msixOwner: 'kernel' },
    workload,
  };
}

const storm = (at: string, every: string, times: number): object => ({
  at,
  op: 'device.raise',
  object: `device/${BDF}/msix/0`,
  every,
  times,
});

/** When each virtual CPU was in the guest, as the events tell: from kvm.entry to kvm.exit. */
function stays(all: readonly EventView[], vcpu: string): [number, number][] {
  const found: [number, number][] = [];
  let since: number | undefined;
  for (const e of all) {
    if (e.object !== vcpu) continue;
    if (e.kind === 'kvm.entry') since = ns(e);
    else if (e.kind === 'kvm.exit') {
      found.push([since!, ns(e)]);
      since = undefined;
    }
  }
  return found;
}

/** How much of a span lies in others. */
const within = (spans: readonly (readonly [number, number])[], from: number, to: number): number =>
  spans.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);

/** The handlers of the guest on a virtual CPU, from irq.entry to irq.exit. */
function handlers(all: readonly EventView[], vcpu: string): [number, number][] {
  const own = all.filter((e) => e.task === `guest-kernel/vm0.${vcpu}` && /^irq\.(entry|exit)$/.test(e.kind));
  return own.flatMap((e, i) => (e.kind === 'irq.entry' ? [[ns(e), ns(own[i + 1]!)] as [number, number]] : []));
}

function measured(document: object, settings: Readonly<Record<string, string>> = {}): Measures {
  const meter = new Meter(new TraceRecorder(newTrace('x')));
  const simulation = new Simulation({ scenario: scenarioOf(document), seed: 1, settings, operations: [] }, meter);
  simulation.run();
  return meter.measures(simulation);
}

describe('virtual CPUs that share CPUs of the host', () => {
  it('take turns: one at a time, each for a slice, and leave the guest in between', () => {
    const all = events(run(shared({ until: '2ms' })));
    const turns = all.filter((e) => e.kind === 'vcpu.sched' && ns(e) < 2e6);
    let holder: string | undefined;
    let since = 0;
    let full = 0;
    for (const e of turns) {
      if (e.fields['on'] === true) {
        assert.equal(holder, undefined, 'nobody else has the CPU');
        [holder, since] = [e.object, ns(e)];
        continue;
      }
      assert.equal(holder, e.object);
      assert.equal(e.fields['sleeps'], false);
      // The slice, and the exit that the timer causes; looks of the other thread are 500 ns apart.
      assert.ok(ns(e) - since >= 100_000 && ns(e) - since <= 101_200, `${ns(e) - since}`);
      const left = all.findLast((x) => x.step < e.step && x.object === e.object && x.kind === 'kvm.exit')!;
      assert.deepEqual([left.fields['reason'], ns(e) - ns(left)], ['EXTERNAL_INTERRUPT', 600]);
      holder = undefined;
      full++;
    }
    assert.ok(full >= 18);
    const [first, second] = ['vcpu/0', 'vcpu/1'].map((vcpu) => stays(all, vcpu));
    for (const [from, to] of first!) assert.equal(within(second!, from, to), 0, 'never both in the guest');
    assert.ok(all.every((e) => !/^vcpu/.test(e.object) || e.cpu === null || e.cpu === 0));
  });

  it('run side by side where there are as many CPUs', () => {
    const all = events(run(shared({ cpus: 2, until: '1ms' })));
    assert.ok(!all.some((e) => e.kind === 'kvm.exit' && e.fields['reason'] === 'EXTERNAL_INTERRUPT'));
    assert.deepEqual(
      ['vcpu/0', 'vcpu/1'].map((vcpu) => new Set(all.filter((e) => e.object === vcpu).map((e) => e.cpu))),
      [new Set([0]), new Set([1])],
    );
  });

  it('a handler that is taken off the CPU goes on in the next turn: it has its 1200 ns in the guest, however long that takes', () => {
    const sim = run(shared({ slice: '20us', until: '3ms' }, [storm('500us', '3us', 600)]));
    const all = events(sim);
    const inside = stays(all, 'vcpu/0');
    const spans = handlers(all, 'vcpu0');
    assert.ok(spans.length > 100);
    for (const [from, to] of spans) assert.equal(within(inside, from, to), 1200);
    assert.ok(
      spans.some(([from, to]) => to - from > 20_000),
      'one waited for a turn of the other virtual CPU',
    );
  });

  it('halt when their programs end; an interrupt wakes the thread, which enters, serves it and halts again', () => {
    const all = events(run(shared({ until: '300us' }, [storm('500us', '0ns', 1)])));
    const since = all.filter((e) => ns(e) >= 500_000 && e.object === 'vcpu/0');
    assert.deepEqual(
      since.map((e) => [e.kind, e.fields['on'] ?? e.fields['reason'], e.fields['sleeps']]),
      [
        ['vcpu.sched', false, false],
        ['vcpu.sched', true, undefined],
        ['kvm.entry', undefined, undefined],
        ['kvm.exit', 'EXTERNAL_INTERRUPT', undefined],
        ['kvm.entry', undefined, undefined],
        ['kvm.exit', 'HLT', undefined],
        ['vcpu.sched', false, true],
      ],
    );
    assert.equal(handlers(all, 'vcpu0').filter(([from]) => from > 500_000).length, 1);
    const asleep = all.filter((e) => e.kind === 'vcpu.sched' && e.fields['sleeps'] === true);
    assert.deepEqual(asleep.map((e) => e.object).sort(), ['vcpu/0', 'vcpu/0', 'vcpu/1']);
  });

  it('the own time of the guest is what the events leave: in the guest, less the handlers', () => {
    const document = shared({ until: '2ms' }, [storm('300us', '5us', 300)], { maskEach: true });
    const all = events(run(document));
    let own = 0;
    for (const vcpu of ['vcpu0', 'vcpu1']) {
      const inside = stays(all, vcpu.replace('vcpu', 'vcpu/'));
      const served = handlers(all, vcpu);
      own += inside.reduce((sum, [from, to]) => sum + to - from - within(served, from, to), 0);
    }
    assert.equal(measured(document).guestTime, own);
    const calm = measured(shared({ until: '2ms' })).guestTime!;
    assert.ok(own < calm && calm < 2e6, 'handlers and exits take it from the one CPU that there is');
  });

  it('without the key nobody takes turns, and the own time of the guest is not known', () => {
    const document = bundled('kvm-mask-per-interrupt');
    assert.equal(measured(document).guestTime, null);
    assert.ok(!events(run(document)).some((e) => e.kind === 'vcpu.sched'));
  });

  it('a scenario that shares more CPUs than the host has is refused', () => {
    const read = readScenario({ title: 't', description: 'd', ...shared({ cpus: 3, until: '1ms' }) });
    assert.deepEqual(read, [{ path: 'vms.0.share.cpus', problem: 'the host has 2 CPUs' }]);
  });
});

describe('an interrupt storm', () => {
  const scenario = scenarioOf(bundled('interrupt-storm'));
  const work = comparing({ scenario, seed: 1, settings: {}, operations: [] }, 'msixOwner', 3, 1_000_000);
  const comparison = (() => {
    for (let at = work.next(); ; at = work.next()) if (at.done) return at.value;
  })();
  const [user, maskBit, kernel] = ['user', 'maskBit', 'kernel'].map(
    (value) => comparison.values.find((one) => one.value === value)!.measures,
  );

  it('exits cost throughput: the fewer of them go to the VMM, the more causes are handled and the more time the program has', () => {
    const rate = (m: Measures): number => m.delivered / m.time;
    assert.ok(rate(user!) < rate(maskBit!) && rate(maskBit!) < rate(kernel!));
    assert.ok(kernel!.delivered > 2 * user!.delivered);
    assert.ok(user!.guestTime! < maskBit!.guestTime! && maskBit!.guestTime! < kernel!.guestTime!);
    for (const { measures: m } of comparison.values) {
      assert.equal(m.causes, 640);
      assert.equal(m.delivered + m.merged, 640, 'no cause is lost: what is not handled alone has merged');
      // One CPU of the host: its 4 ms go to the program, to handlers, to exits and to turns, each ns once.
      const handled = m.delivered * 1500;
      assert.ok(m.guestTime! + m.exitTime + handled < m.time);
    }
  });

  it('the comparison shows both, and says what is left of the guest', () => {
    const rows = new Map(comparedRows(comparison).map((row) => [row.label, row.cells]));
    const at = comparison.values.findIndex(({ value }) => value === 'user');
    assert.equal(rows.get('causes handled per ms')?.[at], ((user!.delivered * 1e6) / user!.time).toFixed(2));
    assert.match(rows.get("the guest's own time")?.[at] ?? '', /^\d\.\d{3} ms$/);
    assert.ok(comparedBars(comparison).some(({ label }) => label === "The guest's own time"));
    assert.match(verdict(comparison), /leaves? the guest \d\.\d{3} ms of its own instead of down to \d\.\d{3} ms\.$/);
  });
});
