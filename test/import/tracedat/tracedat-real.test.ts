// Trimmed files of trace-cmd, read in five ways; a plain reader of the test says what is in them.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { CHUNKS, counts, same } from '../../helpers/five-ways.ts';
import { fixtureBytes, importBytes } from '../../helpers/fixtures.ts';
import { type NaiveDat, type NaiveRecord, readDat } from '../../helpers/read-dat.ts';
import { datV6 } from '../../helpers/trace-dat.ts';

/** Event kinds, and the event of which each record gives exactly one. */
const KINDS: Readonly<Record<string, string | RegExp>> = {
  'irq.entry': 'irq_handler_entry',
  'irq.exit': 'irq_handler_exit',
  'vec.setup': 'vector_setup',
  'vec.teardown': 'vector_teardown',
  'vec.update': 'vector_update',
  'vec.config': 'vector_config',
  'vec.clear': 'vector_clear',
  'vec.freeMoved': 'vector_free_moved',
  'vec.alloc': 'vector_alloc',
  'vec.activate': 'vector_activate',
  'mtx.alloc': 'irq_matrix_alloc',
  'mtx.free': 'irq_matrix_free',
  'mtx.reserve': 'irq_matrix_reserve',
  'vector.entry': /^(?:local_timer|reschedule|call_function|call_function_single|irq_work)_entry$/,
  'vector.exit': /^(?:local_timer|reschedule|call_function|call_function_single|irq_work)_exit$/,
  'kvm.msi': 'kvm_msi_set_irq',
  'kvm.entry': 'kvm_entry',
  'kvm.exit': 'kvm_exit',
  'kvm.mmio': 'kvm_mmio',
  'kvm.line': 'kvm_set_irq',
  'kvm.ioapic': 'kvm_ioapic_set_irq',
  'kvm.userspace': 'kvm_userspace_exit',
  'apic.accept': 'kvm_apic_accept_irq',
  'apic.eoi': 'kvm_eoi',
  'apic.ipi': 'kvm_apic_ipi',
  'irqfd.wakeup': 'irqfd_wakeup',
  'irqfd.assign': 'irqfd_assign',
  'vfio.set': 'vfio_set_irqs_ioctl',
  'msg.write': 'msiwrite',
  probe: 'vfio_msihandler',
  mark: 'print',
};

/** Nanoseconds as the program prints them. */
const seconds = (stamp: bigint): string =>
  `${stamp / 1_000_000_000n}.${(stamp % 1_000_000_000n).toString().padStart(9, '0')}`;

function fiveWays(name: string): void {
  let trace: Trace | undefined;
  let naive: NaiveDat | undefined;
  const plain = (): Trace => (trace ??= importBytes(fixtureBytes(name)));
  const known = (): NaiveDat => (naive ??= readDat(fixtureBytes(name)));

  it('as it is: as many records and events as a plain reader finds', () => {
    const info = traceInfo(plain());
    const { records, names } = known();
    assert.deepEqual(checkIntegrity(plain()), []);
    assert.equal(info.format, 'trace-dat');
    assert.equal(info.problem, null);
    assert.deepEqual(info.unknown, {});
    assert.deepEqual(info.skipped, {});
    assert.equal(info.records, records.length);
    assert.equal(info.lines, records.length);
    assert.equal(info.start, seconds(records[0]!.stamp));
    assert.equal(info.end, seconds(records.at(-1)!.stamp));
    const found: Record<string, number> = {};
    for (let step = 0; step < plain().length; step++) {
      const kind = plain().table.kind(step).name;
      found[kind] = (found[kind] ?? 0) + 1;
    }
    for (const [kind, event] of Object.entries(KINDS)) {
      const is = (id: string): boolean => (typeof event === 'string' ? id === event : event.test(id));
      assert.equal(found[kind] ?? 0, records.filter(({ id }) => is(names.get(id)!)).length, kind);
    }
  });

  it('each event stands at the record of its number: stamp, CPU and process', () => {
    const { records, dat } = known();
    const comms = new Map([...dat.cmdlines!.matchAll(/^(\d+) (.*)$/gm)].map((m) => [Number(m[1]), m[2]!]));
    for (let step = 0; step < plain().length; step++) {
      const event = viewEvent(plain(), step);
      const record = records[event.source.line - 1]!;
      assert.equal(event.time, seconds(record.stamp), `step ${step}`);
      assert.equal(event.cpu, record.cpu, `step ${step}`);
      const comm = record.pid === 0 ? '<idle>' : (comms.get(record.pid) ?? '<...>');
      assert.equal(event.task, `${comm}-${record.pid}`, `step ${step}`);
    }
  });

  it('packed with gzip', () => {
    const packed = importBytes(gzipSync(fixtureBytes(name)), 4093);
    same('gzip', plain(), packed, 'place');
    assert.deepEqual(counts(packed), counts(plain()));
  });

  it('as version 6, not packed', () => {
    const old = importBytes(datV6(known().dat));
    same('version 6', plain(), old, 'line');
    assert.deepEqual(counts(old), counts(plain()));
    assert.match(traceInfo(old).variant, /^version 6/);
  });

  it('in chunks of awkward sizes', () => {
    for (const size of CHUNKS) {
      const pieces = importBytes(fixtureBytes(name), size);
      same(`chunks of ${size}`, plain(), pieces, 'place');
      assert.deepEqual(counts(pieces), counts(plain()));
    }
  });

  it('saved as .irqtrace and read again', () => {
    const saved = importBytes(Buffer.concat([...irqtraceBytes(plain())]));
    same('.irqtrace', plain(), saved, 'none');
    assert.equal(traceInfo(saved).understood, plain().length);
  });
}

