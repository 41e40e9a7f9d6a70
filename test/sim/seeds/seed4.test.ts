// S4, rows 1 to 15: the four jobs of a domain hierarchy, trapped stores, the hypercall domain.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { bundled, events, run } from '../run.ts';
import { BUS, fieldsOf, guestHandled, inOrder, of, runOf, STORES, us, WHERE } from './seed4-run.ts';

describe('simulator: S4, hierarchical domains and hypercalls', () => {
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

  it('S4-2 a Hyper-V guest gets its message by VMBus from the host, tells the target at each unmask, and a move leaves the message', () => {
    const { sim, all } = runOf('chain-vpci');
    // drivers/pci/controller/pci-hyperv.c: create 0x42490014, no map or unmap hypercall, retarget 0x7e.
    assert.deepEqual(fieldsOf(all, 'vpci.message', 'message'), ['0x42490014', '0x42490014']);
    assert.deepEqual([...new Set(fieldsOf(all, 'hcall', 'number'))], ['0x7e']);
    const [granted, refused] = of(all, 'vpci.answer');
    const written = of(all, 'msg.write').filter((e) => e.object.startsWith('guest/'));
    assert.deepEqual(
      written.map((e) => [e.object, e.fields['address'], e.fields['data'], e.fields['by']]),
      [
        ['guest/0/irq/24', granted!.fields['address'], granted!.fields['data'], 'activate'],
        ['guest/0/irq/25', '0x0', '0x0', 'activate'],
      ],
    );
    assert.equal(granted!.fields['address'], of(all, 'hcall.grant')[0]!.fields['address'], 'the host composed it');
    // STATUS_INSUFFICIENT_RESOURCES: the activation succeeds all the same.
    assert.deepEqual([refused!.fields['status'], refused!.fields['address'] ?? null], ['0xc000009a', null]);
    // The target goes ahead of the mask bit, at the first unmask and at that of the move; masking calls nobody.
    const entry = 'device/0000:03:00.0/msix/0';
    const about = all.filter(
      (e) => e.kind === 'hcall' || (e.kind === 'tbl.write' && e.object === entry && e.fields['offset'] === '0xc'),
    );
    assert.deepEqual(
      about.map((e) => (e.kind === 'hcall' ? 'retarget' : e.fields['value'])),
      ['retarget', '0x0', '0x1', 'retarget', '0x0'],
    );
    const handled = of(all, 'irq.entry').filter((e) => e.object.startsWith('guest/'));
    assert.deepEqual(
      handled.map((e) => [e.object, e.task]),
      [
        ['guest/0/irq/24', 'guest-kernel/vm0.vcpu0'],
        ['guest/0/irq/24', 'guest-kernel/vm0.vcpu1'],
      ],
    );
    assert.match(String(of(all, 'drop')[0]?.fields['reason']), /written to address 0/);
    assert.equal(sim.machine.ledger.tally().delivered, 2);
    // Every storage gets the same of it; what cannot be masked is unmasked at its start all the same.
    for (const store of ['config', 'deviceMemory'])
      assert.equal(of(runOf('chain-vpci', { 'guest.store': store }).all, 'hcall').length, 2, store);
  });

  it('S4-2 a retarget that the hypervisor refuses is only logged: the interrupt keeps the target that it had', () => {
    const unmap = { at: '820us', op: 'hcall.unmap', object: 'hypervisor/grant/0', vm: 0 };
    const scenario = bundled('chain-vpci') as { workload: object[] };
    const all = events(run({ ...scenario, workload: [unmap, ...scenario.workload] }));
    const text = of(all, 'message').map((e) => e.fields['text']);
    assert.deepEqual(text, ['hv_arch_irq_unmask() failed: 0x5']);
    assert.equal(of(all, 'irq.affinity').length, 1);
  });

  it('S4-2 the hypercall domain of the thread uses the calls of a root partition: map 0x7c, retarget 0x7e at a move, and the message stays', () => {
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
    assert.deepEqual([...new Set(of(all, 'send').map((e) => e.task))], ['device/0000:03:00.0']);
    assert.deepEqual([...new Set(of(all, 'cpu.accept').map((e) => e.task?.split('/')[0]))], ['cpu']);
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
    // The interrupt is active twice at least: where it was set up, and where it was moved to.
    assert.ok(messages[0]!.length >= 2);
    for (const one of messages) assert.deepEqual(one, messages[0]);
  });

  it('S4-6 with an IOMMU the boundary moves into it: another message on either side, the bridge is the same', () => {
    const { all } = runOf('chain-remap');
    const sides = of(all, 'dom.create').map((e) => [e.object, e.fields['parent'], e.fields['side']]);
    assert.deepEqual(sides, [
      ['domain/VECTOR', undefined, 'cpu'],
      ['domain/INTEL-IR-0', 'VECTOR', 'cpu'],
      ['domain/IR-PCI-MSIX-0000:03:00.0', 'INTEL-IR-0', 'bus'],
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
    assert.deepEqual(walks('chain-remap'), ['VECTOR', 'INTEL-IR-0', 'IR-PCI-MSIX-0000:03:00.0']);
    const { sim } = runOf('chain-remap');
    const parent = (name: string): unknown => pathValue(sim.trace.head, `domain/${name}/parent`);
    assert.deepEqual(['IR-PCI-MSIX-0000:03:00.0', 'INTEL-IR-0', 'VECTOR'].map(parent), ['INTEL-IR-0', 'VECTOR', null]);
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

  it('S4-11 MSI, MSI-X and IMS in device memory: the message of the guest is not that of the hardware, and a trap lies between', () => {
    for (const [store, kind, first] of [
      ['msixTable', 'tbl.write', '0x0'],
      ['config', 'cfg.write', '0x54'],
      ['deviceMemory', 'ims.store', '0x0'],
    ] as const) {
      const { all } = runOf('chain-trapped', { 'guest.store': store });
      const stored = (bdf: string): EventView =>
        all.find(
          (e) =>
            e.kind === kind &&
            e.object.startsWith(`device/${bdf}`) &&
            e.fields['offset'] === first &&
            e.fields['value'] !== '0x0',
        )!;
      const [guest, hardware] = [stored('0000:00:05.0'), stored('0000:03:00.0')];
      assert.equal(guest.task, 'vmm/vm0', store);
      assert.notEqual(guest.fields['value'], hardware.fields['value'], store);
      const trap = all.findLast((e) => e.step < guest.step && e.kind === 'kvm.exit')!;
      const composed = all.find((e) => e.kind === 'msg.write' && e.object === 'guest/0/irq/24')!;
      assert.ok(composed.step < trap.step && trap.step < guest.step && guest.step < hardware.step, store);
      assert.equal(composed.fields['address'], guest.fields['value'], store);
    }
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
});
