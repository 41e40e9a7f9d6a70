// Interrupt remapping inside a guest: the same unit as on the host, its entries as objects, and routes that follow its table.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { events, run } from '../run.ts';

const NIC = 'device/0000:00:04.0';

/** A guest with two virtual CPUs and a function with two vectors behind its own remapping unit. */
const machine = (policies: Record<string, string>, workload: object[] = []) =>
  run({
    vms: [{ id: 0, vcpus: 2, devices: [{ bdf: '0000:00:04.0', name: 'virtio-net', vectors: 2, source: 'irqfd' }] }],
    policies: { viommu: 'present', ...policies },
    workload,
  });

const raise = (at: string, vector: number) => ({ at, op: 'device.raise', object: `${NIC}/msix/${vector}` });

describe('simulator: remapping inside a guest', () => {
  it('the entries of the guest are objects: vector, virtual CPU, and the function that may use them', () => {
    const sim = machine({ msixOwner: 'kernel' }, [raise('1ms', 0)]);
    const at = (path: string) => pathValue(sim.trace.head, path);
    // Requester 00:04.0 is 0x20; the guest's first vector is 0x21, its irqs go to the virtual CPUs in turn.
    for (const [index, dest] of [
      [0, 0],
      [1, 1],
    ] as const) {
      const entry = `irte/vm0-dmar0/${index}`;
      const value = at(`${entry}/table`) as { readonly fields: Record<string, unknown> };
      assert.equal(value.fields['present'], true, entry);
      assert.equal(value.fields['vector'], 0x21, entry);
      assert.equal(value.fields['sid'], 0x20, entry);
      assert.equal(value.fields['svt'], 1, entry);
      assert.equal(value.fields['dest'], dest << 8, entry);
    }
    assert.equal(at('domain/INTEL-IR-0'), undefined, 'the host has no remap domain');
  });

  it('the unit reads the entry when the VMM sets up the route, which then holds what the entry says', () => {
    const sim = machine({ msixOwner: 'kernel' }, [raise('1ms', 1)]);
    const all = events(sim);
    const read = all.findIndex((e) => e.kind === 'irte.read' && e.object === 'irte/vm0-dmar0/1');
    assert.ok(read >= 0);
    assert.equal(all[read]!.task, 'remap-unit/vm0-dmar0');
    assert.deepEqual(
      all.filter((e) => e.kind === 'apic.accept').map((e) => e.object),
      ['vcpu/1/vector/33'],
    );
  });

  it('a move writes the entry and invalidates it, the message stays, and the VMM sets the route again', () => {
    const move = { at: '1ms', op: 'guest.affinity', object: 'guest/0/irq/25', vcpu: 0 };
    const sim = machine({ msixOwner: 'kernel' }, [raise('900us', 1), move, raise('1200us', 1)]);
    const all = events(sim);
    const from = all.findIndex((e) => e.kind === 'irq.affinity');
    const later = all.slice(from);
    const kinds = later.map((e) => e.kind);
    const [write, invalidate, route] = ['irte.write', 'iec.inv', 'route.set'].map((kind) => kinds.indexOf(kind));
    assert.ok(write! >= 0 && write! < invalidate! && invalidate! < route!, kinds.join(' '));
    assert.equal(kinds.includes('tbl.write'), false, 'nobody writes the table of the function');
    assert.deepEqual(
      all.filter((e) => e.kind === 'apic.accept').map((e) => e.object),
      // 0x21 of virtual CPU 0 belongs to vector 0.
      ['vcpu/1/vector/33', 'vcpu/0/vector/34'],
    );
  });

  it('the guest writes its entry without an exit; the VMM learns of it by the trapped write of the queue tail, and sets the route then', () => {
    const move = { at: '1ms', op: 'guest.affinity', object: 'guest/0/irq/25', vcpu: 0 };
    const all = events(machine({ msixOwner: 'kernel' }, [move]));
    const later = all.slice(all.findIndex((e) => e.kind === 'irq.affinity'));
    const shown = ['irte.write', 'kvm.exit', 'kvm.userspace', 'iec.inv', 'route.set', 'kvm.entry'];
    assert.deepEqual(
      later.filter((e) => shown.includes(e.kind)).map((e) => e.kind),
      shown,
    );
    assert.equal(later.find((e) => e.kind === 'irte.write')?.task, 'guest-kernel/vm0.vcpu0');
    assert.equal(later.find((e) => e.kind === 'kvm.userspace')?.fields['reason'], 'KVM_EXIT_MMIO');
    // Until then the route is the one of before: with the entry written behind the back of the unit, nothing follows.
    const silent = { at: '1ms', op: 'irte.write', object: 'irte/vm0-dmar0/1', value: '0x0', invalidate: false };
    const kept = events(machine({ msixOwner: 'kernel' }, [silent, raise('1100us', 1)]));
    assert.deepEqual(
      kept.filter((e) => e.kind === 'apic.accept').map((e) => e.object),
      ['vcpu/1/vector/33'],
    );
  });

  it('the guest stores remappable messages: format bit 4, SHV bit 3, the handle in 19:5, and the subhandle 0 as data', () => {
    const writes = events(machine({ msixOwner: 'kernel' })).filter((e) => e.kind === 'msg.write');
    assert.deepEqual(
      [...new Set(writes.map((e) => `${String(e.fields['address'])} ${String(e.fields['data'])}`))],
      ['0xfee00018 0x0', '0xfee00038 0x0'],
    );
  });

  it('a cleared entry of the guest ends messages of the VMM itself with fault 0x22', () => {
    const clear = { at: '1ms', op: 'irte.clear', object: 'irte/vm0-dmar0/0' };
    const sim = run({
      vms: [{ id: 0, vcpus: 1, devices: [{ bdf: '0000:00:04.0', name: 'net', vectors: 1 }] }],
      policies: { viommu: 'present' },
      workload: [raise('900us', 0), clear, raise('1100us', 0)],
    });
    const all = events(sim);
    assert.deepEqual(
      all.filter((e) => e.kind === 'ir.fault').map((e) => [e.object, e.fields['reason'], e.fields['sid']]),
      [['irte/vm0-dmar0/0', 0x22, '0x20']],
    );
    assert.equal(all.filter((e) => e.kind === 'apic.accept').length, 1);
    assert.match(String(all.find((e) => e.kind === 'drop')?.fields['reason']), /fault 0x22/);
    assert.deepEqual(sim.machine.ledger.twice, []);
  });

  it('host and guest with remapping keep their entries apart', () => {
    const sim = run({
      platform: { cpus: 2, remap: 'vtd', remapEntries: 256 },
      devices: [{ bdf: '0000:03:00.0', name: 'net', vectors: 1 }],
      vms: [{ id: 0, vcpus: 1, devices: [{ bdf: '0000:00:04.0', name: 'virtio', vectors: 1 }] }],
      policies: { viommu: 'present' },
      workload: [{ at: '1ms', op: 'device.raise', object: 'device/0000:03:00.0/msix/0' }, raise('1100us', 0)],
    });
    const used = events(sim)
      .filter((e) => e.kind === 'ir.remap')
      .map((e) => e.object);
    assert.deepEqual(used, ['irte/dmar0/24', 'irte/vm0-dmar0/0']);
  });
});
