// S4, rows 16 to 25: isolation, who refuses a domain, guests that cannot tell, bare metal.
import assert from 'node:assert/strict';
import { readScenario } from '../../../src/sim/scenario.ts';
import { bundled, events, run } from '../run.ts';
import { fieldsOf, guestHandled, hostHandled, of, runOf, type Settings, STORES, us } from './seed4-run.ts';

describe('simulator: S4, isolation and creation of domains', () => {
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
      { inFlight: 0, pending: 0, merged: 0, delivered: 3, withdrawn: 0, dropped: 7, untold: 0 },
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
    assert.deepEqual([...new Set(of(device.all, 'dom.create').map((e) => e.fields['ret']))], [0]);
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
    assert.deepEqual([...new Set(of(all, 'dom.create').map((e) => e.fields['ret']))], [0]);
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

  it('an entry that is given to another guest while a queue still holds its message interrupts the wrong one', () => {
    const document = bundled('adversarial-writer') as { workload: object[]; consumers: object[] };
    const all = events(
      run({
        ...document,
        workload: [
          { at: '300us', op: 'hcall.unmap', object: 'hypervisor/grant/0', vm: 0 },
          { at: '350us', op: 'hcall.unmap', object: 'hypervisor/grant/2', vm: 1 },
          { at: '400us', op: 'hcall.map', object: 'device/0000:03:00.0', vm: 1, entry: 8, vector: '0x44' },
          { at: '500us', op: 'consumer.raise', consumer: 'evil' },
        ],
      }),
    );
    // Entry 26 was the first guest's, the lowest free one is handed out again.
    assert.equal(of(all, 'hcall.grant').at(-1)?.fields['address'], '0xfee00358');
    const gap = of(all, 'illegal').find((e) => e.fields['rule'] === 'INV-OWN');
    assert.equal(gap?.object, 'irte/dmar0/26');
    assert.ok(of(all, 'apic.accept').some((e) => e.object === 'vcpu/1/vector/68' && us(e) > 500));
  });

  it('granted messages can be posted: the guest is interrupted and the host sees nothing', () => {
    const posted = runOf('chain-hypercall', { 'guest.delivery': 'posted' });
    const late = posted.all.filter((e) => us(e) >= 200);
    assert.equal(hostHandled(late), 0);
    assert.equal(of(late, 'cpu.accept').length, 0);
    assert.equal(guestHandled(late), 2);
    assert.deepEqual(
      of(late, 'pi.post')
        .filter((e) => e.fields['set'] === true)
        .map((e) => e.object),
      ['vcpu/0/pi', 'vcpu/1/pi'],
    );
    assert.equal(posted.sim.machine.ledger.tally().delivered, 2);
  });

  it('consumers that name what is not there are problems of the scenario, with their place', () => {
    const document = bundled('adversarial-writer') as { consumers: object[] };
    const wrong = [
      { name: 'a', vm: 7, device: '0000:03:00.0' },
      { name: 'a', device: '0000:02:00.0' },
      { name: 'b', device: '0000:09:00.0', guest: '0000:03:00.0' },
    ];
    const read = readScenario({ ...document, consumers: wrong });
    assert.ok(Array.isArray(read));
    assert.deepEqual(
      read.map((p: { path: string }) => p.path),
      ['consumers.0.vm', 'consumers.1.device', 'consumers.1.name', 'consumers.2.device', 'consumers.2.guest'],
    );
  });
});
