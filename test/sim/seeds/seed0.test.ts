// S0, row by row: VFIO with IMS behind the MSI-X of a guest. Expected values: the rows S0-1 and following of docs/seeds.md.
import assert from 'node:assert/strict';
import type { RegisterView } from '../../../src/model/register.ts';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Actions } from '../../../src/sim/machine.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { assignedDevices } from '../../../src/sim/vfio/assigned-devices.ts';
import type { Fire } from '../../../src/sim/vfio/backend.ts';
import { bundled, events, run } from '../run.ts';

const PF = '0000:6a:01.0';
const GUEST = '0000:00:06.0';
const VDEV = 'vfio/vdev-0';
/** Default PASID of the virtual device in the scenarios, and what PASID 5 of its guest is in the host. */
const DEFAULT = 0x100;
const HOST_OF_5 = 0x105;

const pf = (backend: string): Simulation => run(bundled('pf-msix-vs-ims'), { settings: { vfioBackend: backend } });
const of = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
const control = (sim: Simulation, index: number): number => {
  const { value } = pathValue(sim.trace.head, `device/${PF}/ims/${index}/control`) as RegisterView;
  return Number(value);
};
/** PASID of a control dword, bits 31:12; -1 while bit 3 does not enable it. */
const pasidOf = (dword: number): number => ((dword >>> 3) & 1 ? dword >>> 12 : -1);
const statuses = (sim: Simulation): unknown[] => of(events(sim), 'qd.complete').map((e) => e.fields['status']);

/** Domains that allocated between the last vfio.set of each vector that gave it an eventfd and its return. */
function allocations(sim: Simulation): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let at: string[] | undefined;
  for (const e of events(sim)) {
    if (e.kind === 'vfio.set' && Number(e.fields['fd']) >= 0) {
      at = [];
      found.set(String(e.fields['start']), at);
    } else if (e.kind === 'vfio.return') at = undefined;
    else if (e.kind === 'dom.alloc' && !e.fields['free']) at?.push(String(e.fields['domain']));
  }
  return found;
}

