// What a rule may say of a trace that does not show everything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckRun, checkTrace } from '../../src/check/check-run.ts';
import { orderOf, RuleCheck, showsAll } from '../../src/check/check-trace.ts';
import type { Happened } from '../../src/check/rule.ts';
import { ruleNamed, rules } from '../../src/check/rules.ts';
import { ImportRun } from '../../src/import/run.ts';
import { World } from '../../src/model/world.ts';
import { RecordedKinds } from '../../src/query/recorded-kinds.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Walk } from '../../src/trace/walk.ts';
import { fixtureTrace, importText, traceFixtures } from '../helpers/fixtures.ts';
import { bundled, run } from '../sim/run.ts';
import { found, made, verdict } from './made.ts';

const up = '1@0 kvm.line kvm/0/gsi/10 level=true source=1';
const ack = '10@0 kvm.ack kvm/0/irqchip chip=IOAPIC pin=10';
/** Another line goes down on the other CPU: such records are written. */
const other = '5000@1 kvm.line kvm/0/gsi/4 level=false source=0';

describe('what did not happen', () => {
  it('counts where such events are recorded and none were lost in the window', () => {
    assert.equal(found(made(`${up}\n${ack}\n${other}`), 'F46').length, 1);
    assert.equal(verdict(made(`${up}\n${ack}\n${other}`), 'F46'), 'fail');
  });

  it('is undecidable where events were lost in the window, and counts again behind it', () => {
    const lost = made(`${up}\n${ack}\n20@0 lost cpu/0 count=5\n${other}`);
    assert.deepEqual(found(lost, 'F46'), []);
    const before = made(`0.5@0 lost cpu/0 count=5\n${up}\n${ack}\n${other}`);
    assert.equal(verdict(before, 'F46'), 'fail');
  });

  it('is undecidable where the records of a CPU only begin inside the window', () => {
    const begins = made(`${up}\n${ack}\n20@1 start cpu/1\n${other}`);
    assert.deepEqual(found(begins, 'F46'), []);
    assert.equal(verdict(begins, 'F46'), 'undecidable');
    assert.equal(verdict(made(`0.5@1 start cpu/1\n${up}\n${ack}\n${other}`), 'F46'), 'fail');
  });

  it('is undecidable where such events are not recorded at all', () => {
    const trace = made(`${up.replace('kvm.line kvm/0/gsi/10 level=true source=1', 'mark marker text=x')}\n${ack}`);
    assert.equal(verdict(trace, 'F46'), 'undecidable');
    assert.equal(verdict(made('1 mark marker text=x'), 'F46'), 'not-applicable');
  });
});

describe('a rule that passes', () => {
  for (const name of traceFixtures())
    it(`${name}: had all of its inputs`, () => {
      const trace = fixtureTrace(name);
      const verdicts = checkTrace(trace, rules).verdicts();
      const kinds = new RecordedKinds(trace);
      const blind = rules.filter(
        ({ needs, needsAll }) => needsAll || needs.some((group) => !group.some((kind) => kinds.has(kind))),
      );
      assert.deepEqual(
        blind.filter(({ id }) => verdicts[id] === 'pass' || verdicts[id] === 'fail').map(({ id }) => id),
        [],
      );
    });

  it('a simulation lacks nothing: what it does not hold did not happen', () => {
    const { trace } = run(bundled('kvm-mask-in-flight'));
    assert.equal(showsAll(trace), true);
    assert.equal(checkTrace(trace, rules).verdicts()['F54'], 'pass');
  });
});

/** Two sources on one clock: the routes in the first, what is posted in the second, `gap` microseconds later. */
function joined(gap: number): Trace {
  const head = '#irqtrace 1\n#clock seconds digits=9 realtime\n';
  const world = new World();
  const source = (text: string, file: string): Trace => {
    const work = new ImportRun(file, { world, system: '' });
    work.push(new TextEncoder().encode(head + text));
    return work.end();
  };
  const route = 'route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22';
  const stamp = (0.001 + gap / 1e6).toFixed(9);
  const trace = source(`0.001000000 - - ${route}\n`, 'routes');
  const posted = 'pi.update kvm/0/irqfd/24 enable=true hostIrq=40 vcpu=0 vector=35';
  trace.join(...source(`${stamp} - - ${posted}\n`, 'posted').sources);
  return trace;
}

describe('the file of a simulated run', () => {
  const text = readFileSync(join(import.meta.dirname, '../../examples/migration-good.irqtrace'), 'latin1');

  it('shows everything, unless lines of it cannot be read', () => {
    assert.equal(showsAll(importText(text)), true);
    const accepted = text.split('\n').filter((line) => line.includes(' apic.accept ')).length;
    assert.ok(accepted > 1);
    const damaged = importText(text.replaceAll(' apic.accept ', ' ?? '));
    assert.equal(showsAll(damaged), false);
    // Without the lines that tell where messages went, none of them is known to be lost.
    const { findings } = checkTrace(damaged, rules);
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule.id),
      [],
    );
    assert.equal(showsAll(importText(`${text}\nno event\n`)), false);
  });
});

describe('the order of events of two sources', () => {
  it('is known only where their times lie further apart than clocks may differ', () => {
    assert.equal(verdict(joined(5000), 'F58'), 'fail');
    assert.equal(verdict(joined(200), 'F58'), 'undecidable');
    assert.deepEqual(found(joined(200), 'F58'), []);
  });

  it('is always known inside one source', () => {
    assert.equal(orderOf(fixtureTrace('x86-vtd/qemu.log')), undefined);
    const trace = joined(200);
    assert.equal(orderOf(trace)!(0, 0), true);
    assert.equal(orderOf(trace)!(0, 1), false);
  });

  describe('where the clock counts ticks', () => {
    // One handler run in every 5 units: as nanoseconds a storm.
    const runs = Array.from({ length: 2500 }, (_, i) => `${i * 5} cpu0 - irq.exit irq/24 handled=true`).join('\n');
    const ticks = importText(`#irqtrace 1\n#clock ticks digits=0 "counter"\n${runs}\n`);

    it('a rule that measures times finds nothing by them and is undecidable', () => {
      assert.equal(ticks.time.ticks, true);
      assert.equal(ticks.length, 2500);
      assert.deepEqual(found(ticks, 'F80'), []);
      assert.equal(verdict(ticks, 'F80'), 'undecidable');
      const run = new CheckRun(ticks, [ruleNamed('F80')!], false);
      while (run.advance(1000));
      assert.deepEqual(run.check!.verdicts(), { F80: 'undecidable' }, 'nor in slices');
    });

    it('what else rides on the same walk still sees the ticks', () => {
      const seen: number[] = [];
      const rider = { event: (_: number, { time }: Happened) => void seen.push(time) };
      const check = new RuleCheck([ruleNamed('F80')!], ticks.world, false, () => true, undefined, {
        ticks: true,
      });
      const walk = new Walk(ticks, [check, rider]);
      while (walk.advance(100));
      assert.deepEqual(check.verdicts(), { F80: 'undecidable' });
      assert.deepEqual([seen.length, seen[1], seen[2499]], [2500, 5, 12_495]);
    });

    it('a rule that counts still finds', () => {
      const none = runs.replaceAll('handled=true', 'handled=false');
      assert.equal(found(importText(`#irqtrace 1\n#clock ticks digits=0 "counter"\n${none}\n`), 'F80').length, 1);
    });
  });
});
