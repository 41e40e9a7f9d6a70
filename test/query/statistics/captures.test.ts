// Statistics of captures against counts and times taken from their text.
import assert from 'node:assert/strict';
import { vocabulary } from '../../../src/model/vocabulary.ts';
import { fixtureBytes, fixtureTrace, grep } from '../../helpers/fixtures.ts';
import { type Naive, naiveHandlers, Tally } from '../../helpers/naive-handlers.ts';
import { rowOf, rowsOf } from './rows.ts';

const FTRACE = [
  'x86-vtd/ftrace.txt',
  'x86-nested/l1-ftrace.txt',
  'x86-lost/trace_pipe.txt',
  'x86-lost/trace-overrun.txt',
  'arm64-a/ftrace-03-affinity.txt',
  'arm64-a/ftrace-04-hotplug.txt',
  'arm64-a/ftrace-06-vfio.txt',
];

const texts = new Map<string, Naive>();

function naive(name: string): Naive {
  let read = texts.get(name);
  if (read === undefined) {
    read = naiveHandlers(Buffer.from(fixtureBytes(name)).toString('latin1'));
    texts.set(name, read);
  }
  return read;
}

/** Compares counts and service times of the rows with a tally; rows without entries are left out. */
function compare(rows: ReturnType<typeof rowsOf>, tally: Tally): void {
  const counted = rows.filter(({ count }) => count !== 0);
  assert.deepEqual(counted.map(({ key, count }) => [key, count]).sort(), [...tally.count].sort());
  for (const { key, service } of counted)
    assert.deepEqual(
      service,
      { p50: tally.percentile(key, 50), p99: tally.percentile(key, 99), max: tally.percentile(key, 100) },
      key,
    );
}

