// Seed 004, row by row: the four jobs of a domain hierarchy, the hypercall domain, isolation.
import assert from 'node:assert/strict';
import type { EventView } from '../../src/query/events.ts';
import { pathValue } from '../../src/query/state.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run } from './run.ts';

type Settings = Readonly<Record<string, string>>;

const us = (e: EventView): number => Number(e.time) * 1e6;
const runOf = (name: string, settings: Settings = {}): { sim: Simulation; all: EventView[] } => {
  const sim = run(bundled(name), { settings });
  assert.deepEqual(sim.machine.ledger.twice, [], 'every cause has one fate');
  return { sim, all: events(sim) };
};
const of = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
const fieldsOf = (all: readonly EventView[], kind: string, field: string): unknown[] =>
  of(all, kind).map((e) => e.fields[field]);
const guestHandled = (all: readonly EventView[]): number =>
  of(all, 'irq.entry').filter((e) => e.object.startsWith('guest/')).length;
const hostHandled = (all: readonly EventView[]): number =>
  of(all, 'irq.entry').filter((e) => e.object.startsWith('irq/')).length;

const STORES = ['msixTable', 'config', 'deviceMemory', 'queueMemory'];
const WHERE: Settings = {
  msixTable: 'MSI-X table',
  config: 'MSI capability',
  deviceMemory: 'device memory',
  queueMemory: 'queue memory',
};
const BUS: Settings = {
  msixTable: 'PCI-MSIX',
  config: 'PCI-MSI',
  deviceMemory: 'DEV-IMS',
  queueMemory: 'QUEUE-IMS',
};
/** Kinds of which each must come after the one before. */
function inOrder(all: readonly EventView[], steps: readonly ((e: EventView) => boolean)[]): void {
  let at = -1;
  for (const [i, step] of steps.entries()) {
    const next = all.findIndex((e, n) => n > at && step(e));
    assert.ok(next > at, `step ${i} of the order is missing after event ${at}`);
    at = next;
  }
}

