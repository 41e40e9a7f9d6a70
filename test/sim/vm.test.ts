import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { kvmIrqfd, kvmRoute, vcpuVector } from '../../src/model/things/virt.ts';
import { bundled, events, run } from './run.ts';
import {
  accepted,
  at,
  BDF,
  booksBalance,
  cell,
  entry,
  exits,
  machine,
  of,
  setup,
  since,
} from './seeds/seed2-machine.ts';

const raise = (us: number, i = 0): object => at(us, 'device.raise', entry(i));
const kvm = (us: number, op: string, args: object): object => at(us, op, 'kvm/0', args);

describe('virtual machines', () => {
  it('an interrupt goes accept, kick, inject, EOI, handler: the flow of edge-triggered interrupts ends them first', () => {
    for (const source of ['userspace', 'irqfd'] as const) {
      const all = since(machine({}, [raise(0, 1)], { source }));
      const kinds = ['apic.accept', 'kvm.exit', 'apic.inj', 'kvm.entry', 'apic.eoi', 'irq.entry', 'irq.exit'];
      assert.deepEqual(
        of(all, ...kinds).map((e) => e.kind),
        kinds,
      );
      assert.equal(of(all, 'irq.entry')[0]?.object, 'guest/0/irq/25');
      assert.deepEqual(accepted(all), ['vcpu/1/vector/33']);
      assert.equal(of(all, 'send').length, source === 'userspace' ? 1 : 0);
    }
  });

  it('request and service bits follow: IRR from accept to inject, ISR from inject to EOI', () => {
    const sim = machine({}, [raise(0)]);
    const path = 'vcpu/0/vector/33';
    assert.deepEqual(
      [vcpuVector.at.requested, vcpuVector.at.inService, vcpuVector.at.taken, vcpuVector.at.eois].map((n) =>
        cell(sim, path, n),
      ),
      [0, 0, 1, 1],
    );
  });

  it('messages for a vector that is requested already merge: one interrupt, no cause lost (F54)', () => {
    const sim = machine({}, [raise(0), raise(0.1), raise(0.2)]);
    assert.equal(accepted(since(sim)).length, 3);
    assert.equal(of(since(sim), 'apic.inj').length, 1);
    assert.deepEqual([sim.machine.ledger.tally().delivered, sim.machine.ledger.tally().merged], [1, 2]);
    assert.ok(booksBalance(sim));
  });

  it('a local APIC accepts vectors 16 to 255; those below are illegal (SDM vol. 3, 11.5.2)', () => {
    const message = (data: number) =>
      since(machine({}, [kvm(0, 'kvm.signalMsi', { address: '0xfee00000', data: `0x${data.toString(16)}` })]));
    assert.deepEqual(accepted(message(16)), ['vcpu/0/vector/16']);
    assert.deepEqual(accepted(message(255)), ['vcpu/0/vector/255']);
    // KVM does not look at the vector of a message: the bit is set, and nothing is injected.
    const refused = message(15);
    assert.deepEqual(accepted(refused), ['vcpu/0/vector/15']);
    assert.deepEqual(of(refused, 'apic.inj'), []);
    assert.deepEqual(
      of(refused, 'illegal').map((e) => e.fields.rule),
      ['illegal-vector'],
    );
    assert.match(String(of(refused, 'drop')[0]?.fields.reason), /^vector 15 is illegal \(0 to 15\)/);
  });

  it('an irqfd without route injects into nowhere, and an event says so (F50)', () => {
    const sim = machine({}, [kvm(0, 'kvm.route.release', { gsi: 24 }), raise(50)]);
    assert.deepEqual(
      of(since(sim), 'drop').map((e) => [e.object, e.fields.reason]),
      [['kvm/0/irqfd/24', 'GSI 24 has no message route']],
    );
    assert.deepEqual(accepted(since(sim)), []);
    assert.ok(booksBalance(sim));
  });

  it('an eventfd signalled before it is assigned injects at once; a taken one is refused; after deassign nothing comes', () => {
    const sim = machine({}, [
      kvm(0, 'kvm.irqfd.deassign', { gsi: 24 }),
      kvm(50, 'eventfd.signal', { fd: 30 }),
      kvm(100, 'kvm.irqfd.assign', { gsi: 24, fd: 30 }),
      kvm(150, 'kvm.irqfd.assign', { gsi: 40, fd: 30 }),
    ]);
    assert.deepEqual(accepted(since(sim, 0)), accepted(since(sim, 100)));
    assert.equal(accepted(since(sim, 100)).length, 1);
    assert.equal(cell(sim, 'kvm/0/irqfd/40', kvmIrqfd.at.fd), -1);
    assert.equal(cell(sim, 'kvm/0/irqfd/24', kvmIrqfd.at.fd), 30);
  });

  it('a route that was rewritten takes the interrupt elsewhere; a message without route goes directly', () => {
    const sim = machine({}, [
      kvm(0, 'kvm.route.set', { gsi: 24, address: '0xfee01000', data: '0x50' }),
      raise(50),
      kvm(100, 'kvm.signalMsi', { address: '0xfee00000', data: '0x51' }),
      kvm(150, 'kvm.signalMsi', { address: '0xfee07000', data: '0x51' }),
    ]);
    assert.deepEqual(accepted(since(sim)), ['vcpu/1/vector/80', 'vcpu/0/vector/81']);
    assert.deepEqual(
      of(since(sim, 150), 'drop').map((e) => e.fields.reason),
      ['the machine has no virtual CPU 7'],
    );
    assert.equal(cell(sim, 'kvm/0/route/24', kvmRoute.at.data), 0x50);
  });

  it('KVM takes any route and any message for an interrupt: it does not compare the address with 0xfee', () => {
    const sim = machine({}, [
      kvm(0, 'kvm.signalMsi', { address: '0x1000', data: '0x51' }),
      kvm(50, 'kvm.route.set', { gsi: 24, address: '0x80001000', data: '0x52' }),
      raise(100),
    ]);
    // Bits 19:12 of the address are the destination whatever the rest is: virtual CPU 1.
    assert.deepEqual(accepted(since(sim)), ['vcpu/1/vector/81', 'vcpu/1/vector/82']);
  });

  it('a write of an emulated function outside of the window of interrupts stays in the memory of the guest', () => {
    const write = at(0, 'entry.write', entry(0), { offset: '0x0', value: '0x1000' });
    const sim = machine({}, [write, raise(50)], { source: 'userspace' });
    assert.deepEqual(accepted(since(sim, 50)), []);
    assert.equal(of(since(sim, 50), 'kvm.msi').length, 0);
    assert.deepEqual(
      of(since(sim, 50), 'drop').map((e) => e.fields.reason),
      ['0x1000 is no interrupt message'],
    );
  });

  it('the VMM releases the irqfd while an entry is masked and assigns it again at the unmask', () => {
    const sim = machine({}, [at(0, 'guest.toggle', entry(0))]);
    assert.deepEqual(
      of(since(sim), 'irqfd.assign', 'route.set').map((e) => [e.kind, e.fields.release]),
      [
        ['irqfd.assign', true],
        ['route.set', undefined],
        ['irqfd.assign', false],
      ],
    );
  });

  it('two machines have virtual CPUs, guests and GSIs of their own', () => {
    const vm = (id: number, bdf: string): object => ({
      id,
      vcpus: 2,
      devices: [{ bdf, name: 'net', vectors: 1, source: 'irqfd' }],
    });
    const other = '0000:00:05.0';
    const sim = run({
      vms: [vm(0, BDF), vm(1, other)],
      workload: [raise(0), at(50, 'device.raise', `device/${other}/msix/0`)],
    });
    const all = since(sim);
    assert.deepEqual(accepted(all), ['vcpu/0/vector/33', 'vcpu/2/vector/33']);
    assert.deepEqual(
      of(all, 'irq.entry').map((e) => e.object),
      ['guest/0/irq/24', 'guest/1/irq/24'],
    );
    assert.deepEqual(
      of(all, 'irqfd.wakeup').map((e) => e.object),
      ['kvm/0/irqfd/24', 'kvm/1/irqfd/24'],
    );
  });

  it('every exit is followed by an entry, and a virtual CPU never exits twice in a row', () => {
    for (const name of ['kvm-mask-per-interrupt', 'kvm-migration', 'kvm-mask-in-flight']) {
      const outside = new Set<string>();
      for (const e of of(events(run(bundled(name))), 'kvm.exit', 'kvm.entry'))
        if (e.kind === 'kvm.exit') {
          assert.ok(!outside.has(e.object), `${name} ${e.step}`);
          outside.add(e.object);
        } else outside.delete(e.object);
      assert.equal(outside.size, 0);
    }
  });

  it('the order of concurrent actors varies with the seed, the counts add up in each', () => {
    const document = { ...bundled('kvm-mask-per-interrupt'), jitter: 0.9 };
    const orders = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const sim = run(document, { seed });
      assert.ok(booksBalance(sim), String(seed));
      const { delivered, merged, pending, inFlight } = sim.machine.ledger.tally();
      assert.deepEqual([delivered + merged, pending, inFlight], [120, 0, 0]);
      orders.add(
        events(sim)
          .map((e) => `${e.kind}${e.time}`)
          .join(),
      );
    }
    assert.equal(orders.size, 20);
    assert.deepEqual(events(run(document, { seed: 7 })), events(run(document, { seed: 7 })));
  });

  it('a read-only pending bit array stays as it is when the guest writes it', () => {
    const all = since(machine({}, [at(0, 'guest.pba.write', `device/${BDF}`, { value: '0x3' })]));
    assert.deepEqual(
      of(all, 'illegal').map((e) => e.fields.rule),
      ['U3'],
    );
    assert.equal(exits(all), 1);
  });

  it('the guest sets up through exits: control twice, three dwords and a read back, unmask, for each entry', () => {
    const all = setup(machine({}, [], { vectors: 1 }));
    assert.equal(of(all, 'cfg.write').length, 2);
    assert.equal(
      of(all, 'tbl.write').every((e) => e.fields.served === 'user' && e.fields.exits === 1),
      true,
    );
    assert.equal(exits(all), of(all, 'tbl.write', 'tbl.read').filter((e) => e.fields.served === 'user').length + 2);
  });
});
