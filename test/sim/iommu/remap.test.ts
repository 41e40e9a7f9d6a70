// Interrupt remapping units against the layouts of the specifications and the order of their checks (VT-d 5.1.4; AMD IOMMU 2.2.5).
import assert from 'node:assert/strict';
import { sourceAllowed } from '../../../src/model/vtd.ts';
import { pathValue } from '../../../src/query/state.ts';
import { VtdUnit } from '../../../src/sim/iommu/vtd-unit.ts';
import { Machine } from '../../../src/sim/machine.ts';
import { TraceRecorder } from '../../../src/sim/recorder.ts';
import { newTrace, type Simulation } from '../../../src/sim/simulation.ts';
import { found } from '../../check/made.ts';
import { bundled, events, run } from '../run.ts';

const NET = 'device/0000:03:00.0';
const VTD = {
  platform: { cpus: 4, remap: 'vtd', remapEntries: 256 },
  devices: [
    { bdf: '0000:03:00.0', name: 'net', vectors: 2 },
    { bdf: '0000:04:00.0', name: 'disk', vectors: 2 },
  ],
};

describe('simulator: interrupt remapping', () => {
  it('messages name entries 24 and on, in remappable format with SHV, and the data is 0', () => {
    const sim = run(VTD);
    const writes = events(sim).filter((e) => e.kind === 'msg.write' && e.fields['address'] !== '0x0');
    // (24 << 5) | format | SHV below 0xfee00000, and so on.
    assert.deepEqual(
      [...new Set(writes.map((e) => e.fields['address']))],
      ['0xfee00318', '0xfee00338', '0xfee00358', '0xfee00378'],
    );
    assert.ok(writes.every((e) => e.fields['data'] === '0x0'));
  });

  it('an index above 0x7fff puts bit 15 of the handle into bit 2 (0x8a31 is 0xfee1463c)', () => {
    const sim = run({ platform: { remap: 'vtd' }, devices: VTD.devices });
    const index = 0x8a31;
    const rogue = run({
      ...VTD,
      platform: { remap: 'vtd' },
      workload: [{ at: '200us', op: 'device.write', object: NET, address: '0xfee1463c', data: 0 }],
    });
    const fault = events(rogue).find((e) => e.kind === 'ir.fault');
    assert.deepEqual([fault?.fields['reason'], fault?.fields['index']], [0x22, index]);
    assert.equal(pathValue(sim.trace.head, `irte/dmar0/${index}`), undefined, 'nothing names it without the write');
  });

  it('every fault from 0x20 to 0x26 has its cause, in the order of the workload', () => {
    const sim = run(bundled('vtd-remap-faults'));
    const faults = events(sim).filter((e) => e.kind === 'ir.fault');
    assert.deepEqual(
      faults.map((e) => e.fields['reason']),
      [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x22],
    );
    assert.deepEqual(
      faults.map((e) => e.fields['index']),
      [24, 256, 100, 26, 27, undefined, 28, 24],
    );
    assert.ok(faults.every((e) => e.fields['sid'] === '0x300'));
    const { ledger } = sim.machine;
    assert.deepEqual(ledger.twice, []);
    assert.deepEqual(
      { ...ledger.tally() },
      { inFlight: 0, pending: 0, merged: 0, delivered: 2, withdrawn: 0, dropped: 8, untold: 0 },
    );
  });

  it('a cleared entry still works until its cache entry is invalidated', () => {
    const all = events(run(bundled('vtd-remap-faults')));
    const cleared = all.findIndex(
      (e) => e.kind === 'irte.write' && e.object === 'irte/dmar0/24' && e.fields['value'] === '0x0',
    );
    const used = all.findIndex((e, i) => i > cleared && e.kind === 'ir.remap' && e.object === 'irte/dmar0/24');
    const inv = all.findIndex((e, i) => i > cleared && e.kind === 'iec.inv');
    const refused = all.findIndex((e, i) => i > inv && e.kind === 'ir.fault');
    assert.ok(cleared < used && used < inv && inv < refused, `${cleared} ${used} ${inv} ${refused}`);
  });

  it('the unit stops at a descriptor with reserved bits: the kernel reports it, and nothing is invalidated', () => {
    const machine = new Machine(new TraceRecorder(newTrace('queue')), 1);
    const spec = { name: 'dmar0', entries: 256, eim: false, passes: false, verifies: true, first: 24 };
    const unit = new VtdUnit(machine, spec);
    const tell = (): unknown[] =>
      events({ trace: (machine.recorder as TraceRecorder).trace } as Simulation).map((e) => e.fields['text'] ?? e.kind);
    unit.invalidate(undefined, 0x25);
    assert.deepEqual(tell(), ['iec.inv']);
    const fault = (id: string): boolean => id === 'F83';
    machine.tamper = { strikes: fault, spoils: fault, tell() {}, passes: () => true, recorded() {} };
    unit.invalidate(undefined, 0x25);
    // IIDX belongs into bits 47:32 (0x2500000014 invalidates entry 0x25); 0x25 in bits 26:5, which are reserved, is 0x4a0.
    assert.deepEqual(tell().slice(1), [
      'DMAR: VT-d detected Invalidation Queue Error: Reason 5',
      'DMAR: QI HEAD: Interrupt Entry Cache Invalidation qw0 = 0x4b4, qw1 = 0x0',
      'DMAR: QI PRIOR: Interrupt Entry Cache Invalidation qw0 = 0x2500000014, qw1 = 0x0',
      'DMAR: Invalidation Queue Error (IQE) cleared',
    ]);
  });

  it('the entry names requester, CPU and vector as VT-d 9.10 lays them out', () => {
    const sim = run(VTD);
    const vector = pathValue(sim.trace.head, 'irq/24/vector') as number;
    const cpu = pathValue(sim.trace.head, 'irq/24/cpu') as number;
    const low = (1n | 8n | (BigInt(vector) << 16n) | (BigInt(cpu) << 40n)).toString(16);
    const last = events(sim)
      .filter((e) => e.kind === 'irte.write' && e.object === 'irte/dmar0/24')
      .at(-1);
    assert.equal(BigInt(last!.fields['value'] as string), (0x40300n << 64n) | BigInt(`0x${low}`));
  });

  it('an affinity change rewrites the entry and invalidates it; the device is not touched', () => {
    const sim = run(VTD);
    const before = sim.trace.length;
    const from = pathValue(sim.trace.head, 'irq/24/cpu');
    const to = from === 3 ? 2 : 3;
    assert.equal(sim.perform({ op: 'irq.affinity', object: 'irq/24', cpus: [to] }), undefined);
    sim.run();
    const after = events(sim, before).map((e) => e.kind);
    assert.ok(!after.includes('msg.write') && !after.includes('tbl.write'), after.join(' '));
    const write = after.indexOf('irte.write');
    assert.ok(
      write >= 0 && after.indexOf('iec.inv') > write && after.indexOf('vec.freeMoved') > write,
      after.join(' '),
    );
    assert.equal(pathValue(sim.trace.head, 'irq/24/cpu'), to);
  });

  it('with the invalidation forgotten, interrupts still go where the old entry says', () => {
    const moved = (value: string): unknown[] => {
      const sim = run(
        { ...VTD, workload: [{ at: '200us', op: 'device.raise', object: `${NET}/msix/0` }] },
        { settings: { 'remap.entryCache': value } },
      );
      const old = pathValue(sim.trace.head, 'irq/24/cpu') as number;
      assert.equal(sim.perform({ op: 'irq.affinity', object: 'irq/24', cpus: [(old + 1) % 4] }), undefined);
      sim.run();
      const before = sim.trace.length;
      assert.equal(sim.perform({ op: 'device.raise', object: `${NET}/msix/0` }), undefined);
      sim.run();
      const dest = events(sim, before).find((e) => e.kind === 'ir.remap')?.fields['dest'];
      return [old, Number(dest)];
    };
    const good = moved('invalidated');
    assert.notEqual(good[1], good[0]);
    const bad = moved('forgotten');
    assert.equal(bad[1], bad[0]);
  });

  it('a kernel that only queues the invalidation: the old entry is used until the unit has carried it out, and F31 says so', () => {
    const raise = (at: string) => ({ at, op: 'device.raise', object: `${NET}/msix/0` });
    const workload = [
      raise('200us'),
      { at: '300us', op: 'irq.affinity', object: 'irq/24', cpus: [3] },
      raise('302us'),
      raise('400us'),
    ];
    for (const platform of [VTD.platform, { cpus: 4, remap: 'amd' }]) {
      const sim = run({ ...VTD, platform, workload }, { settings: { 'remap.entryCache': 'queued' } });
      const all = events(sim);
      const from = all.findIndex((e) => e.kind === 'irq.affinity');
      const kinds = all.slice(from).map((e) => e.kind);
      const [write, queue, used] = ['irte.write', 'iec.queue', 'ir.remap'].map((k) =>
        kinds.findIndex((kind) => kind.startsWith(k)),
      );
      const done = kinds.findIndex((kind) => kind === 'iec.inv' || kind === 'irte.invAmd');
      assert.ok(write! >= 0 && write! < queue! && queue! < used! && used! < done, kinds.join(' '));
      const dests = all.filter((e) => e.kind === 'ir.remap').map((e) => Number(e.fields['dest']));
      assert.notEqual(dests[0], 3);
      assert.deepEqual(dests.slice(1), [dests[0], 3]);
      if (platform === VTD.platform)
        assert.deepEqual(
          found(sim.trace, 'F31').map((text) => text.slice(text.indexOf(' ') + 1)),
          ['irte/dmar0/24: IRTE 24 of dmar0 was written and not invalidated, and a message came for it'],
        );
    }
  });

  it('an entry ceases to be stale with the invalidation that covers it and with no other', () => {
    const entry = 'irte/dmar0/24';
    const sim = run({ ...VTD, workload: [{ at: '200us', op: 'device.raise', object: `${NET}/msix/0` }] });
    const does = (op: string, object: string, more: object = {}): unknown => {
      assert.equal(sim.perform({ op, object, ...more }), undefined);
      sim.run();
      return pathValue(sim.trace.head, `${entry}/stale`);
    };
    const write = (value: string): unknown => does('irte.write', entry, { value, invalidate: false });
    assert.equal(pathValue(sim.trace.head, `${entry}/stale`), false);
    assert.equal(write('0x0'), true);
    assert.equal(does('iec.invalidate', 'irte/dmar0/25'), true, 'another index');
    assert.equal(does('iec.invalidate', 'irte/dmar0/28', { mask: 2 }), true, 'another block: 28 to 31');
    assert.equal(does('iec.invalidate', 'irte/dmar0/27', { mask: 2 }), false, 'its block: 24 to 27');
    assert.equal(does('device.raise', `${NET}/msix/0`), false);
    assert.equal(events(sim).at(-1)?.fields['reason'], 'refused by the remapping unit, fault 0x22');
    assert.equal(write('0x4030000000000002a0001'), false, 'an entry that is not present is not cached');
    does('device.raise', `${NET}/msix/0`);
    assert.equal(write('0x0'), true);
    assert.equal(does('iec.invalidate', 'irte/dmar0'), false);
  });

  it('FPD of an entry keeps the fault from being reported; the cause still ends with a reason', () => {
    const sim = run({
      ...VTD,
      workload: [
        { at: '200us', op: 'irte.write', object: 'irte/dmar0/24', value: '0x2' },
        { at: '210us', op: 'device.raise', object: `${NET}/msix/0` },
      ],
    });
    const all = events(sim);
    assert.equal(all.filter((e) => e.kind === 'ir.fault').length, 0);
    assert.match(String(all.find((e) => e.kind === 'drop')?.fields['reason']), /0x22, not reported: FPD/);
  });

  it('entries run out: the allocation fails with -ENOMEM and what was built is freed again', () => {
    const sim = run({ ...VTD, platform: { ...VTD.platform, remapEntries: 2 } });
    const allocs = events(sim).filter((e) => e.kind === 'dom.alloc');
    const failed = allocs.findIndex((e) => e.fields['ret'] === -12);
    assert.equal(allocs[failed]?.fields['domain'], 'INTEL-IR-0');
    assert.deepEqual([allocs[failed + 1]?.fields['domain'], allocs[failed + 1]?.fields['free']], ['VECTOR', true]);
  });

  it('compatibility format passes where the unit lets it, and then hits whatever vector it names', () => {
    const rogue = {
      ...VTD,
      workload: [{ at: '200us', op: 'device.write', object: NET, address: '0xfee02000', data: '0x22' }],
    };
    const passed = events(run(rogue, { settings: { 'remap.compatibility': 'passed' } }));
    assert.ok(passed.some((e) => e.kind === 'cpu.accept' && e.object === 'cpu/2/vector/34'));
    assert.ok(events(run(rogue)).some((e) => e.kind === 'ir.fault' && e.fields['reason'] === 0x25));
  });

  it('AMD-Vi: the data is the index in a table of the function; nobody else can be named', () => {
    const AMD = { ...VTD, platform: { cpus: 4, remap: 'amd' } };
    const sim = run({
      ...AMD,
      workload: [
        { at: '200us', op: 'device.raise', object: `${NET}/msix/1` },
        { at: '300us', op: 'device.write', object: NET, address: '0xfee00004', data: 5 },
        { at: '400us', op: 'device.write', object: NET, address: '0xfee00004', data: 600 },
        { at: '500us', op: 'device.write', object: NET, address: '0xfee00004', data: 0x10000 },
      ],
    });
    const all = events(sim);
    const messages = all.filter((e) => e.kind === 'msg.write').map((e) => [e.fields['address'], e.fields['data']]);
    assert.deepEqual(messages[1], ['0xfee00004', '0x1']);
    assert.equal(
      all
        .filter((e) => e.kind === 'ir.remap')
        .map((e) => e.object)
        .join(),
      'irte/amdvi-0x300/1',
    );
    const faults = all.filter((e) => e.kind === 'ir.fault').map((e) => String(e.fields['text']));
    assert.match(faults[0]!, /RemapEn/);
    assert.match(faults[1]!, /512 entries/);
    assert.match(faults[2]!, /reserved/);
    assert.equal(faults.length, 3);
  });

  it('whom an entry lets through: SVT, SQ and bus ranges', () => {
    const all = 0xffffffff;
    // Bits 79:64 sid, 81:80 sq, 83:82 svt of the entry.
    const fields = (svt: number, sid: number, sq = 0) => ({
      words: [0, 0, sid | (sq << 16) | (svt << 18), 0],
      known: [all, all, all, all],
    });
    const allowed = (f: ReturnType<typeof fields>, ...requesters: number[]) =>
      requesters.map((r) => sourceAllowed(f, r));
    assert.deepEqual(allowed(fields(0, 0x300), 0x300, 0x1234), [true, true]);
    assert.deepEqual(allowed(fields(1, 0x300), 0x300, 0x301, 0x304), [true, false, false]);
    // SQ 1 ignores bit 2 of the function, 2 bits 2:1, 3 bits 2:0.
    assert.deepEqual(allowed(fields(1, 0x300, 1), 0x304, 0x302, 0x308), [true, false, false]);
    assert.deepEqual(allowed(fields(1, 0x300, 2), 0x306, 0x301), [true, false]);
    assert.deepEqual(allowed(fields(1, 0x300, 3), 0x307, 0x308), [true, false]);
    // Bus range: first bus in bits 15:8, last one in 7:0.
    assert.deepEqual(allowed(fields(2, 0x0305), 0x2ff, 0x300, 0x5ff, 0x600), [false, true, true, false]);
    assert.deepEqual(allowed(fields(3, 0x300), 0x300), [false], 'reserved');
  });

  it('a posted entry whose descriptor is none ends in fault 0x27', () => {
    const sim = run({
      ...VTD,
      vms: [{ id: 0, vcpus: 1 }],
      workload: [
        { at: '200us', op: 'irte.write', object: 'irte/dmar0/24', value: '0x9000403000000000000518001' },
        { at: '210us', op: 'device.raise', object: `${NET}/msix/0` },
      ],
    });
    const fault = events(sim).find((e) => e.kind === 'ir.fault');
    assert.equal(fault?.fields['reason'], 0x27);
    assert.equal(sim.machine.ledger.tally().dropped, 1);
  });

  it('AMD-Vi: a 32-bit entry holds CPU and vector; a move rewrites and invalidates it, the device is not touched', () => {
    const sim = run({ ...VTD, platform: { cpus: 4, remap: 'amd' } });
    const before = sim.trace.length;
    const at = (key: string): number => pathValue(sim.trace.head, `irq/24/${key}`) as number;
    const written = events(sim)
      .filter((e) => e.kind === 'irte.writeAmd' && e.object === 'irte/amdvi-0x300/0')
      .at(-1);
    // RemapEn in bit 0, destination in 15:8, vector in 23:16.
    assert.equal(Number(written?.fields['value']), 1 | (at('cpu') << 8) | (at('vector') << 16));
    const to = (at('cpu') + 1) % 4;
    assert.equal(sim.perform({ op: 'irq.affinity', object: 'irq/24', cpus: [to] }), undefined);
    sim.run();
    const after = events(sim, before).map((e) => e.kind);
    assert.ok(after.indexOf('irte.invAmd') > after.indexOf('irte.writeAmd') && after.includes('irte.writeAmd'));
    assert.ok(!after.includes('msg.write') && !after.includes('tbl.write'), after.join(' '));
    assert.equal(at('cpu'), to);
    const { fields } = pathValue(sim.trace.head, 'irte/amdvi-0x300/0/table') as { fields: Record<string, unknown> };
    assert.deepEqual([fields['present'], fields['dest'], fields['vector']], [true, to, at('vector')]);
  });
});