describe('simulator: seed 004, hierarchical domains and hypercalls', () => {
  it('S4-1 a hypercall domain makes every storage work without an exit for any store', () => {
    for (const store of STORES) {
      const { sim, all } = runOf('chain-hypercall', { 'guest.store': store });
      assert.equal(guestHandled(all), 2, store);
      assert.equal(sim.machine.ledger.tally().delivered, 2, store);
      const written = of(all, 'msg.write').find((e) => e.object === 'guest/0/irq/24')!;
      const granted = of(all, 'hcall.grant')[0]!;
      assert.equal(written.fields['address'], granted.fields['address'], store);
      const exits = of(all, 'kvm.exit').map((e) => e.fields['reason']);
      assert.ok(!exits.includes('EPT_MISCONFIG') && exits.includes('VMCALL'), `${store}: ${exits.join(' ')}`);
    }
  });

  it('S4-2 the hypercalls are those of Hyper-V: map 0x7c, retarget 0x7e at a move, and the message stays', () => {
    const { all } = runOf('chain-hypercall');
    assert.deepEqual(fieldsOf(all, 'hcall', 'number'), ['0x7c', '0x7e']);
    assert.deepEqual(fieldsOf(all, 'hcall.return', 'ret'), [0, 0]);
    const retarget = of(all, 'hcall')[1]!;
    const after = all.filter((e) => us(e) >= us(retarget));
    assert.equal(of(after, 'msg.write').length, 0);
    const last = of(all, 'irq.entry')
      .filter((e) => e.object === 'guest/0/irq/24')
      .at(-1);
    assert.equal(last?.task, 'guest-kernel/vm0.vcpu1');
  });

  it('S4-3 whether it works is a matter of the parent domain: the function answers the same', () => {
    const withCall = runOf('ims-queue-memory-refused', { 'guest.parent': 'hypercall' });
    const without = runOf('ims-queue-memory-refused');
    const config = ({ all }: { all: EventView[] }): unknown[] =>
      of(all, 'cfg.read').map((e) => [e.object, e.fields['offset'], e.fields['value']]);
    assert.deepEqual(config(withCall), config(without));
    const created = ({ all }: { all: EventView[] }): unknown =>
      of(all, 'dom.create').find((e) => e.object === 'guest/0/domain/QUEUE-IMS-0000:03:00.0')?.fields['ret'];
    assert.deepEqual([created(withCall), created(without)], [0, -95]);
    const hcall = of(withCall.all, 'dom.create').find((e) => e.object === 'guest/0/domain/HCALL');
    assert.equal(hcall?.fields['flags'], '0x1', 'the domain says that it can');
  });

  it('S4-4 the boundary lies in the bridge: every domain has a side, and the bus side names no CPU or vector', () => {
    const { all } = runOf('chain-basic');
    const sides = new Map(of(all, 'dom.create').map((e) => [e.object.replace('domain/', ''), e.fields['side']]));
    assert.deepEqual(
      [...sides],
      [
        ['VECTOR', 'cpu'],
        ['PCI-MSIX-0000:03:00.0', 'bus'],
      ],
    );
    for (const e of [...of(all, 'dom.alloc'), ...of(all, 'dom.compose'), ...of(all, 'msg.write')])
      assert.ok(sides.has(String(e.fields['domain'])), `${e.kind} names a domain of the chain`);
    assert.deepEqual([...new Set(of(all, 'dom.compose').map((e) => sides.get(String(e.fields['domain']))))], ['cpu']);
    assert.deepEqual([...new Set(of(all, 'msg.write').map((e) => sides.get(String(e.fields['domain']))))], ['bus']);
    assert.ok(of(all, 'send').every((e) => e.task === 'device/0000:03:00.0'));
    assert.ok(of(all, 'cpu.accept').every((e) => e.task?.startsWith('cpu/')));
  });

  it('S4-5 each kind of bus stands on the same vector domain and does the same with what it gets', () => {
    const messages = STORES.map((store) => {
      const { sim, all } = runOf('chain-basic', { 'guest.store': store });
      assert.equal(sim.machine.ledger.tally().delivered, 3, store);
      const bus = of(all, 'dom.create').at(-1)!;
      assert.equal(bus.object, `domain/${BUS[store]}-0000:03:00.0`);
      assert.equal(bus.fields['parent'], 'VECTOR');
      return of(all, 'msg.write').map((e) => [e.fields['address'], e.fields['data']]);
    });
    for (const one of messages) assert.deepEqual(one, messages[0]);
  });

  it('S4-6 with an IOMMU the boundary moves into it: another message on either side, the bridge is the same', () => {
    const { all } = runOf('chain-remap');
    const sides = of(all, 'dom.create').map((e) => [e.object, e.fields['parent'], e.fields['side']]);
    assert.deepEqual(sides, [
      ['domain/VECTOR', undefined, 'cpu'],
      ['domain/INTEL-IR-0', 'VECTOR', 'cpu'],
      ['domain/PCI-MSIX-0000:03:00.0', 'INTEL-IR-0', 'bus'],
    ]);
    const [before, after] = of(all, 'ir.message').slice(0, 2);
    assert.equal(before?.fields['address'], after?.fields['address'], 'the bus sees the same message after the move');
    assert.notEqual(before?.fields['newAddress'], after?.fields['newAddress'], 'the CPU side does not');
    assert.equal(of(all, 'ir.message')[0]?.task, 'remap-unit/dmar0');
  });

  it('S4-7 a message is stored where the device can reach it, and the events say where', () => {
    for (const store of STORES) {
      const { all } = runOf('chain-basic', { 'guest.store': store });
      assert.deepEqual([...new Set(fieldsOf(all, 'msg.write', 'where'))], [WHERE[store]]);
      const held = { msixTable: 'msix/0', config: 'msi', deviceMemory: 'ims/0', queueMemory: 'ims/0' }[store]!;
      assert.ok(
        of(all, 'send').every((e) => e.object === `device/0000:03:00.0/${held}`),
        'the device uses what is stored',
      );
      if (store.endsWith('Memory')) assert.equal(of(all, 'ims.store')[0]?.fields['where'], WHERE[store]);
    }
  });

  it('S4-8 alloc, compose, store and use come in this order from the vector domain, the bus domain and the device', () => {
    const { all } = runOf('chain-basic');
    const bus = 'PCI-MSIX-0000:03:00.0';
    inOrder(all, [
      (e) => e.kind === 'dom.alloc' && e.fields['domain'] === 'VECTOR',
      (e) => e.kind === 'dom.alloc' && e.fields['domain'] === bus,
      (e) => e.kind === 'dom.compose' && e.fields['domain'] === 'VECTOR',
      (e) => e.kind === 'msg.write' && e.fields['domain'] === bus,
      (e) => e.kind === 'tbl.write' && e.object === 'device/0000:03:00.0/msix/0',
      (e) => e.kind === 'send' && e.task === 'device/0000:03:00.0',
      (e) => e.kind === 'irq.entry' && e.object === 'irq/24',
    ]);
    const composed = of(all, 'dom.compose')[0]!;
    const sent = of(all, 'send')[0]!;
    assert.deepEqual(
      [sent.fields['address'], sent.fields['data']],
      [composed.fields['address'], composed.fields['data']],
    );
  });

  it('S4-9 with remapping the vector domain only allocates; the remap domain allocates an entry and composes', () => {
    const { all } = runOf('chain-remap');
    assert.deepEqual([...new Set(fieldsOf(all, 'dom.compose', 'domain'))], ['INTEL-IR-0']);
    inOrder(all, [
      (e) => e.kind === 'dom.alloc' && e.fields['domain'] === 'VECTOR',
      (e) => e.kind === 'dom.alloc' && e.fields['domain'] === 'INTEL-IR-0',
      (e) => e.kind === 'irte.write',
      (e) => e.kind === 'iec.inv',
      (e) => e.kind === 'dom.compose',
      (e) => e.kind === 'msg.write',
    ]);
    for (const address of fieldsOf(all, 'msg.write', 'address'))
      assert.equal((Number(address) >>> 4) & 1, 1, 'bit 4: remappable format');
    // No message is written when the interrupt moves.
    assert.equal(of(all, 'msg.write').length, 1);
  });

  it('S4-10 the chain is that of hierarchical domains: the walk goes through the parents', () => {
    const walks = (name: string): unknown[] => {
      const { all } = runOf(name);
      return of(all, 'dom.activate').map((e) => e.fields['domain']);
    };
    assert.deepEqual(walks('chain-basic'), ['VECTOR', 'PCI-MSIX-0000:03:00.0']);
    assert.deepEqual(walks('chain-remap'), ['VECTOR', 'INTEL-IR-0', 'PCI-MSIX-0000:03:00.0']);
  });

  it('S4-11 pass-through looks like the basic case to the guest: its store is trapped, translated and stored by the host', () => {
    const { sim, all } = runOf('chain-trapped');
    inOrder(all, [
      (e) => e.kind === 'dom.compose' && e.object === 'guest/0/irq/24' && e.fields['domain'] === 'VECTOR',
      (e) => e.kind === 'msg.write' && e.object === 'guest/0/irq/24',
      (e) => e.kind === 'kvm.exit' && e.fields['reason'] === 'EPT_MISCONFIG',
      (e) => e.kind === 'tbl.write' && e.object === 'device/0000:00:05.0/msix/0',
      (e) => e.kind === 'dom.compose' && e.object === 'irq/24' && e.fields['domain'] === 'INTEL-IR-0',
      (e) => e.kind === 'tbl.write' && e.object === 'device/0000:03:00.0/msix/0',
      (e) => e.kind === 'kvm.entry',
    ]);
    const entry = (bdf: string): unknown =>
      (pathValue(sim.trace.head, `device/${bdf}/msix/0/address`) as { value: string }).value;
    assert.equal(entry('0000:00:05.0'), '0xfee01000', 'vcpu 1 after the move');
    assert.equal(entry('0000:03:00.0'), '0xfee00318', 'entry 24 of the remapping table');
    assert.equal(guestHandled(all), 2);
  });

  it('S4-11 the IDXD kind of IMS works the same way', () => {
    const { all } = runOf('chain-trapped', { 'guest.store': 'deviceMemory' });
    const stored = of(all, 'ims.store').filter((e) => e.fields['offset'] === '0x0');
    assert.deepEqual(
      stored.slice(0, 2).map((e) => [e.object, e.fields['value'], e.task]),
      [
        ['device/0000:00:05.0/ims/0', '0xfee00000', 'vmm/vm0'],
        ['device/0000:03:00.0/ims/0', '0xfee00318', 'irq-core/host'],
      ],
    );
    assert.equal(guestHandled(all), 2);
  });

  it('S4-12 a store that cannot be trapped reaches the device as the guest composed it', () => {
    const { all } = runOf('hidden-vm');
    const store = all.findIndex((e) => e.kind === 'msg.write' && e.object === 'guest/0/irq/24');
    const stored = all.findIndex((e, i) => i > store && e.kind === 'ims.store');
    assert.ok(!all.slice(store, stored).some((e) => e.kind === 'kvm.exit'), 'no exit between store and storage');
    assert.equal(of(all, 'send')[0]?.fields['address'], '0xfee00000');
    assert.equal(of(all, 'send')[0]?.fields['data'], '0x21');
  });

  it('S4-13 the guest asks first: the hypercall comes before the store, and its answer is what is stored', () => {
    const { all } = runOf('ims-queue-memory');
    inOrder(all, [
      (e) => e.kind === 'hcall' && e.fields['number'] === '0x7c',
      (e) => e.kind === 'hcall.grant',
      (e) => e.kind === 'hcall.return' && e.fields['ret'] === 0,
      (e) => e.kind === 'dom.compose' && e.object === 'guest/0/irq/24',
      (e) => e.kind === 'ims.store',
    ]);
    const answer = of(all, 'hcall.return')[0]?.fields['output'];
    assert.equal(of(all, 'ims.store')[0]?.fields['value'], answer);
  });

  it('S4-14 the hypercall domain stands between vector and bus; the hypervisor allocates and composes on the host', () => {
    const { all } = runOf('chain-hypercall');
    const allocs = of(all, 'dom.alloc').map((e) => [e.object, e.fields['domain']]);
    assert.deepEqual(allocs, [
      ['guest/0/irq/24', 'VECTOR'],
      ['irq/24', 'VECTOR'],
      ['irq/24', 'INTEL-IR-0'],
      ['irq/24', 'HV-MSI-0000:03:00.0'],
      ['guest/0/irq/24', 'HCALL'],
      ['guest/0/irq/24', 'PCI-MSIX-0000:03:00.0'],
    ]);
    assert.deepEqual(
      of(all, 'dom.compose').map((e) => [e.object, e.fields['domain'], e.fields['address']]),
      [
        ['irq/24', 'INTEL-IR-0', '0xfee00318'],
        ['guest/0/irq/24', 'HCALL', '0xfee00318'],
      ],
    );
    const created = of(all, 'dom.create').filter((e) => e.object.startsWith('guest/'));
    assert.deepEqual(
      created.map((e) => [e.object.replace('guest/0/domain/', ''), e.fields['parent']]),
      [
        ['VECTOR', undefined],
        ['HCALL', 'VECTOR'],
        ['PCI-MSIX-0000:03:00.0', 'HCALL'],
      ],
    );
  });

  it('S4-15 below the hypercall domain every bus domain makes the same events', () => {
    const walk = (store: string): unknown[] => {
      const { all } = runOf('chain-hypercall', { 'guest.store': store });
      const kinds = new Set([
        'hcall',
        'hcall.grant',
        'hcall.return',
        'dom.alloc',
        'dom.compose',
        'dom.activate',
        'msg.write',
      ]);
      return all
        .filter((e) => kinds.has(e.kind) && us(e) < 200)
        .map((e) => [
          e.kind,
          e.object,
          String(e.fields['domain']).replace(`${BUS[store]}-`, 'BUS-'),
          e.fields['address'],
        ]);
    };
    const first = walk('msixTable');
    assert.ok(first.length > 10);
    for (const store of STORES.slice(1)) assert.deepEqual(walk(store), first, store);
  });

  it('S4-16 a driver that writes anything into queue memory: each kind of message has its own end', () => {
    const { sim, all } = runOf('adversarial-writer');
    const ends = of(all, 'send')
      .filter((e) => us(e) >= 300)
      .map((sent) => {
        const next = all.slice(sent.step + 1).filter((e) => us(e) < us(sent) + 50);
        const fault = next.find((e) => e.kind === 'ir.fault');
        if (fault) return fault.fields['reason'];
        if (next.some((e) => e.kind === 'iommu.fault')) return 'iommu';
        if (next.some((e) => e.kind === 'drop')) return 'own memory';
        return next.some((e) => e.kind === 'cpu.accept') ? 'delivered' : 'nothing';
      });
    assert.deepEqual(ends, [0x25, 0x21, 0x22, 0x20, 0x26, 'delivered', 'own memory', 'iommu']);
    // Every one of them was no message that the hypervisor granted to this guest.
    assert.equal(of(all, 'illegal').filter((e) => e.fields['rule'] === 'INV-HCALL').length, 8);
    assert.deepEqual(
      { ...sim.machine.ledger.tally() },
      { flying: 0, pending: 0, merged: 0, delivered: 3, withdrawn: 0, dropped: 7, untold: 0 },
    );
  });

  it('S4-16 without any remapping the guest reaches vectors of the host', () => {
    const document = { ...bundled('adversarial-writer'), platform: { cpus: 4 } };
    const all = events(run(document));
    const hit = of(all, 'cpu.accept').find((e) => e.object === 'cpu/0/vector/51');
    assert.ok(hit, 'compatibility message 0xfee00000 / 0x33');
  });

  it('S4-17 MSI, MSI-X and IMS in device memory can be trapped, queue memory cannot', () => {
    const trapped = STORES.map((store) => {
      const { all } = runOf('chain-trapped', { 'guest.store': store, 'guest.knowsVm': 'no' });
      const first = of(all, 'msg.write').find((e) => e.object.startsWith('guest/'))!;
      const next = all
        .slice(first.step + 1)
        .find((e) => ['kvm.exit', 'ims.store', 'tbl.write', 'cfg.write'].includes(e.kind));
      return next?.kind === 'kvm.exit';
    });
    assert.deepEqual(trapped, [true, true, true, false]);
  });

  it('S4-18 the remapping unit catches all but entries of the same requester, and that gap is named', () => {
    const { all } = runOf('adversarial-writer');
    assert.deepEqual(new Set(fieldsOf(all, 'ir.fault', 'reason')), new Set([0x20, 0x21, 0x22, 0x25, 0x26]));
    const gaps = of(all, 'illegal').filter((e) => e.fields['rule'] === 'INV-OWN');
    assert.deepEqual(
      gaps.map((e) => e.object),
      ['irte/dmar0/28'],
    );
    assert.match(String(gaps[0]?.fields['text']), /vm0\/evil used the entry of vm1\/victim/);
    const victim = of(all, 'irq.entry').filter((e) => e.object === 'guest/1/irq/24');
    assert.equal(victim.length, 2, 'its own interrupt, and one that the other guest made');
  });

  it('S4-18 entries that verify no requester let foreign functions through as well', () => {
    const { all } = runOf('adversarial-writer', { 'remap.sourceCheck': 'none' });
    assert.ok(!fieldsOf(all, 'ir.fault', 'reason').includes(0x26));
    assert.ok(
      of(all, 'irq.entry').some((e) => e.object === 'irq/24' && us(e) > 700),
      'the interrupt of the disk',
    );
  });

  it('S4-18 with a table for each function a foreign function cannot be named, but another user of the same can', () => {
    const document = bundled('adversarial-writer') as { workload: object[] };
    const write = (at: number, data: number): object[] => [
      { at: `${at}us`, op: 'consumer.store', consumer: 'evil', address: '0xfee00004', data },
      { at: `${at + 10}us`, op: 'consumer.raise', consumer: 'evil' },
    ];
    const all = events(
      run({ ...document, platform: { cpus: 4, remap: 'amd' }, workload: [...write(300, 2), ...write(400, 9)] }),
    );
    const gap = of(all, 'illegal').find((e) => e.fields['rule'] === 'INV-OWN');
    assert.equal(gap?.object, 'irte/amdvi-0x300/2', 'index 2 of its own table is that of the other guest');
    assert.match(String(of(all, 'ir.fault')[0]?.fields['text']), /RemapEn/);
    assert.ok(
      all.every((e) => !e.object.startsWith('irte/amdvi-0x200') || us(e) < 100),
      'the table of the disk is never read',
    );
  });

  it('S4-19 as a platform function the subdevice domain works everywhere or returns -EOPNOTSUPP itself', () => {
    const refused = (settings: Settings): unknown[] =>
      of(runOf('ims-queue-memory-refused', { 'guest.domainRefusal': 'subdevice', ...settings }).all, 'dom.create')
        .filter((e) => Number(e.fields['ret']) < 0)
        .map((e) => [e.object, e.fields['ret']]);
    assert.deepEqual(refused({}), [['guest/0/domain/QUEUE-IMS-0000:03:00.0', -95]]);
    // Even where the store could be trapped: no emulation for single devices.
    assert.deepEqual(refused({ 'guest.store': 'deviceMemory' }), [['guest/0/domain/DEV-IMS-0000:00:05.0', -95]]);
    assert.deepEqual(refused({ 'guest.parent': 'hypercall' }), []);
  });

  it('S4-20 the subdevice domain is a bus domain: the error comes from a parent, and trapped IMS is not refused', () => {
    const { all } = runOf('ims-queue-memory-refused');
    const refused = of(all, 'dom.create').filter((e) => Number(e.fields['ret']) < 0);
    assert.equal(refused[0]?.object, 'guest/0/domain/VECTOR', 'where the error begins');
    const device = runOf('ims-queue-memory-refused', { 'guest.store': 'deviceMemory' });
    assert.ok(of(device.all, 'dom.create').every((e) => e.fields['ret'] === 0));
    assert.equal(guestHandled(device.all), 1);
  });

  it('S4-21 the requirement travels with the creation: flag 1, and only for queue memory', () => {
    for (const store of STORES) {
      const { all } = runOf('chain-hypercall', { 'guest.store': store });
      const bus = of(all, 'dom.create').at(-1)!;
      assert.equal(bus.fields['flags'], store === 'queueMemory' ? '0x1' : '0x0', store);
    }
  });

  it('S4-22 without a hypercall domain the vector domain of a guest returns the error, and nothing is allocated', () => {
    for (const parent of ['vector', 'remap']) {
      const { sim, all } = runOf('ims-queue-memory-refused', { 'guest.parent': parent });
      const refused = of(all, 'dom.create').find((e) => Number(e.fields['ret']) < 0)!;
      assert.deepEqual(
        [refused.object, refused.fields['ret'], refused.fields['flags']],
        ['guest/0/domain/VECTOR', -95, '0x1'],
        parent,
      );
      assert.equal(of(all, 'dom.alloc').length, 0);
      assert.equal(sim.machine.ledger.tally().untold, 1, 'what the device would send was never stored');
    }
  });

  it('S4-23 creation works with a hypercall domain; the allocation returns what the hypercall returned', () => {
    const { all } = runOf('ims-queue-memory');
    assert.equal(of(all, 'dom.create').at(-1)?.fields['ret'], 0);
    const failed = of(all, 'hcall.return').find((e) => e.fields['number'] === '0x7c' && e.fields['ret'] !== 0)!;
    assert.equal(failed.fields['ret'], -28);
    const alloc = of(all, 'dom.alloc').find((e) => e.step > failed.step)!;
    assert.deepEqual([alloc.object, alloc.fields['domain'], alloc.fields['ret']], ['guest/0/irq/26', 'HCALL', -28]);
    // What the parent had allocated is freed again.
    const freed = of(all, 'dom.alloc').find((e) => e.step > alloc.step)!;
    assert.deepEqual([freed.fields['domain'], freed.fields['free']], ['VECTOR', true]);
  });

  it('S4-23 illegal hypercalls are answered with their errno, and a message given back is refused by the hardware', () => {
    const { all } = runOf('ims-queue-memory');
    const late = of(all, 'hcall.return').filter((e) => us(e) >= 300);
    assert.deepEqual(
      late.map((e) => [e.fields['number'], e.fields['ret']]),
      [
        ['0x7d', 0],
        ['0x7c', -22],
        ['0x7e', -2],
      ],
    );
    assert.deepEqual(fieldsOf(all, 'ir.fault', 'reason'), [0x22]);
    const others = bundled('adversarial-writer') as { workload: object[] };
    const foreign = events(
      run({
        ...others,
        workload: [
          { at: '300us', op: 'hcall.unmap', object: 'hypervisor/grant/2', vm: 0 },
          { at: '350us', op: 'hcall.map', object: 'device/0000:02:00.0', vm: 0, entry: 0, vector: '0x40' },
          { at: '400us', op: 'hcall.map', object: 'device/0000:03:00.0', vm: 0, entry: 1, vector: '0x40' },
        ],
      }),
    );
    const rets = of(foreign, 'hcall.return').filter((e) => us(e) >= 300);
    assert.deepEqual(
      rets.map((e) => e.fields['ret']),
      [-1, -19, -17],
    );
  });

  it('S4-24 a guest that cannot tell creates the domain; the message it composed is blocked by the host', () => {
    const { all } = runOf('hidden-vm');
    assert.ok(of(all, 'dom.create').every((e) => e.fields['ret'] === 0));
    const warned = of(all, 'illegal')[0];
    assert.equal(warned?.fields['rule'], 'INV-HCALL');
    assert.match(String(warned?.fields['text']), /vector domain accepted queue memory inside a virtual machine/);
    assert.deepEqual(fieldsOf(all, 'ir.fault', 'reason'), [0x25]);
    assert.equal(guestHandled(all), 0);
  });

  it('S4-24 where nothing blocks it, the vector of the guest hits the host', () => {
    const { all } = runOf('hidden-vm', { 'remap.compatibility': 'passed' });
    assert.ok(of(all, 'cpu.accept').some((e) => e.object === 'cpu/0/vector/33'));
    assert.ok(of(all, 'drop').some((e) => /no irq handler/.test(String(e.fields['reason']))));
    assert.equal(guestHandled(all), 0);
  });

  it('S4-25 on bare metal the vector domain handles queue memory, with and without remapping', () => {
    for (const remap of ['none', 'vtd', 'amd']) {
      const document = { ...bundled('ims-queue-bare-metal'), platform: { cpus: 4, remap } };
      const sim = run(document);
      const all = events(sim);
      assert.ok(
        of(all, 'dom.create').every((e) => e.fields['ret'] === 0),
        remap,
      );
      assert.equal(of(all, 'dom.create').at(-1)?.fields['flags'], '0x1');
      assert.equal(sim.machine.ledger.tally().delivered, 2, remap);
      assert.equal(hostHandled(all), 2, remap);
      assert.equal(of(all, 'illegal').length, 0, remap);
    }
  });
});