describe('x86-vtd/trace.dat', () => {
  const name = 'x86-vtd/trace.dat';
  fiveWays(name);

  /** Words of 4 bytes of the records of an event, from a byte of the record on. */
  const words = (event: string, ...at: number[]): number[][] => {
    const { records, names } = readDat(fixtureBytes(name));
    return records.filter(({ id }) => names.get(id) === event).map(({ data }) => at.map((n) => data.readUInt32LE(n)));
  };
  const told = (kind: string, ...fields: string[]): number[][] => {
    const trace = importBytes(fixtureBytes(name));
    const rows: number[][] = [];
    for (let step = 0; step < trace.length; step++) {
      const event = viewEvent(trace, step);
      if (event.kind !== kind) continue;
      const irq = Number(event.object.replace('irq/', ''));
      rows.push(fields.map((field) => (field === 'irq' ? irq : Number(event.fields[field]))));
    }
    return rows;
  };

  it('what the records say is what their bytes say (offsets as the formats tell them)', () => {
    const update = words('vector_update', 8, 12, 16, 20, 24);
    assert.equal(update.length, 10);
    assert.deepEqual(told('vec.update', 'irq', 'vector', 'cpu', 'prevVector', 'prevCpu'), update);
    assert.deepEqual(told('vec.config', 'irq', 'vector', 'cpu', 'apicDest'), words('vector_config', 8, 12, 16, 20));
    assert.deepEqual(told('irq.entry', 'irq'), words('irq_handler_entry', 8));
  });

  it('tells of the machine and the recording', () => {
    const info = traceInfo(importBytes(fixtureBytes(name)));
    assert.equal(info.variant, 'version 7, zstd, trace-cmd 3.3.1, kernel 6.12.107+deb13-amd64 x86_64');
    assert.equal(info.clock, 'local');
    assert.equal(info.cpus, 4);
    assert.equal(info.lost, 0);
    assert.equal(info.gaps, 0);
  });
});

describe('x86-nested/l1-trace.dat', () => {
  const name = 'x86-nested/l1-trace.dat';
  fiveWays(name);

  const records = (event: string): NaiveRecord[] => {
    const dat = readDat(fixtureBytes(name));
    return dat.records.filter(({ id }) => dat.names.get(id) === event);
  };

  it('probes tell what their functions do, by the names of addresses', () => {
    const trace = importBytes(fixtureBytes(name));
    const found = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step));
    // field:unsigned int irq; hwirq; lo; hi; data behind __probe_ip: the format tells their offsets.
    const format = readDat(fixtureBytes(name)).dat.formats.find(([, text]) => text.startsWith('name: msiwrite\n'))![1];
    const offset = (field: string): number => Number(new RegExp(`\\b${field};\\toffset:(\\d+)`).exec(format)![1]);
    const writes = records('msiwrite').map(({ data }) => [
      `irq/${data.readUInt32LE(offset('irq'))}`,
      `0x${data.readUInt32LE(offset('lo')).toString(16)}`,
      data.readUInt32LE(offset('data')),
    ]);
    assert.ok(writes.length >= 10);
    assert.deepEqual(
      found
        .filter(({ kind }) => kind === 'msg.write')
        .map(({ object, fields }) => [object, fields['address'], Number(fields['data'])]),
      writes,
    );
    const notes = found.filter(({ kind }) => kind === 'probe').map(({ fields }) => fields['text']);
    assert.ok(notes.length > 0);
    for (const note of notes) assert.match(String(note), /^\(vfio_msihandler\+0x4\/0x[\da-f]+ \[vfio_pci_core\]\)/);
  });

  it('exits of guests are told in the words of the kernel', () => {
    const trace = importBytes(fixtureBytes(name));
    const reasons = new Set<unknown>();
    for (let step = 0; step < trace.length; step++) {
      const event = viewEvent(trace, step);
      if (event.kind === 'kvm.exit') reasons.add(event.fields['reason']);
    }
    // SVM_EXIT_REASONS of arch/x86/include/uapi/asm/svm.h.
    for (const reason of ['interrupt', 'npf', 'hlt', 'msr']) assert.ok(reasons.has(reason), `${[...reasons]}`);
  });
});
