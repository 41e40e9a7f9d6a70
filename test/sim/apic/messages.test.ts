// What messages do at local APICs: SDM vol. 3 "Determining IPI Destination", "Message Data Register Format", "Error Handling";
// arch/x86/kvm/lapic.c __apic_accept_irq, arch/x86/kvm/irq_comm.c kvm_irq_delivery_to_apic.
import assert from 'node:assert/strict';
import { cpu } from '../../../src/model/things/irq.ts';
import { vcpuVector } from '../../../src/model/things/virt.ts';
import type { EventView } from '../../../src/query/events.ts';
import { events, run } from '../run.ts';

const NET = 'device/0000:03:00.0';
const DEVICES = [
  { bdf: '0000:03:00.0', name: 'rogue', vectors: 1, driver: 'none' },
  { bdf: '0000:04:00.0', name: 'disk', vectors: 1 },
];
const write = (us: number, address: number, data: number): object => ({
  at: `${us}us`,
  op: 'device.write',
  object: NET,
  address,
  data,
});

interface Seen {
  readonly all: EventView[];
  /** `object mode` or `object` of what local APICs took, from 90 us on. */
  readonly taken: string[];
  readonly reasons: string[];
}

function seen(
  platform: object,
  workload: readonly object[],
  more: object = {},
): Seen & { sim: ReturnType<typeof run> } {
  const sim = run({ platform: { cpus: 4, ...platform }, devices: DEVICES, workload, ...more });
  const all = events(sim).filter((e) => Number(e.time) >= 90e-6);
  const at = (kind: string): EventView[] => all.filter((e) => e.kind === kind);
  return {
    sim,
    all,
    taken: [
      ...at('cpu.accept').map((e) => e.object),
      ...at('cpu.signal').map((e) => `${e.object} ${String(e.fields['mode'])}`),
    ],
    reasons: at('drop').map((e) => String(e.fields['reason'])),
  };
}

const total = (sim: ReturnType<typeof run>): number =>
  Object.values(sim.machine.ledger.tally()).reduce((a, b) => a + b);