describe('statistics of captures', () => {
  for (const name of FTRACE) {
    it(`${name}: an irq keeps the name of its last handler, also when its driver has given it up`, () => {
      const last = new Map<string, string>();
      for (const { text } of grep(name, /irq_handler_entry: irq=\d+ name=/)) {
        const [, irq, handler] = /irq=(\d+) name=(.*)/.exec(text)!;
        last.set(`irq/${irq}`, handler!.trim());
      }
      assert.ok(last.size > 0);
      for (const { key, name: shown } of rowsOf(fixtureTrace(name), 'irq'))
        if (last.has(key)) assert.ok(shown?.split(', ').includes(last.get(key)!), `${key}: ${shown}`);
    });

    it(`${name}: handlers by irq and by CPU`, () => {
      const { irqs, cpus } = naive(name);
      assert.ok(irqs.count.size > 0);
      compare(rowsOf(fixtureTrace(name), 'irq'), irqs);
      compare(rowsOf(fixtureTrace(name), 'cpu'), cpus);
    });
  }

  for (const name of ['x86-vtd/ftrace.txt', 'x86-lost/trace_pipe.txt', 'x86-nested/l1-ftrace.txt']) {
    it(`${name}: system vectors`, () => {
      const { vectors } = naive(name);
      assert.ok(vectors.count.size > 3);
      const rows = rowsOf(fixtureTrace(name), 'vector').filter(({ key }) => vectors.count.has(key));
      compare(rows, vectors);
    });
  }

  it('lost events are among these captures, and take times away', () => {
    const name = 'x86-lost/trace_pipe.txt';
    assert.ok(naive(name).lossMarks > 0);
    const text = Buffer.from(fixtureBytes(name)).toString('latin1');
    const blind = naiveHandlers(text.replaceAll(/^CPU:\d+ \[LOST.*$/gm, ''));
    const times = (tally: Tally): number => [...tally.times.values()].reduce((sum, all) => sum + all.length, 0);
    const { irqs, vectors } = naive(name);
    assert.ok(times(blind.irqs) + times(blind.vectors) > times(irqs) + times(vectors));
  });

  it('exits of virtual CPUs', () => {
    const { exits } = naive('x86-nested/l1-ftrace.txt');
    assert.ok(exits.size > 0);
    for (const [key, count] of exits)
      assert.equal(rowOf(fixtureTrace('x86-nested/l1-ftrace.txt'), 'vcpu', key)?.exits, count, key);
  });

  for (const name of ['x86-nested/l1-ftrace.txt', 'x86-nested/l1-vfio.txt'])
    it(`virtual CPUs of ${name}: from accepted to injected to ended, as the threads of the virtual CPUs tell`, () => {
      const head = /^\s*(\S.*-\d+)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d{6}): (kvm_\w+): (.*)$/;
      const lines = grep(name, /: kvm_(apic_accept_irq|inj_virq|eoi|exit): /).map(({ text }) => head.exec(text)!);
      // A thread runs one virtual CPU; exits say which. Before the first one nothing tells whose injection it is.
      const vcpus = new Map<string, string>();
      const tally = new Tally();
      const waits = new Tally();
      const accepted = new Map<string, number>();
      const taken = new Map<string, number>();
      for (const [, task, seconds, fraction, event, rest] of lines) {
        const now = Number(seconds) * 1_000_000 + Number(fraction);
        const accept = /^apicid (\w+) vec (\d+) \((Fixed|LowPrio)\|/.exec(rest!);
        const eoi = /^apicid (\w+) vector (\d+)$/.exec(rest!);
        const inject = /^IRQ 0x([0-9a-f]+)$/.exec(rest!);
        const key = (vcpu: string, vector: number): string => `vcpu/${Number.parseInt(vcpu, 16)}/vector/${vector}`;
        if (event === 'kvm_exit') vcpus.set(task!, /^vcpu (\d+)/.exec(rest!)![1]!);
        else if (event === 'kvm_apic_accept_irq' && accept) {
          const vector = key(accept[1]!, Number(accept[2]));
          if (!accepted.has(vector)) accepted.set(vector, now);
        } else if (event === 'kvm_inj_virq' && inject && vcpus.has(task!)) {
          const vector = key(vcpus.get(task!)!, Number.parseInt(inject[1]!, 16));
          if (accepted.has(vector)) waits.time(vector, now - accepted.get(vector)!);
          accepted.delete(vector);
          taken.set(vector, now);
          tally.add(vector);
        } else if (event === 'kvm_eoi' && eoi) {
          const vector = key(eoi[1]!, Number(eoi[2]));
          // An end whose injection no record tells may be that of what was accepted; else what was accepted since waits on.
          if (taken.has(vector)) tally.time(vector, now - taken.get(vector)!);
          else accepted.delete(vector);
          taken.delete(vector);
        }
      }
      assert.ok(tally.count.size >= 4);
      const rows = rowsOf(fixtureTrace(name), 'vector').filter(({ key }) => tally.count.has(key));
      compare(rows, tally);
      for (const { key, latency } of rows)
        assert.deepEqual(
          latency,
          { p50: waits.percentile(key, 50), p99: waits.percentile(key, 99), max: waits.percentile(key, 100) },
          key,
        );
    });

  it('vectors of virtual CPUs in a QEMU log: deliveries', () => {
    const name = 'x86-vtd/qemu.log';
    const seen = new Map<string, number>();
    for (const { text } of grep(name, /apic_deliver_irq dest \d+ dest_mode 0 delivery_mode 0 /)) {
      const [, dest, vector] = /dest (\d+) .* vector (\d+) /.exec(text)!;
      // No interrupt has vector 0.
      if (vector === '0') continue;
      const key = `vcpu/${dest}/vector/${vector}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    assert.ok(seen.size > 10);
    const trace = fixtureTrace(name);
    for (const [key, count] of seen) assert.equal(rowOf(trace, 'vector', key)?.count, count, key);
  });

  it('messages of functions in a QEMU log: those that the remapping unit let through for their source id', () => {
    const name = 'x86-vtd/qemu.log';
    const seen = new Map<string, number>();
    // The half that the log calls low holds the source id in its bits 15:0.
    for (const { text } of grep(name, /vtd_ir_irte_get /)) {
      const sid = Number.parseInt(/ low 0x([0-9a-f]+)/.exec(text)![1]!, 16) % 0x10000;
      const hex = (n: number): string => n.toString(16).padStart(2, '0');
      const key = `device/0000:${hex(Math.floor(sid / 256))}:${hex(Math.floor(sid / 8) % 32)}.${sid % 8}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const trace = fixtureTrace(name);
    const rows = rowsOf(trace, 'device').filter(({ count }) => count !== 0);
    assert.ok(rows.length >= 4);
    for (const { key, count } of rows) assert.equal(count, seen.get(key), key);
  });

  it('mask bits that software sets, in entries and for whole functions', () => {
    const last = new Map<string, boolean>();
    let masks = 0;
    for (const { text } of grep('x86-vtd/qemu.log', /name 'msix-table'|msix_write_config/)) {
      const access = /memory_region_ops_(read|write) .* addr 0x([0-9a-f]+c) value 0x([0-9a-f]+) size 4/.exec(text);
      const config = /msix_write_config dev (\S+) enabled \d masked (\d)/.exec(text);
      const [key, masked] = access
        ? [access[2]!, Number.parseInt(access[3]!, 16) % 2 === 1]
        : config
          ? [config[1]!, config[2] === '1']
          : ['', false];
      if (key === '') continue;
      if (access?.[1] !== 'read' && masked && last.get(key) !== true) masks++;
      last.set(key, masked);
    }
    assert.ok(masks > 20, `${masks} masks`);
    const rows = rowsOf(fixtureTrace('x86-vtd/qemu.log'), 'device');
    assert.equal(
      rows.reduce((sum, row) => sum + (row.masks ?? 0), 0),
      masks,
    );
  });

  it('kinds: as many as there are events', () => {
    const trace = fixtureTrace('x86-vtd/ftrace.txt');
    const rows = rowsOf(trace, 'kind');
    assert.equal(
      rows.find(({ key }) => key === 'irq.entry')?.count,
      grep('x86-vtd/ftrace.txt', / irq_handler_entry: /).length,
    );
    assert.equal(
      rows.find(({ key }) => key === 'irq.exit')?.count,
      grep('x86-vtd/ftrace.txt', / irq_handler_exit: /).length,
    );
    assert.equal(
      rows.reduce((sum, { count }) => sum + count!, 0),
      trace.length,
    );
    for (const { key } of rows)
      assert.ok(
        vocabulary.some(({ name }) => name === key),
        key,
      );
  });

  it('rates are counts by the time from the first to the last stamp', () => {
    const stamps = grep('x86-vtd/ftrace.txt', /\[\d+\]/).map(({ text }) => Number(/ (\d+\.\d{6}): /.exec(text)?.[1]));
    const span = Math.max(...stamps) - Math.min(...stamps);
    for (const { count, rate, key } of rowsOf(fixtureTrace('x86-vtd/ftrace.txt'), 'irq'))
      assert.ok(Math.abs(rate! - count! / span) < 1e-6, key);
  });

  it('slices give the same rows as one walk', () => {
    for (const by of ['irq', 'vector', 'device'] as const)
      assert.deepEqual(rowsOf(fixtureTrace('x86-vtd/qemu.log'), by, 997), rowsOf(fixtureTrace('x86-vtd/qemu.log'), by));
  });
});
