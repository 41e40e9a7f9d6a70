import assert from 'node:assert/strict';
import { argValue, eventText, viewEvent } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import { fixtureLines, fixtureTrace, importText } from '../helpers/fixtures.ts';
import { randomTrace } from '../model/random.ts';

describe('events', () => {
  it('are shown with step, time, CPU, kind, object, arguments, task and source', () => {
    const head = '# tracer: nop\n';
    const record =
      '   kworker/u16:3-45      [003] d..1.    11.984588: vector_teardown: irq=26 is_managed=0 has_reserved=1';
    const trace = importText(`${head}${record}\n`, 'boot.txt');
    assert.deepEqual(viewEvent(trace, 1), {
      step: 1,
      time: '11.984588',
      cpu: 3,
      kind: 'vec.teardown',
      object: 'irq/26',
      fields: { managed: false, reserved: true },
      task: 'kworker/u16:3-45',
      source: { file: 'boot.txt', line: 2, offset: head.length },
    });
    assert.equal(eventText(trace, 1), 'vec.teardown irq/26 managed=false reserved=true');
  });

  it('of sources without stamps have no time, of the main loop no CPU, and without a thread no task', () => {
    const trace = importText(
      "memory_region_ops_write cpu -1 mr 0x1 addr 0xfee01004 value 0x4023 size 4 name 'apic-msi'\n",
    );
    const { time, cpu, ...rest } = viewEvent(trace, 0);
    assert.deepEqual([time, cpu, 'task' in rest], [null, null, false]);
  });

  it('arguments that an event lacks are left out', () => {
    const trace = importText(
      'CPU:0 [LOST EVENTS]\nCPU:1 [LOST 5 EVENTS]\n  bash-1 [001] d.h1. 1.000001: irq_handler_entry: irq=5 name=x\n',
    );
    assert.deepEqual([viewEvent(trace, 0).fields, viewEvent(trace, 1).fields], [{}, { count: 5 }]);
    const kind = trace.table.kind(0);
    assert.equal(argValue(trace, 0, kind.args[0]!), undefined);
    assert.equal(argValue(trace, 1, kind.args[0]!), 5);
  });

  it('numbers are numbers, registers and addresses lower-case hexadecimal of any width', () => {
    const trace = importText('vtd_ir_irte_get index 35 low 0x40020 high 0x20000260009\n');
    assert.deepEqual(viewEvent(trace, 1).fields, { value: '0x400200000020000260009' });
    const hcall = importText('  a-1 [000] 1.0: kvm_hypercall: nr 0xffffffffffffffff a0 0x1\n');
    assert.deepEqual(viewEvent(hcall, 1).fields, { number: '0xffffffffffffffff' });
  });

  it('any event can be shown, whatever its words', () => {
    const trace = randomTrace(42, 3000);
    for (let step = 0; step < trace.length; step++) {
      const view = viewEvent(trace, step);
      assert.deepEqual(JSON.parse(JSON.stringify(view)), view);
      assert.ok(eventText(trace, step).startsWith(view.kind));
    }
  });

  for (const name of ['x86-vtd/qemu.log', 'x86-vtd/ftrace.txt', 'arm64-gicv2m/qemu.log']) {
    it(`${name}: line and offset lead to the record, whose stamp is the time`, () => {
      const trace = fixtureTrace(name);
      const lines = fixtureLines(name);
      for (let step = 0; step < trace.length; step += 7) {
        const { source, time } = viewEvent(trace, step);
        const line = lines[source.line - 1]!;
        assert.equal(source.offset, line.offset);
        const stamp = /^\d+@(\d+\.\d+):|\] (?:\S+ +)?(\d+\.\d+): /.exec(line.text);
        assert.equal(time, stamp?.[1] ?? stamp?.[2] ?? null, line.text);
      }
    });
  }
});

describe('what a source is', () => {
  it('answers with the keys that scripts rely on', () => {
    const info = traceInfo(fixtureTrace('x86-vtd/qemu.log'));
    for (const key of 'file format variant lines records events understood unknown skipped lost cpus clock start end'.split(
      ' ',
    ))
      assert.ok(key in info, key);
    assert.deepEqual([info.format, info.variant, info.clock], ['qemu-log', 'thread id and time stamp', 'realtime']);
  });

  it('start and end are the stamps of the first and the last record', () => {
    for (const name of ['x86-vtd/qemu.log', 'x86-nested/l1-ftrace.txt']) {
      const stamps = fixtureLines(name)
        .flatMap((l) => /^\d+@(\d+\.\d+):|\] (?:\S+ +)?(\d+\.\d+): /.exec(l.text) ?? [])
        .filter((s) => /^\d+\.\d+$/.test(s));
      const { start, end } = traceInfo(fixtureTrace(name));
      assert.deepEqual([start, end], [stamps[0], stamps.at(-1)]);
    }
  });

  it('tallies are sorted, most frequent first, and show no empty names', () => {
    const text = ['b_x', 'a_x', 'a_x', 'c_x', 'b_x', 'a_x'].map((n) => `1@1.000000:${n} 1`);
    const { unknown } = traceInfo(importText(`1@1.000000:vtd_ir_enable enable 1\n${text.join('\n')}\n`));
    assert.equal(JSON.stringify(unknown), '{"a_x":3,"b_x":2,"c_x":1}');
  });

  it('keeps samples of what was skipped, with line and offset', () => {
    const good = '1@1.000000:vtd_ir_enable enable 1\n';
    const { samples } = traceInfo(importText(`${good}${'1@1.000000:vtd_ir_enable x\n'.repeat(50)}`));
    assert.equal(samples.length, 20);
    assert.deepEqual(samples[0], { line: 2, offset: good.length, reason: 'vtd_ir_enable: arguments not as expected' });
  });
});