describe('messages at the local APICs of a host', () => {
  it('SMI, NMI, INIT and ExtINT set no bit of an IRR, need no end, and the cause says so', () => {
    for (const [mode, name] of [
      [2, 'SMI'],
      [4, 'NMI'],
      [5, 'INIT'],
      [7, 'ExtINT'],
    ] as const) {
      const { all, taken, reasons, sim } = seen({}, [write(100, 0xfee01000, mode * 0x100 + 0x33)]);
      assert.deepEqual(taken, [`cpu/1 ${name}`]);
      assert.ok(!all.some((e) => e.kind === 'cpu.take' || e.kind === 'cpu.eoi'), name);
      assert.deepEqual(reasons, [`${name} at CPU 1: its vector is ignored, no handler of a device runs`]);
      assert.equal(total(sim), 1);
      assert.deepEqual(sim.machine.ledger.twice, []);
    }
  });

  it('reserved delivery modes reach nobody', () => {
    for (const mode of [3, 6]) {
      const { taken, reasons } = seen({}, [write(100, 0xfee01000, mode * 0x100 + 0x33)]);
      assert.deepEqual(taken, []);
      assert.match(reasons[0]!, new RegExp(`delivery mode ${mode} is reserved`));
    }
  });

  it('a logical destination is a set of CPUs: flat and cluster model of xAPIC, x2APIC', () => {
    const to = (dest: number, platform: object): string[] =>
      seen(platform, [write(100, 0xfee00004 + dest * 0x1000, 0x61)]).taken.map((o) => o.split('/')[1]!);
    assert.deepEqual(to(0b0110, {}), ['1', '2']);
    assert.deepEqual(to(0x80, {}), [], 'bit 7 is CPU 7, and there are four');
    assert.deepEqual(to(0x13, { cpus: 8, apic: 'cluster' }), ['4', '5']);
    assert.deepEqual(to(0x0f, { cpus: 8, apic: 'cluster' }), ['0', '1', '2', '3']);
    assert.deepEqual(to(0x85, { cpus: 8, apic: 'x2apic' }), ['0', '2', '7'], 'eight bits reach cluster 0 alone');
    assert.deepEqual(to(0x01, { cpus: 12 }), ['0'], 'CPUs from 8 on have no bit in the flat model');
  });

  it('a destination of all reaches all; in x2APIC mode 0xff is an APIC id', () => {
    const to = (platform: object): string[] => seen(platform, [write(100, 0xfeeff000, 0x61)]).taken;
    assert.deepEqual(
      to({}),
      [0, 1, 2, 3].map((n) => `cpu/${n}/vector/97`),
    );
    assert.deepEqual(to({ apic: 'x2apic' }), []);
    assert.deepEqual(seen({ apic: 'x2apic' }, [write(100, 0xfeeff000, 0x61)]).reasons, ['there is no CPU 255']);
  });

  it('who is addressed by nobody is told', () => {
    const { reasons, sim } = seen({}, [write(100, 0xfee80004, 0x61)]);
    assert.deepEqual(reasons, ['no CPU has the logical destination 0x80: no local APIC takes the message']);
    assert.equal(sim.machine.ledger.tally().dropped, 1);
  });

  it('one cause for several CPUs is one cause: served where the vector is an irq', () => {
    // The disk has its only vector, 0x21 or above, on one CPU; it is raised on all of them.
    const all = events(run({ platform: { cpus: 4 }, devices: DEVICES, workload: [] }));
    const config = all.filter((e) => e.kind === 'vec.config').at(-1)!;
    const vector = Number(config.fields['vector']);
    const { all: after, sim } = seen({}, [write(100, 0xfeeff000, vector)]);
    assert.equal(after.filter((e) => e.kind === 'irq.entry').length, 1);
    assert.equal(after.filter((e) => e.kind === 'cpu.accept').length, 4);
    assert.deepEqual([sim.machine.ledger.tally().delivered, total(sim)], [1, 1]);
    assert.deepEqual(sim.machine.ledger.twice, []);
  });

  it('lowest priority takes one of the set, in turn, and not one that serves a higher vector', () => {
    const four = [0, 1, 2, 3].map((i) => write(100 + i * 20, 0xfee0f004, 0x161));
    assert.deepEqual(
      seen({}, four).taken.map((o) => o.split('/')[1]),
      ['0', '1', '2', '3'],
    );
    // CPU 0 has just accepted vector 0xe0.
    const busy = seen({}, [write(100, 0xfee00000, 0xe0), write(100, 0xfee03004, 0x161)]);
    assert.deepEqual(busy.taken, ['cpu/0/vector/224', 'cpu/1/vector/97']);
  });

  it('vectors 0 to 15 are illegal: the local APIC notes it in its ESR and accepts nothing', () => {
    for (const data of [0x0f, 0x100]) {
      const { all, taken, sim } = seen({}, [write(100, 0xfee02000, data)]);
      assert.deepEqual(taken, []);
      const error = all.find((e) => e.kind === 'cpu.error');
      assert.deepEqual([error?.object, error?.fields['esr']], ['cpu/2', '0x40'], 'bit 6: receive illegal vector');
      assert.equal(all.find((e) => e.kind === 'illegal')?.fields['rule'], 'illegal-vector');
      const { state } = sim.machine;
      assert.equal(state.get(state.world.objectAt('cpu/2'), cpu.at.errors), 0x40);
      assert.equal(sim.machine.ledger.tally().dropped, 1);
    }
    assert.deepEqual(seen({}, [write(100, 0xfee02000, 0x10)]).taken, ['cpu/2/vector/16']);
  });

  it('an INIT resets a CPU: what waits there is gone, its handler never returns, and it accepts nothing', () => {
    const disk = { at: '100us', op: 'device.raise', object: 'device/0000:04:00.0/msix/0' };
    const place = events(run({ platform: { cpus: 4 }, devices: DEVICES, workload: [] }));
    const n = Number(place.filter((e) => e.kind === 'vec.config').at(-1)!.fields['cpu']);
    const { all, sim, reasons } = seen({}, [
      disk,
      write(101.5, 0xfee00000 + n * 0x1000, 0x500),
      { ...disk, at: '200us' },
    ]);
    const kinds = all.map((e) => e.kind);
    assert.ok(kinds.includes('irq.entry') && !kinds.includes('irq.exit'));
    assert.ok(kinds.includes('cpu.reset'));
    assert.deepEqual(reasons.slice(-2), [
      `an INIT reset CPU ${n} while its handler ran`,
      `CPU ${n} waits for a start-up IPI`,
    ]);
    assert.deepEqual([sim.machine.ledger.tally().dropped, total(sim)], [3, 3]);
    assert.deepEqual(sim.machine.ledger.twice, []);
  });

  it('a table entry of VT-d decides mode and destination, whatever the message holds', () => {
    const entry = (value: bigint): Seen =>
      seen({ remap: 'vtd', remapEntries: 256 }, [
        { at: '90us', op: 'irte.write', object: 'irte/dmar0/40', value: `0x${value.toString(16)}` },
        write(100, 0xfee00018 + 40 * 0x20, 0),
      ]);
    // Bits 63:32 destination (xAPIC: 47:40), 23:16 vector, 7:5 delivery mode, 2 destination mode, 0 present.
    assert.deepEqual(entry((1n << 40n) | 0x330081n).taken, ['cpu/1 NMI']);
    assert.deepEqual(entry((6n << 40n) | 0x610005n).taken, ['cpu/1/vector/97', 'cpu/2/vector/97']);
    assert.deepEqual(entry((6n << 40n) | 0x610025n).taken, ['cpu/1/vector/97'], 'lowest priority');
    assert.deepEqual(entry((255n << 40n) | 0x610001n).taken.length, 4);
  });

  it('messages of an assigned function that is remapped cannot choose a mode: compatibility format is blocked', () => {
    const { taken, all } = seen({ remap: 'vtd' }, [write(100, 0xfee01000, 0x400)]);
    assert.deepEqual(taken, []);
    assert.equal(all.find((e) => e.kind === 'ir.fault')?.fields['reason'], 0x25);
  });
});

