// Statistics of traces made by hand: what is counted, between which events it is measured, and what cannot be told.
import assert from 'node:assert/strict';
import { always, made, rowOf, rowsOf, untold, us } from './rows.ts';

const ENTRY = 'device/0000:03:00.0/msix/1';

describe('statistics: handlers', () => {
  it('service is from entry to exit on the same CPU', () => {
    const trace = made(`
      100 0 irq.entry irq/24 name=a
      110 1 irq.entry irq/25 name=b
      115 1 irq.exit irq/25 handled=true
      130 0 irq.exit irq/24 handled=true
      200 2 irq.exit irq/24 handled=true`);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, always(30));
    assert.deepEqual(rowOf(trace, 'irq', 'irq/25')?.service, always(5));
    assert.equal(rowOf(trace, 'irq', 'irq/24')?.name, 'a');
    assert.deepEqual(
      rowsOf(trace, 'cpu').map(({ key, count, service }) => [key, count, service.max]),
      [
        ['cpu/0', 1, us(30)],
        ['cpu/1', 1, us(5)],
      ],
    );
  });

  it('a handler within another one; an exit that ends what has no exit of its own', () => {
    const trace = made(`
      100 0 irq.entry irq/24 name=a
      110 0 irq.entry irq/25 name=b
      120 0 irq.exit irq/25 handled=true
      140 0 irq.exit irq/24 handled=true
      200 0 irq.entry irq/24 name=a
      210 0 irq.entry irq/25 name=b
      250 0 irq.exit irq/24 handled=true
      260 0 irq.exit irq/25 handled=true`);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/25')?.service, always(10), 'the second one never returns');
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, { p50: us(40), p99: us(50), max: us(50) });
  });

  it('each action of a shared irq is an entry of its own', () => {
    const trace = made(`
      100 0 irq.entry irq/9 name=a
      103 0 irq.exit irq/9 handled=false
      104 0 irq.entry irq/9 name=b
      109 0 irq.exit irq/9 handled=true`);
    const row = rowOf(trace, 'irq', 'irq/9');
    assert.equal(row?.count, 2);
    assert.equal(row?.name, 'a, b');
    assert.deepEqual(row?.service, { p50: us(3), p99: us(5), max: us(5) });
  });

  it('an entry after an entry: the first one has no end', () => {
    const trace = made(`
      100 0 irq.entry irq/24 name=a
      200 0 irq.entry irq/24 name=a
      207 0 irq.exit irq/24 handled=true`);
    assert.equal(rowOf(trace, 'irq', 'irq/24')?.count, 2);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, always(7));
  });

  it('behind lost events an open handler has no service time; on other CPUs it has', () => {
    const trace = made(`
      100 0 irq.entry irq/24 name=a
      100 0 vector.entry cpu/0/vector/236 name=local_timer
      101 1 irq.entry irq/25 name=b
      101 1 vector.entry cpu/1/vector/236 name=local_timer
      150 0 lost - count=7
      160 0 vector.exit cpu/0/vector/236 name=local_timer
      160 1 vector.exit cpu/1/vector/236 name=local_timer
      160 0 irq.exit irq/24 handled=true
      161 1 irq.exit irq/25 handled=true`);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, untold);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/25')?.service, always(60));
    assert.deepEqual(rowOf(trace, 'vector', 'cpu/0/vector/236')?.service, untold);
    assert.deepEqual(rowOf(trace, 'vector', 'cpu/1/vector/236')?.service, always(59));
  });

  it('without a CPU the handler that returns cannot be told', () => {
    const trace = made(`
      100 - irq.entry irq/24 name=a
      130 - irq.exit irq/24 handled=true`);
    assert.equal(rowOf(trace, 'irq', 'irq/24')?.count, 1);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, untold);
    assert.deepEqual(rowsOf(trace, 'cpu'), []);
  });

  it('by vector: the place of the irq, also the one that it moves away from', () => {
    const trace = made(`
      10 0 vec.setup irq/24 legacy=false ret=0
      11 0 vec.update irq/24 vector=33 cpu=0 prevVector=0 prevCpu=0
      20 0 irq.entry irq/24 name=a
      24 0 irq.exit irq/24 handled=true
      30 0 vec.update irq/24 vector=34 cpu=1 prevVector=33 prevCpu=0
      40 0 irq.entry irq/24 name=a
      42 0 irq.exit irq/24 handled=true
      50 1 irq.entry irq/24 name=a
      57 1 irq.exit irq/24 handled=true`);
    assert.deepEqual(
      rowsOf(trace, 'vector').map(({ key, count, service }) => [key, count, service.max]),
      [
        ['cpu/0/vector/33', 2, us(4)],
        ['cpu/1/vector/34', 1, us(7)],
      ],
    );
  });

  it('by device: the function that the trace shows for the irq', () => {
    const trace = made(`
      10 0 irq.entry irq/24 name=a
      12 0 irq.exit irq/24 handled=true
      20 0 irq.identify irq/24 device=0000:03:00.0 hwirq=1
      30 0 irq.entry irq/24 name=a
      35 0 irq.exit irq/24 handled=true`);
    const row = rowOf(trace, 'device', 'device/0000:03:00.0');
    assert.equal(row?.count, 1);
    assert.deepEqual(row?.service, always(5));
    assert.equal(row?.masks, null);
  });

  it('masks of an irq are counted where the trace records masks at all', () => {
    const entry = '10 0 irq.entry irq/24 name=a\n';
    assert.equal(rowOf(made(entry), 'irq', 'irq/24')?.masks, null);
    const masked = made(`${entry}
      11 0 irq.mask irq/25 masked=true
      12 0 irq.mask irq/25 masked=false
      13 0 irq.mask irq/25 masked=true`);
    assert.equal(rowOf(masked, 'irq', 'irq/24')?.masks, 0);
    assert.equal(rowOf(masked, 'irq', 'irq/25')?.masks, 2);
    assert.equal(rowOf(masked, 'irq', 'irq/25')?.count, 0);
    const only = made('11 0 irq.mask irq/25 masked=true');
    assert.equal(rowOf(only, 'irq', 'irq/25')?.count, null, 'this trace records no handlers');
  });
});