describe('S0: guest MSI-X backed by IMS', () => {
  it('S0-1 the vector of the guest is served by an MSI-X entry, an IMS entry or software, device by device and vector by vector', () => {
    const mixed = allocations(run(bundled('ims-permission-after')));
    assert.deepEqual(mixed.get('0'), [], 'vector 0 is emulated');
    assert.deepEqual(mixed.get('1'), ['VECTOR', `PCI-IMS-${PF}`]);
    assert.deepEqual(mixed.get('2'), ['VECTOR', `PCI-IMS-${PF}`]);
    const domains = (backend: string): Set<unknown> =>
      new Set(
        of(events(pf(backend)), 'dom.alloc')
          .filter((e) => e.object.startsWith('irq/'))
          .map((e) => e.fields['domain']),
      );
    assert.deepEqual([...domains('ims')].sort(), [`PCI-IMS-${PF}`, 'VECTOR']);
    assert.deepEqual([...domains('pci')].sort(), [`PCI-MSIX-${PF}`, 'VECTOR']);
    assert.deepEqual([...domains('emulated')], []);
  });

  it('S0-2 a variant driver that owns the ioctl gives the same vfio.set records and the same outcome as the core', () => {
    const runs = ['core', 'variant'].map((vfioProvider) =>
      run(bundled('pf-msix-vs-ims'), { settings: { vfioProvider } }),
    );
    const [core, variant] = runs.map((sim) =>
      events(sim).map(({ fields: { provider, ...fields }, kind, object, time, step, task }) => ({
        fact: [step, kind, object, time, fields],
        call: kind === 'vfio.set' || kind === 'vfio.return',
        provider,
        task,
      })),
    );
    assert.deepEqual(
      variant!.map((e) => e.fact),
      core!.map((e) => e.fact),
    );
    // The record of every call names who owns the ioctl, and no other event does: the helpers behind it are the same code of vfio.
    for (const [all, provider, task] of [
      [core!, 'core', `vfio/${PF}`],
      [variant!, 'variant', `driver/${PF}`],
    ] as const) {
      const calls = all.filter((e) => e.call);
      // The start without an eventfd, two vectors, and a mask with its unmask: five calls, each with its return.
      assert.equal(calls.length, 10);
      for (const e of calls) assert.deepEqual([e.provider, e.task], [provider, task]);
      for (const e of all) assert.equal(e.provider !== undefined, e.call);
    }
    const inside = (all: NonNullable<typeof core>): unknown[] => all.filter((e) => !e.call).map((e) => e.task);
    assert.deepEqual(inside(variant!), inside(core!));
    const [left, right] = runs.map((sim) => sim.machine.ledger.tally());
    assert.deepEqual(right, left);
    assert.equal(left!.delivered, 6);
  });

  it('S0-3 a trapped write of permission entry i changes the control dword of the IMS entry behind vector i, and nothing else', () => {
    const all = events(run(bundled('ims-permission-after')));
    const region = of(all, 'vfio.region').find((e) => e.fields['offset'] === '0x608')!;
    const next = all.slice(region.step + 1, region.step + 5);
    assert.deepEqual(
      next.map((e) => e.kind),
      ['vfio.trap', 'perm.write', 'vfio.meta', 'ims.store'],
    );
    assert.equal(next[1]!.object, `device/${GUEST}/perm/1`);
    assert.equal(next[3]!.object, `device/${PF}/ims/0`);
    // Unmasked before and after: bit 0 stays 0; bit 3 and bits 31:12 are new.
    assert.deepEqual([next[3]!.fields['offset'], next[3]!.fields['value']], ['0xc', '0x105008']);
  });

  it('S0-7 what the guest writes into its table stays in the VMM; the host programs the device with its own message', () => {
    const sim = pf('pci');
    const all = events(sim);
    const guest = of(all, 'tbl.write').filter((e) => e.object.startsWith(`device/${GUEST}`));
    const messages = guest.filter((e) => e.fields['offset'] !== '0xc');
    assert.ok(messages.length >= 6);
    for (const e of messages) {
      const after = all.slice(e.step + 1).find((x) => x.kind === 'kvm.entry' || x.object.startsWith(`device/${PF}/`));
      assert.equal(after?.kind, 'kvm.entry', 'no access of the device before the guest goes on');
    }
    const data = (bdf: string) => (pathValue(sim.trace.head, `device/${bdf}/msix/1/data`) as RegisterView).value;
    assert.notEqual(data(GUEST), data(PF));
  });

  it('S0-8 every use and release of a vector is one VFIO_DEVICE_SET_IRQS, with the eventfd of KVM or that of QEMU', () => {
    const document = bundled('pf-msix-vs-ims') as { workload: object[] };
    const entry = `device/${GUEST}/msix/1`;
    // A second mask of a masked entry and a second unmask of an unmasked one are no transitions.
    const twice = [
      { at: '420us', op: 'entry.mask', object: entry },
      { at: '520us', op: 'entry.unmask', object: entry },
    ];
    for (const vfioBackend of ['ims', 'pci', 'emulated']) {
      const sim = run({ ...document, workload: [...document.workload, ...twice] }, { settings: { vfioBackend } });
      const all = events(sim);
      const found = of(all, 'vfio.use').map((use) => {
        // One call: the next one belongs to the next use.
        const next = of(all, 'vfio.use').find((e) => e.step > use.step)?.step ?? all.length;
        const calls = of(all, 'vfio.set').filter((e) => e.step > use.step && e.step < next);
        assert.equal(calls.length, 1);
        const { flags, index, start, count, fd } = calls[0]!.fields;
        assert.deepEqual([flags, index, count], ['0x24', 2, 1], 'eventfd and trigger, MSI-X, one vector');
        const vector = use.object.split('/').at(-1);
        assert.equal(String(start), vector);
        // The guest's store of vector control that made the transition comes right before it.
        const store = all.findLast((e) => e.step < use.step && e.kind === 'tbl.write')!;
        assert.deepEqual([store.object, store.fields['offset']], [`device/${GUEST}/msix/${vector}`, '0xc']);
        const ofKvm = of(all, 'irqfd.assign').some((e) => e.fields['fd'] === fd);
        return [vector, store.fields['value'], use.fields['used'], ofKvm];
      });
      assert.deepEqual(found, [
        ['0', '0x0', true, true],
        ['1', '0x0', true, true],
        ['1', '0x1', false, false],
        ['1', '0x0', true, true],
      ]);
      // Besides these only the call that turns MSI-X on, which gives no eventfd.
      const others = of(all, 'vfio.set').filter((e) => e.step < of(all, 'vfio.use')[0]!.step);
      assert.deepEqual(
        others.map((e) => e.fields['fd']),
        [-1],
      );
      assert.equal(of(all, 'vfio.set').length, found.length + others.length);
      const fds = of(all, 'vfio.set').map((e) => e.fields['fd']);
      assert.equal(fds[2], fds[4], 'the irqfd of the vector again after the release');
    }
  });

  it('S0-9 a PASID in an IMS entry comes from the permission table or from the driver; the vector table has none', () => {
    const all = events(run(bundled('ims-permission-after')));
    const told = new Set([DEFAULT]);
    let checked = 0;
    for (const e of all) {
      if (e.kind === 'vfio.meta' && e.fields['pasid'] !== undefined) told.add(Number(e.fields['pasid']));
      if (e.kind !== 'ims.store' || e.fields['offset'] !== '0xc') continue;
      assert.ok(told.has(pasidOf(Number(e.fields['value']))));
      checked++;
    }
    assert.ok(checked >= 5);
    const without = run(bundled('ims-permission-after'), { settings: { pasidCopy: 'never' } });
    assert.equal(pasidOf(control(without, 0)), DEFAULT);
    assert.ok(of(events(without), 'perm.write').length > 0);
    assert.deepEqual(statuses(without), ['0x19', '0x19']);
  });

  it('S0-14 after both events the PASID of the IMS entry is the translation of what the guest wrote, in both orders', () => {
    const before = run(bundled('ims-permission-before'));
    const after = run(bundled('ims-permission-after'));
    const steps = (sim: Simulation): [number, number] => {
      const all = events(sim);
      const write = of(all, 'perm.write').find((e) => e.object.endsWith('/perm/1'))!;
      const alloc = of(all, 'ims.store').find((e) => e.fields['owner'] === 'vdev-0 vector 1')!;
      return [write.step, alloc.step];
    };
    const [w1, a1] = steps(before);
    const [w2, a2] = steps(after);
    assert.ok(w1 < a1 && a2 < w2, 'the two orders');
    assert.equal(pasidOf(control(before, 0)), HOST_OF_5);
    assert.equal(pasidOf(control(after, 0)), HOST_OF_5);
    assert.equal(statuses(before)[0], '0x1');
    assert.equal(statuses(after)[0], '0x1');
    const late = of(events(after), 'vfio.meta').at(-1)!;
    assert.equal(late.fields['by'], 'PASID table');
    assert.equal(pasidOf(control(after, 1)), 0x107, 'a PASID that was bound after the write');
  });

  it('S0-14 an early write that is not kept, and a PASID that is not translated, end in status 0x19', () => {
    const once = run(bundled('ims-permission-before'), { settings: { pasidCopy: 'once' } });
    assert.equal(pasidOf(control(once, 0)), DEFAULT);
    assert.equal(statuses(once)[0], '0x19');
    const raw = run(bundled('ims-permission-after'), { settings: { pasidCopy: 'untranslated' } });
    assert.equal(pasidOf(control(raw, 0)), 5);
    assert.equal(statuses(raw)[0], '0x19');
  });

  it('S0-19 the metadata of a vector is kept with it and outlives an exchange of its eventfd', () => {
    const document = bundled('ims-permission-after') as { workload: object[] };
    const sim = run({
      ...document,
      workload: [
        ...document.workload,
        { at: '700us', op: 'entry.mask', object: `device/${GUEST}/msix/1` },
        { at: '800us', op: 'entry.unmask', object: `device/${GUEST}/msix/1` },
      ],
    });
    const vector = pathValue(sim.trace.head, `${VDEV}/2/1`) as Record<string, unknown>;
    assert.deepEqual([vector['guestPasid'], vector['pasid']], ['0x5', '0x105']);
    const again = of(events(sim), 'ims.store').filter((e) => e.fields['owner'] === 'vdev-0 vector 1');
    assert.equal(again.length, 3, 'the entry was allocated again for each eventfd');
    assert.deepEqual(
      again.slice(1).map((e) => pasidOf(Number(e.fields['value']))),
      [HOST_OF_5, HOST_OF_5],
    );
  });

  it('S0-20 the back end is asked vector by vector and never sees an ioctl; INTx does not concern it', () => {
    const sim = run({ platform: { cpus: 1 }, vfio: [{ name: 'v', backend: 'emulated', vectors: 4 }] });
    const { device, backend } = sim.setup.use(assignedDevices).get('v')!;
    const asked: string[] = [];
    const request = backend.request.bind(backend);
    const release = backend.release.bind(backend);
    const enable = backend.enable.bind(backend);
    backend.enable = (count: number): Actions<number> => {
      asked.push(`enable ${count}`);
      return enable(count);
    };
    backend.request = (vector: number, fire: Fire): Actions<number> => {
      asked.push(`request ${vector}`);
      return request(vector, fire);
    };
    backend.release = (vector: number): Actions => {
      asked.push(`release ${vector}`);
      return release(vector);
    };
    const does = (op: object): void => {
      assert.equal(sim.perform({ op: 'vfio.setIrqs', object: 'vfio/v', ...op }), undefined);
      sim.run();
    };
    does({ flags: '0x24', index: 2, count: 3, fds: [300, 301, 302] });
    does({ flags: '0x24', index: 2, start: 1, count: 1, fds: [303] });
    does({ flags: '0x21', index: 2, count: 0 });
    assert.deepEqual(asked, [
      ...['enable 3', 'request 0', 'request 1', 'request 2'],
      ...['release 1', 'request 1', 'release 0', 'release 2', 'release 1'],
    ]);
    const before = asked.length;
    does({ flags: '0x24', index: 0, fds: [300] });
    device.intx(true);
    assert.equal(asked.length, before);
    assert.equal(of(events(sim), 'vfio.fire').length, 1);
  });

  it('S0-21 a guest with an assigned function sees the same events in the same order with MSI-X and with IMS behind it', () => {
    const visible = (sim: Simulation): unknown[] =>
      events(sim)
        .filter((e) => /^(kvm\/|vcpu\/|guest\/)/.test(e.object) || e.object.startsWith(`device/${GUEST}`))
        .map((e) => {
          const { cause, ...fields } = e.fields;
          return [e.kind, e.object, e.task, fields];
        });
    const msix = visible(pf('pci'));
    const ims = visible(pf('ims'));
    assert.ok(msix.length > 150);
    assert.deepEqual(ims, msix);
    const host = (sim: Simulation, kind: string) =>
      of(events(sim), kind).filter((e) => e.object.startsWith(`device/${PF}/`)).length;
    assert.ok(host(pf('pci'), 'ims.store') === 0 && host(pf('ims'), 'ims.store') > 0);
  });

  it('S0-21 what the two are not equal in: a cause while the eventfd is exchanged is lost with an IMS entry that is given back', () => {
    const lost = (settings: Record<string, string>): number => {
      const probe = events(run(bundled('pf-msix-vs-ims'), { settings }));
      // In the call that follows the guest's mask, behind the mask of the device and before its unmask.
      const call = of(probe, 'vfio.set').filter((e) => Number(e.fields['fd']) >= 0)[2]!;
      const masked = of(probe, 'irq.mask').find((e) => e.step > call.step && e.fields['masked'] === true)!;
      const unmasked = of(probe, 'irq.mask').find((e) => e.step > masked.step && e.fields['masked'] === false)!;
      const at = Math.round(((Number(masked.time) + Number(unmasked.time)) / 2) * 1e9);
      const document = bundled('pf-msix-vs-ims') as { workload: object[] };
      const sim = run(
        { ...document, workload: [...document.workload, { at, op: 'vfio.raise', object: `vfio/${PF}/2/1` }] },
        { settings },
      );
      return sim.machine.ledger.tally().dropped;
    };
    assert.equal(lost({ vfioBackend: 'pci' }), 0);
    assert.equal(lost({ vfioBackend: 'ims', imsRelease: 'free' }), 1);
    assert.equal(lost({ vfioBackend: 'ims', imsRelease: 'keep' }), 0);
  });

  it('S0-22 virtual devices of one function share its requester ID and differ by PASID', () => {
    const one = (n: number): object => ({
      name: `vdev-${n}`,
      parent: PF,
      backend: 'ims',
      vectors: 2,
      emulated: [0],
      vm: n,
      guest: `0000:00:0${6 + n}.0`,
      defaultPasid: 0x100 + n,
      idxd: { queues: [n] },
    });
    const sim = run({
      platform: { cpus: 2 },
      devices: [{ bdf: PF, name: 'idxd', vectors: 2, driver: 'none', ims: { entries: 8 } }],
      vms: [
        { id: 0, vcpus: 1 },
        { id: 1, vcpus: 1 },
      ],
      vfio: [one(0), one(1)],
      workload: [
        { at: '400us', op: 'vfio.submit', object: 'vfio/vdev-0', queue: 0, vector: 1 },
        { at: '420us', op: 'vfio.submit', object: 'vfio/vdev-1', queue: 1, vector: 1 },
        // The second names the handle of the first.
        { at: '440us', op: 'vfio.submit', object: 'vfio/vdev-1', queue: 1, handle: 0 },
      ],
    });
    const all = events(sim);
    assert.deepEqual([pasidOf(control(sim, 0)), pasidOf(control(sim, 1))].sort(), [0x100, 0x101]);
    const sends = of(all, 'send').filter((e) => e.object.startsWith(`device/${PF}/ims/`));
    assert.deepEqual(
      sends.map((e) => e.fields['requester']),
      ['0x6a08', '0x6a08'],
    );
    assert.equal(pathValue(sim.trace.head, `device/${PF}/ims/0/owner`), 'vdev-0 vector 1');
    assert.deepEqual(statuses(sim), ['0x1', '0x1', '0x19']);
  });

  it('S0-23 an assigned function alone demonstrates IMS: all its vectors are IMS entries, none is emulated', () => {
    const sim = pf('ims');
    for (const v of [0, 1]) {
      const vector = pathValue(sim.trace.head, `vfio/${PF}/2/${v}`) as Record<string, unknown>;
      assert.equal(vector['backend'], 'ims');
      assert.match(String(vector['entry']), new RegExp(`^device/${PF}/ims/\\d$`));
      assert.equal(typeof vector['irq'], 'number');
    }
  });

  it('S0-25 INTx of an emulated device: automask, unmask while asserted fires again, resample does as the ioctl', () => {
    const all = events(run(bundled('mdev-intx')));
    const told = all
      .filter((e) => ['vfio.intx', 'vfio.mask', 'vfio.fire'].includes(e.kind))
      .map((e) => String(e.fields['what'] ?? e.fields['by'] ?? 'fire'));
    assert.deepEqual(told, [
      ...['enable', 'asserted', 'automask', 'fire'],
      ...['ioctl', 'automask', 'fire', 'deasserted', 'ioctl'],
      ...['asserted', 'automask', 'fire', 'resample', 'automask', 'fire', 'deasserted', 'resample'],
      // Masked by ioctl: an asserted line does not fire.
      ...['ioctl', 'asserted'],
    ]);
    const rets = of(all, 'vfio.return').map((e) => e.fields['ret']);
    assert.deepEqual(rets, [0, 0, 0, 0, 0, -22, -25, 0]);
  });

  it('S0-26 emulated interrupts: the eventfd is signalled without any interrupt of the host, the guest sees no difference', () => {
    const sim = run(bundled('vgpu-emulated'));
    const all = events(sim);
    // Those with a message are what QEMU says when it takes one of a masked vector itself.
    const [fires, taken] = [false, true].map((own) =>
      of(all, 'vfio.fire').filter((e) => (e.fields['address'] !== undefined) === own),
    ) as [typeof all, typeof all];
    assert.equal(fires.length, 5);
    assert.equal(taken.length, 1);
    const counted = [0, 1, 2].map((v) => pathValue(sim.trace.head, `vfio/vgpu-0/2/${v}/fires`)).filter(Boolean);
    assert.equal(
      counted.reduce((sum: number, n) => sum + Number(n), 0),
      5,
      'each is counted once',
    );
    assert.ok(fires.every((e) => e.fields['irq'] === undefined));
    assert.equal(all.filter((e) => e.kind === 'irq.entry' && e.object.startsWith('irq/')).length, 0);
    assert.equal(all.filter((e) => e.kind === 'irq.entry' && e.object.startsWith('guest/')).length, 5);
    assert.equal(pathValue(sim.trace.head, 'vfio/vgpu-0/2/0/backend'), 'emulated');
    assert.deepEqual(
      of(all, 'vfio.pba').map((e) => e.fields['trapped']),
      [true, false],
    );
  });
});