describe('messages at the local APICs of virtual CPUs', () => {
  const signal = (us: number, address: number, data: number): object => ({
    at: `${us}us`,
    op: 'kvm.signalMsi',
    object: 'kvm/0',
    address: `0x${address.toString(16)}`,
    data: `0x${data.toString(16)}`,
  });
  const guest = (vm: object, ...workload: object[]) => {
    const sim = run({ vms: [{ id: 0, vcpus: 4, ...vm }], workload });
    const all = events(sim);
    const accepted = all.filter((e) => e.kind === 'apic.accept').map((e) => `${e.object} ${String(e.fields['mode'])}`);
    return { sim, all, accepted };
  };

  it('KVM prints the mode of every message; only Fixed and LowPrio pend', () => {
    const modes = ['Fixed', 'LowPrio', 'SMI', 'Res3', 'NMI', 'INIT', 'SIPI', 'ExtINT'];
    for (const [mode, name] of modes.entries()) {
      const { sim, all, accepted } = guest({}, signal(100, 0xfee01000, mode * 0x100 + 0x51));
      assert.deepEqual(accepted, [`vcpu/1/vector/81 ${name}`]);
      assert.equal(all.find((e) => e.kind === 'kvm.msi')?.fields['mode'], name);
      const taken = mode < 2 ? 1 : 0;
      assert.equal(all.filter((e) => e.kind === 'apic.inj').length, taken, name);
      assert.equal(all.filter((e) => e.kind === 'apic.eoi').length, taken, name);
      const { state } = sim.machine;
      const at = state.world.objectAt('vcpu/1/vector/81');
      assert.notEqual(state.flag(at, vcpuVector.at.requested), true);
      assert.deepEqual(sim.machine.ledger.twice, []);
    }
  });

  it('logical destinations, a destination of all, and lowest priority', () => {
    const to = (vm: object, address: number, data: number): string[] =>
      guest(vm, signal(100, address, data)).accepted.map((text) => text.split('/')[1]!);
    assert.deepEqual(to({}, 0xfee0a004, 0x51), ['1', '3']);
    assert.deepEqual(to({ apic: 'cluster', vcpus: 6 }, 0xfee13004, 0x51), ['4', '5']);
    assert.deepEqual(to({ apic: 'x2apic' }, 0xfee05004, 0x51), ['0', '2']);
    // The broadcast quirk of KVM: 0xff is that of all in x2APIC mode as well.
    assert.deepEqual(to({ apic: 'x2apic' }, 0xfeeff000, 0x51), ['0', '1', '2', '3']);
    assert.deepEqual(to({}, 0xfee0a004, 0x151), ['1']);
    assert.deepEqual(to({}, 0xfeeff000, 0x151), ['0', '1', '2', '3'], 'lowest priority to all is Fixed');
    const none = guest({}, signal(100, 0xfee80004, 0x51));
    assert.deepEqual(none.accepted, []);
    assert.equal(none.all.filter((e) => e.kind === 'drop').length, 1);
  });

  it('an INIT stops a virtual CPU: its local APIC accepts nothing afterwards', () => {
    const { all, accepted } = guest({}, signal(100, 0xfee01000, 0x500), signal(200, 0xfee01000, 0x51));
    assert.deepEqual(accepted, ['vcpu/1/vector/0 INIT']);
    assert.equal(all.filter((e) => e.kind === 'vcpu.reset').length, 1);
    assert.match(String(all.filter((e) => e.kind === 'drop').at(-1)?.fields['reason']), /waits for a start-up IPI/);
  });

  it('a route is posted where it is for one virtual CPU, Fixed or lowest priority; no other', () => {
    const posted = (address: string, data: string): unknown[] => {
      const sim = run({
        platform: { cpus: 2, remap: 'vtd' },
        devices: [{ bdf: '0000:6a:01.0', name: 'nvme', vectors: 1, driver: 'none' }],
        vms: [
          { id: 0, vcpus: 2 },
          { id: 1, vcpus: 1 },
        ],
        vfio: [{ name: '0000:6a:01.0', vectors: 1, vm: 0, guest: '0000:00:06.0' }],
        policies: { vfioBackend: 'pci', 'posted.bypass': 'posted' },
        workload: [
          { at: '2000us', op: 'guest.write', object: 'device/0000:00:06.0/msix/0', offset: '0xc', value: '0x1' },
          { at: '2100us', op: 'guest.write', object: 'device/0000:00:06.0/msix/0', offset: '0x0', value: address },
          { at: '2200us', op: 'guest.write', object: 'device/0000:00:06.0/msix/0', offset: '0x8', value: data },
          { at: '2300us', op: 'guest.write', object: 'device/0000:00:06.0/msix/0', offset: '0xc', value: '0x0' },
        ],
      });
      const last = events(sim)
        .filter((e) => e.kind === 'pi.update')
        .at(-1);
      return [last?.fields['enable'], last?.fields['vcpu'], last?.fields['vector']];
    };
    assert.deepEqual(posted('0xfee01000', '0x51'), [true, 1, 0x51]);
    assert.deepEqual(posted('0xfee02004', '0x51'), [true, 1, 0x51], 'a logical destination of one');
    assert.deepEqual(posted('0xfee02004', '0x151'), [true, 1, 0x51], 'lowest priority to one');
    assert.equal(posted('0xfee03004', '0x51')[0], false, 'two');
    assert.equal(posted('0xfeeff000', '0x51')[0], false, 'all');
    assert.equal(posted('0xfee01000', '0x451')[0], false, 'NMI');
    assert.equal(
      posted('0xfee02000', '0x51')[0],
      false,
      'APIC id 2: the virtual CPU of another machine has that number',
    );
  });
});