describe('statistics: from the cause to the handler', () => {
  const delivered = `
    100 - dev.raise ${ENTRY} vector=1 cause=1
    101 - send ${ENTRY} address=0xfee00000 data=0x21 cause=1
    103 0 cpu.accept cpu/0/vector/33 cause=1
    107 0 cpu.take cpu/0/vector/33
    110 0 irq.entry irq/24 name=a
    115 0 irq.exit irq/24 handled=true
    116 0 cpu.eoi cpu/0/vector/33`;

  it('an interrupt that is ended before its handler, as x86 ends edge-triggered ones, has the same latency', () => {
    const lines = delivered.trim().split('\n');
    const eoi = lines.pop()!.replace('116', '108');
    lines.splice(4, 0, eoi);
    const trace = made(lines.join('\n'));
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.latency, always(10));
    assert.deepEqual(rowOf(trace, 'vector', 'cpu/0/vector/33')?.service, always(5));
  });

  it('irq: cause to handler; vector and CPU: accepted to taken; function: cause to message', () => {
    const trace = made(delivered);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.latency, always(10));
    assert.deepEqual(rowOf(trace, 'vector', 'cpu/0/vector/33')?.latency, always(4));
    assert.deepEqual(rowOf(trace, 'vector', 'cpu/0/vector/33')?.service, always(5));
    assert.equal(rowOf(trace, 'vector', 'cpu/0/vector/33')?.count, 1);
    assert.deepEqual(rowOf(trace, 'cpu', 'cpu/0')?.latency, always(4));
    assert.deepEqual(rowOf(trace, 'device', 'device/0000:03:00.0')?.latency, always(1));
    assert.equal(rowOf(trace, 'device', 'device/0000:03:00.0')?.count, 1);
  });

  it('two causes in one interrupt: since the first; the second action of a shared irq has no latency', () => {
    const trace = made(`
      100 - dev.raise ${ENTRY} vector=1 cause=1
      103 0 cpu.accept cpu/0/vector/33 cause=1
      104 - dev.raise ${ENTRY} vector=1 cause=2
      105 0 cpu.accept cpu/0/vector/33 cause=2
      107 0 cpu.take cpu/0/vector/33
      110 0 irq.entry irq/24 name=a
      112 0 irq.exit irq/24 handled=true
      113 0 irq.entry irq/24 name=b
      115 0 irq.exit irq/24 handled=true`);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.latency, always(10));
    assert.deepEqual(rowOf(trace, 'cpu', 'cpu/0')?.latency, always(4));
  });

  it('lost events and a reset of the CPU take away what was on its way', () => {
    for (const event of ['105 0 lost -', '105 0 cpu.reset cpu/0']) {
      const trace = made(delivered.replace('107 0', `${event}\n107 0`));
      assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.latency, untold, event);
      assert.deepEqual(rowOf(trace, 'vector', 'cpu/0/vector/33')?.latency, untold, event);
    }
  });

  it('a masked cause waits for its message; what a reset masks is no operation', () => {
    const trace = made(`
      10 0 cfg.read device/0000:03:00.0 offset=0x34 size=1 value=0x60
      11 0 cfg.read device/0000:03:00.0 offset=0x60 size=4 value=0x80030011
      12 0 tbl.write ${ENTRY} offset=0xc size=4 value=0x0
      20 0 tbl.write ${ENTRY} offset=0xc size=4 value=0x1
      21 0 tbl.write ${ENTRY} offset=0xc size=4 value=0x1
      30 - dev.raise ${ENTRY} vector=1
      40 - dev.raise ${ENTRY} vector=1
      80 0 tbl.write ${ENTRY} offset=0xc size=4 value=0x0
      81 - send ${ENTRY} address=0xfee00000 data=0x21
      85 0 cfg.write device/0000:03:00.0 offset=0x62 size=2 value=0xc003
      90 0 dev.reset device/0000:03:00.0`);
    const row = rowOf(trace, 'device', 'device/0000:03:00.0');
    assert.deepEqual(row?.latency, always(51));
    assert.equal(row?.masks, 2, 'the entry once, the function once');
  });

  it('a cause that was not pending and not sent is not the cause of a later message', () => {
    const trace = made(`
      30 - dev.raise ${ENTRY} vector=1
      400 - dev.raise ${ENTRY} vector=1
      403 - send ${ENTRY} address=0xfee00000 data=0x21
      500 - dev.raise ${ENTRY} vector=1
      501 - dev.withdraw ${ENTRY}
      900 - send ${ENTRY} address=0xfee00000 data=0x21`);
    assert.deepEqual(rowOf(trace, 'device', 'device/0000:03:00.0')?.latency, always(3));
    assert.equal(rowOf(trace, 'device', 'device/0000:03:00.0')?.count, 2);
  });
});

describe('statistics: virtual CPUs', () => {
  it('latency is from accepted to injected, service from injected to its end; exits are counted', () => {
    const trace = made(`
      100 0 apic.accept vcpu/1/vector/49 mode=Fixed|edge posted=false
      104 0 kvm.exit vcpu/1 reason=EXTERNAL_INTERRUPT
      110 0 apic.inj vcpu/1/vector/49 reinjected=false
      112 0 apic.inj vcpu/1/vector/49 reinjected=true
      140 0 apic.eoi vcpu/1/vector/49
      150 0 kvm.exit vcpu/0 reason=HLT`);
    const row = rowOf(trace, 'vcpu', 'vcpu/1');
    assert.equal(row?.count, 1);
    assert.deepEqual(row?.latency, always(10));
    assert.deepEqual(row?.service, always(30));
    assert.equal(row?.exits, 1);
    assert.equal(rowOf(trace, 'vcpu', 'vcpu/0')?.count, 0);
    assert.equal(rowOf(trace, 'vector', 'vcpu/1/vector/49')?.count, 1);
  });

  it('what is accepted while the vector is in service waits from then on', () => {
    const trace = made(`
      100 0 apic.accept vcpu/1/vector/49 mode=Fixed|edge posted=false
      110 0 apic.inj vcpu/1/vector/49 reinjected=false
      120 0 apic.accept vcpu/1/vector/49 mode=Fixed|edge posted=false
      140 0 apic.eoi vcpu/1/vector/49
      150 0 apic.inj vcpu/1/vector/49 reinjected=false
      160 0 apic.eoi vcpu/1/vector/49`);
    for (const by of ['vcpu', 'vector'] as const) {
      const row = rowOf(trace, by, by === 'vcpu' ? 'vcpu/1' : 'vcpu/1/vector/49');
      assert.deepEqual([row?.latency?.p50, row?.latency?.max], [always(10)?.p50, always(30)?.max]);
      assert.deepEqual([row?.service?.p50, row?.service?.max], [always(10)?.p50, always(30)?.max]);
    }
  });

  it('what is posted is taken at a time that no record tells; INIT pends at no vector', () => {
    const trace = made(`
      100 0 apic.accept vcpu/1/vector/49 mode=Fixed|edge posted=true
      110 0 apic.accept vcpu/1/vector/49 mode=Fixed|edge posted=true
      120 0 apic.inj vcpu/1/vector/50 reinjected=false
      130 0 apic.accept vcpu/1/vector/0 mode=INIT|edge posted=false
      140 0 apic.eoi vcpu/1/vector/49`);
    const row = rowOf(trace, 'vcpu', 'vcpu/1');
    assert.equal(row?.count, 3, 'two accepted, one injected');
    assert.deepEqual(row?.latency, untold);
    assert.deepEqual(row?.service, untold);
    assert.equal(row?.exits, null, 'this trace records no exits');
  });

  it('GIC: acknowledged to ended, for each INTID', () => {
    const trace = made(`
      100 - gic.pending vcpu/0/intid/34 pending=true
      105 0 gic.ack vcpu/0/intid/34
      125 0 gic.eoi vcpu/0/intid/34`);
    assert.deepEqual(rowOf(trace, 'vcpu', 'vcpu/0')?.latency, always(5));
    assert.deepEqual(rowOf(trace, 'vcpu', 'vcpu/0')?.service, always(20));
  });

  it('an end of interrupt that names no vector may be of any: none has a service time', () => {
    const trace = made(`
      110 0 apic.inj vcpu/1/vector/49 reinjected=false
      120 0 apic.eoi vcpu/1
      140 0 apic.eoi vcpu/1/vector/49`);
    assert.deepEqual(rowOf(trace, 'vcpu', 'vcpu/1')?.service, untold);
  });
});

describe('statistics: clocks', () => {
  it('ticks are no seconds', async () => {
    const { importText } = await import('../../helpers/fixtures.ts');
    const trace = importText(
      '#irqtrace 1\n#clock ticks digits=0 x\n100 cpu0 - irq.entry irq/24 name=a\n130 cpu0 - irq.exit irq/24 handled=true\n',
    );
    const row = rowOf(trace, 'irq', 'irq/24');
    assert.equal(row?.count, 1);
    assert.equal(row?.rate, null);
    assert.deepEqual(row?.service, untold);
  });

  it('stamps that run backwards give no time', () => {
    const trace = made(`
      130 0 irq.entry irq/24 name=a
      100 0 irq.exit irq/24 handled=true`);
    assert.deepEqual(rowOf(trace, 'irq', 'irq/24')?.service, untold);
  });
});
