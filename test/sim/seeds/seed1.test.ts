// Rows S1-2 to S1-9 and S1-11 to S1-20 of docs/seeds.md: queues, IMS, PASID. S1-1 is in ntb.test.ts, S1-10 in queues.test.ts.
// Over 400 lines: one seed document, row by row.
import assert from 'node:assert/strict';
import { bytesOf, textOf } from '../../../src/base/bytes.ts';
import { ImportRun } from '../../../src/import/run.ts';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { partitionsOf } from '../../../src/view/partitions.ts';
import { msiIrqs } from '../../../src/view/sysfs.ts';
import { bundled, events, run, start } from '../run.ts';

const FN = '0000:6a:01.0';
const OTHER = '0000:6f:01.0';
const peers = (): Simulation => run(bundled('cdev-vfio-peers'));

/** A function with queues and what is done to it, 100 us apart. */
function idxd(workload: readonly object[], more: object = {}): object {
  return {
    platform: { cpus: 2 },
    devices: [{ bdf: FN, name: 'idxd', vectors: 1, ims: { entries: 8 }, queues: { max: 8 }, ...more }],
    workload: workload.map((task, i) => ({ at: `${100 * (i + 1)}us`, object: `device/${FN}`, ...task })),
  };
}

const bind5 = { op: 'pasid.bind', pasid: 5, owner: 'process/1000' };
const open5 = { op: 'queue.open', pasid: 5, owner: 'process/1000' };
const ofKind = (all: readonly EventView[], ...kinds: string[]): EventView[] =>
  all.filter((e) => kinds.includes(e.kind));
const layer = (e: EventView): string => e.task?.split('/')[0] ?? '';
const value = (sim: Simulation, path: string): unknown => pathValue(sim.machine.state, path);
const irqOwners = (all: readonly EventView[]): unknown[] =>
  ofKind(all, 'irq.identify')
    .filter((e) => String(e.fields['domain']).includes('IMS'))
    .map((e) => e.fields['owner']);

describe('S1: queues, IMS, PASID', () => {
  it('S1-2 an irq belongs to a queue; the function only supplies the requester ID', () => {
    const sim = peers();
    const all = events(sim);
    assert.deepEqual(
      irqOwners(all),
      [0, 1]
        .map((n) => `device/${FN}/queue/${n}`)
        .concat([`device/${OTHER}/queue/0`, `device/${FN}/queue/2`, `device/${FN}/queue/2`]),
    );
    const first = ofKind(all, 'irq.identify').find((e) => e.fields['owner'] === `device/${FN}/queue/0`)!;
    assert.equal(value(sim, `${first.object}/owner`), `device/${FN}/queue/0`);
    assert.equal(value(sim, `${first.object}/device`), FN);
    // Requester ID of 6a:01.0: bus 0x6a, device 1, function 0.
    const sent = ofKind(all, 'send').filter((e) => e.object.startsWith(`device/${FN}/ims`));
    assert.equal(sent.length, 3);
    for (const e of sent) assert.equal(e.fields['requester'], '0x6a08');
    assert.deepEqual([...sim.machine.world.find('device')!.children.keys()].sort(), [FN, OTHER]);
  });

  it('S1-3 msi_irqs of a function has the irqs of MSI-X and none of IMS', () => {
    const sim = peers();
    // The host hands out irqs from 24 on: two vectors of each function at boot, then one for each queue that asks.
    assert.deepEqual(
      [FN, OTHER].map((bdf) => msiIrqs(sim.machine.state, bdf)),
      [[24, 25].map((virq) => ({ virq, mode: 'msix' })), [26, 27].map((virq) => ({ virq, mode: 'msix' }))],
    );
    // IMS irqs are there, and belong to these functions, but their owners are queues, which have no sysfs.
    const ims = ofKind(events(sim), 'irq.identify').filter((e) => String(e.fields['domain']).startsWith('IR-PCI-IMS'));
    assert.deepEqual(
      ims.map((e) => [e.object, e.fields['device'], /\/queue\/\d+$/.test(String(e.fields['owner']))]),
      [FN, FN, OTHER, FN, FN].map((bdf, i) => [`irq/${28 + i}`, bdf, true]),
    );
  });

  it('S1-3 the files come and go with the irqs: an IMS irq that is freed changes nothing, an MSI-X irq that is freed takes its file along', () => {
    const shown = (workload: readonly object[]): number[] => {
      const sim = run(idxd([bind5, open5, ...workload], { vectors: 2 }));
      return msiIrqs(sim.machine.state, FN).map(({ virq }) => virq);
    };
    // 24 and 25 are of MSI-X, 26 is of the queue.
    assert.deepEqual(shown([]), [24, 25]);
    assert.deepEqual(shown([{ op: 'queue.destroy', object: `device/${FN}/queue/0` }]), [24, 25]);
    const freed = ['irq.free', 'irq.release'].map((op) => ({ op, object: 'irq/25' }));
    assert.deepEqual(shown(freed), [24]);
  });

  it('S1-4 a queue is a handle that comes and goes; no device appears', () => {
    const sim = run(
      idxd([
        { op: 'queue.create', count: 3 },
        { op: 'queue.destroy', object: `device/${FN}/queue/1` },
        { op: 'queue.create' },
      ]),
    );
    const all = events(sim);
    assert.deepEqual(
      ofKind(all, 'queue.return').map((e) => e.fields['ret']),
      [0, 1, 2, 0, 1],
    );
    const since = all.findIndex((e) => e.kind === 'queue.call');
    assert.deepEqual(ofKind(all.slice(since), 'dev.seen', 'cfg.read', 'cfg.write', 'bar.map'), []);
    assert.deepEqual([...sim.machine.world.find('device')!.children.keys()], [FN]);
    assert.equal(value(sim, `device/${FN}/queue/1/state`), 'created');
  });

  it('S1-5 netdev, ib_device, auxiliary device, mdev or cdev can own an interrupt: only the label differs', () => {
    const owners = ['netdev/eth0', 'ib_device/mlx5_0', 'auxiliary/mlx5_core.eth.0', 'mdev/vm0', 'cdev/wq0.0'];
    const runs = owners.map((label) =>
      events(
        run(
          idxd([
            bind5,
            { ...open5, interrupt: false },
            { op: 'queue.interrupt', object: `device/${FN}/queue/0`, label },
            { op: 'queue.submit', object: `device/${FN}/queue/0` },
          ]),
        ),
      ),
    );
    for (const [i, all] of runs.entries()) assert.deepEqual(irqOwners(all), [owners[i]]);
    const plain = (all: EventView[]): unknown[] => all.map((e) => ({ ...e, fields: { ...e.fields, owner: null } }));
    for (const all of runs.slice(1)) assert.deepEqual(plain(all), plain(runs[0]!));
    assert.equal(ofKind(runs[0]!, 'irq.entry').length, 1);
  });

  it('S1-6 the IMS domain can carry the name of a cdev or netdev; the function stays who sends', () => {
    const names = { function: `PCI-IMS-${FN}`, cdev: 'PCI-IMS-cdev-idxd', netdev: 'PCI-IMS-netdev-idxd' };
    for (const [imsCarrier, name] of Object.entries(names)) {
      const sim = run(idxd([bind5, open5, { op: 'queue.submit', object: `device/${FN}/queue/0` }]), {
        settings: { imsCarrier },
      });
      const all = events(sim);
      assert.deepEqual(
        ofKind(all, 'dom.create')
          .map((e) => e.object)
          .filter((o) => o.includes('IMS')),
        [`domain/${name}`],
      );
      const irq = ofKind(all, 'irq.identify').find((e) => e.fields['domain'] === name)!;
      assert.equal(irq.fields['device'], FN);
      const [send] = ofKind(all, 'send');
      assert.equal(send?.object, `device/${FN}/ims/0`);
      assert.equal(send?.fields['requester'], '0x6a08');
    }
  });

  it('S1-7 a trace without msi_irqs tells which irq is whose, also when it is read back', () => {
    const sim = peers();
    const text = [...irqtraceBytes(sim.trace)].map((chunk) => textOf(chunk)).join('');
    assert.ok(!text.includes('msi_irqs'));
    const reader = new ImportRun('test');
    reader.push(bytesOf(text));
    const again = reader.end();
    assert.equal(again.length, sim.trace.length);
    const irqs = ofKind(events(sim), 'irq.identify').map((e) => e.object);
    assert.ok(irqs.length >= 6);
    for (const path of irqs)
      for (const key of ['device', 'hwirq', 'owner']) {
        const told = value(sim, `${path}/${key}`);
        assert.ok(told !== null && told !== undefined, `${path}/${key}`);
        assert.equal(pathValue(again.head, `${path}/${key}`), told);
      }
    assert.deepEqual(msiIrqs(again.head, FN), msiIrqs(sim.machine.state, FN));
  });

  it('S1-7 a snapshot of a machine without msi_irqs is read, and tells of each irq what one with msi_irqs tells', () => {
    const read = (...lines: string[]): Trace => {
      const reader = new ImportRun('test');
      reader.push(bytesOf(`${lines.join('\n')}\n`));
      return reader.end();
    };
    const proc = [
      '            CPU0       CPU1',
      `  24:          5          0  PCI-MSIX-${FN}   0-edge      idxd-0`,
      `  25:          0          7  PCI-MSIX-${FN}   1-edge      idxd-1`,
    ];
    const files = [24, 25].map((virq) => `/sys/bus/pci/devices/${FN}/msi_irqs/${virq}:msix`);
    for (const { head } of [read(...proc), read(...proc, ...files)])
      for (const [virq, hwirq] of [
        [24, 0],
        [25, 1],
      ]) {
        assert.equal(pathValue(head, `irq/${virq}/device`), FN);
        assert.equal(pathValue(head, `irq/${virq}/hwirq`), hwirq);
      }
  });

  it('S1-3 the irq of an MSI is shown with its mode', () => {
    const sim = run(idxd([{ op: 'msi.alloc' }, bind5, open5], { vectors: 0, msi: true }));
    assert.equal(irqOwners(events(sim)).length, 1);
    assert.deepEqual(msiIrqs(sim.machine.state, FN), [{ virq: 24, mode: 'msi' }]);
  });

  it('S1-8 sysfs shows nothing of IMS whatever the mechanism inside the kernel is', () => {
    // Who the domain belongs to, where entries lie, whether they can be masked: three queues have a working interrupt each way.
    for (const imsCarrier of ['function', 'cdev', 'netdev'])
      for (const store of ['device memory', 'queue memory'])
        for (const maskable of [true, false]) {
          const submits = [0, 1, 2].map((n) => ({ op: 'queue.submit', object: `device/${FN}/queue/${n}` }));
          const sim = run(idxd([bind5, { ...open5, count: 3 }, ...submits], { ims: { entries: 8, store, maskable } }), {
            settings: { imsCarrier },
          });
          const way = `${imsCarrier}, ${store}, ${maskable}`;
          assert.equal(irqOwners(events(sim)).length, 3, way);
          assert.equal(sim.machine.ledger.tally().delivered, 3, way);
          // The one file is that of the only MSI-X vector.
          assert.deepEqual(msiIrqs(sim.machine.state, FN), [{ virq: 24, mode: 'msix' }], way);
        }
  });

  it('S1-9 MSI, MSI-X, IMS in device memory and IMS in queue memory: the same events of an irq', () => {
    const kindsOf = (workload: readonly object[], more: object, domain: string): string[] => {
      const sim = run(idxd(workload, { vectors: 0, ...more }));
      const all = events(sim);
      assert.equal(sim.machine.ledger.tally().delivered, 1, domain);
      const irq = ofKind(all, 'irq.identify')
        .filter((e) => e.fields['domain'] === `${domain}-${FN}`)
        .at(-1)!.object;
      return [...new Set(all.filter((e) => e.object === irq).map((e) => e.kind))].sort();
    };
    const queue = [bind5, open5, { op: 'queue.submit', object: `device/${FN}/queue/0` }];
    const ims = (more: object): string[] => kindsOf(queue, { ims: { entries: 8, ...more } }, 'PCI-IMS');
    const msix = kindsOf(
      [
        { op: 'irq.alloc', index: 1 },
        { op: 'irq.request', object: 'irq/25' },
        { op: 'device.raise', object: `device/${FN}/msix/1` },
      ],
      { vectors: 2, irqs: 1 },
      'PCI-MSIX',
    );
    for (const verb of ['dom.alloc', 'dom.compose', 'msg.write', 'dom.activate', 'irq.mask', 'irq.entry'])
      assert.ok(msix.includes(verb), verb);
    assert.deepEqual(ims({}), msix);
    assert.deepEqual(ims({ store: 'queue memory' }), msix);
    // Without a mask bit nothing is masked and no vector is only promised; all else is the same again.
    const unmaskable = msix.filter((kind) => kind !== 'irq.mask' && kind !== 'vec.reserve');
    const msi = kindsOf(
      [{ op: 'msi.alloc' }, { op: 'irq.request', object: 'irq/24' }, { op: 'msi.raise' }],
      { msi: true },
      'PCI-MSI',
    );
    assert.deepEqual(msi, unmaskable);
    assert.deepEqual(ims({ maskable: false }), unmaskable);
  });

  it('S1-11 identity is (requester ID, PASID): the same PASID of two functions are two; remapping sees the requester ID', () => {
    const sim = peers();
    const all = events(sim);
    assert.equal(value(sim, `device/${OTHER}/pasid/5/table`), 'ept/vm1');
    const dma = ofKind(all, 'queue.dma').filter((e) => e.fields['pasid'] === 5 && e.fields['fault'] === undefined);
    const identities = dma.map((e) => [e.fields['requester'], e.fields['pasid'], e.fields['table']]);
    assert.deepEqual(identities, [
      ['0x6a08', 5, 'mm/process/1000'],
      ['0x6f08', 5, 'ept/vm1'],
      ['0x6a08', 5, 'mm/process/1000'],
    ]);
    const sent = ofKind(all, 'send').filter((e) => e.object.includes('/ims/'));
    assert.deepEqual(
      sent.map((e) => [e.fields['requester'], e.fields['pasid']]),
      ['0x6a08', '0x6a08', '0x6f08', '0x6a08'].map((rid) => [rid, undefined]),
    );
    const who = (queueAuthority: string): string[] =>
      ofKind(events(run(idxd([{ op: 'queue.create' }]), { settings: { queueAuthority } })), 'queue.state').map(layer);
    assert.deepEqual([who('driver'), who('firmware')], [['driver'], ['device']]);
  });

  it('S1-12 the logical partition of an owner has what a function of its own would have', () => {
    const owners = [
      { pasid: 5, owner: 'process/1000', front: 'cdev' },
      { pasid: 6, owner: 'mdev/vm0', front: 'vfio' },
    ];
    const course = (bdf: string, { pasid, owner, front }: (typeof owners)[number], at: number): object[] => [
      { at: `${at}us`, op: 'pasid.bind', object: `device/${bdf}`, pasid, owner },
      { at: `${at + 1}us`, op: 'queue.open', object: `device/${bdf}`, pasid, owner, front, count: 2 },
    ];
    const fn = (bdf: string): object => ({ bdf, name: 'idxd', vectors: 1, ims: { entries: 8 }, queues: { max: 8 } });
    const one = run({ devices: [fn(FN)], workload: owners.flatMap((o, i) => course(FN, o, 100 + 100 * i)) });
    const two = run({
      devices: [fn(FN), fn(OTHER)],
      workload: owners.flatMap((o, i) => course([FN, OTHER][i]!, o, 100 + 100 * i)),
    });
    const shared = partitionsOf(one.machine.state, FN);
    const real = [...partitionsOf(two.machine.state, FN), ...partitionsOf(two.machine.state, OTHER)];
    const size = (p: (typeof shared)[number]): unknown => [
      p.pasid,
      p.owner,
      p.table,
      p.queues.length,
      p.entries.length,
      p.irqs.length,
    ];
    assert.deepEqual(shared.map(size), [
      [5, 'process/1000', 'mm/process/1000', 2, 2, 2],
      [6, 'mdev/vm0', 'mm/mdev/vm0', 2, 2, 2],
    ]);
    assert.deepEqual(shared.map(size), real.map(size));
    // Each owner submits to its first queue, then with the handle of an entry that it does not have.
    const uses = (bdf: string, first: number, foreign: number, at: number): object[] => {
      const object = `device/${bdf}/queue/${first}`;
      return [
        { at: `${at}us`, op: 'queue.submit', object },
        { at: `${at + 50}us`, op: 'queue.submit', object, handle: foreign },
      ];
    };
    const courses = (bdfs: readonly string[]): object[] => owners.flatMap((o, i) => course(bdfs[i]!, o, 100 + 100 * i));
    const sharedUse = run({
      devices: [fn(FN)],
      workload: [...courses([FN, FN]), ...uses(FN, 0, 2, 400), ...uses(FN, 2, 0, 500)],
    });
    const realUse = run({
      devices: [fn(FN), fn(OTHER)],
      workload: [...courses([FN, OTHER]), ...uses(FN, 0, 2, 400), ...uses(OTHER, 0, 2, 500)],
    });
    const seen = (sim: Simulation): unknown[] =>
      events(sim)
        .filter((e) => Number(e.time) >= 400e-6)
        .map((e) => [e.kind, layer(e), e.fields['status'], e.fields['pasid']]);
    assert.deepEqual(seen(sharedUse), seen(realUse));
    assert.deepEqual(
      ofKind(events(sharedUse), 'qd.complete').map((e) => [e.fields['pasid'], e.fields['status']]),
      [
        [5, '0x1'],
        [5, '0x19'],
        [6, '0x1'],
        [6, '0x19'],
      ],
    );
    assert.equal(sharedUse.machine.ledger.tally().delivered, 2);
    for (const key of ['queues', 'entries', 'irqs'] as const) {
      const all = shared.flatMap((p) => p[key]);
      assert.equal(new Set(all).size, all.length, `${key} belong to one partition each`);
    }
  });

  it('S1-13 a VFIO front end has several queues and a queue several front ends', () => {
    const sim = start(bundled('cdev-vfio-peers'));
    sim.run(() => sim.machine.now >= 255_000);
    const users = (n: number): unknown[] =>
      [...sim.machine.world.find(`device/${FN}/queue/${n}/user`)!.children.keys()].map((pasid) => [
        value(sim, `device/${FN}/queue/${n}/user/${pasid}/front`),
        value(sim, `device/${FN}/queue/${n}/user/${pasid}/owner`),
      ]);
    assert.deepEqual(users(1), [['vfio', 'mdev/vm0']]);
    assert.deepEqual(users(2), [
      ['cdev', 'process/1000'],
      ['vfio', 'mdev/vm0'],
      ['cdev', 'process/1001'],
    ]);
    const vm0 = partitionsOf(sim.machine.state, FN).find((p) => p.owner === 'mdev/vm0');
    assert.deepEqual(vm0?.queues, [1, 2]);
  });

  it('S1-14 completion writes carry the PASID through its page table; without an entry they fault with 0x59', () => {
    const all = events(peers());
    const last = ofKind(all, 'queue.dma', 'qd.complete', 'drop').slice(-3);
    assert.deepEqual(
      last.map((e) => [e.kind, e.fields['pasid'], e.fields['table'], e.fields['fault'] ?? e.fields['status']]),
      [
        ['queue.dma', 5, undefined, '0x59'],
        ['qd.complete', 5, undefined, '0x1a'],
        ['drop', undefined, undefined, undefined],
      ],
    );
    const good = ofKind(all, 'queue.dma').filter((e) => e.object === `device/${FN}/queue/0` && !e.fields['fault']);
    for (const e of good) assert.equal(e.fields['table'], 'mm/process/1000');
    assert.equal(good.length, 2);
    // The descriptor with the handle of the other PASID: record written, status 0x19, no interrupt.
    const refused = ofKind(all, 'qd.complete').find((e) => e.fields['status'] === '0x19')!;
    assert.deepEqual([refused.fields['pasid'], refused.fields['handle']], [5, 1]);
    const cause = all.slice(refused.step).find((e) => e.kind === 'drop')!.fields['cause'];
    assert.deepEqual(
      all.filter((e) => e.fields['cause'] === cause).map((e) => e.kind),
      ['drop'],
    );
  });

  it('S1-15 through cdev and through VFIO the same happens inside; VFIO carries emulated register accesses', () => {
    const through = (front: string): EventView[] =>
      events(
        run(
          idxd([
            bind5,
            { ...open5, front },
            { op: 'queue.submit', object: `device/${FN}/queue/0` },
            { op: 'queue.destroy', object: `device/${FN}/queue/0` },
          ]),
        ),
      );
    const [cdev, vfio] = [through('cdev'), through('vfio')];
    const inside = (all: readonly EventView[]): unknown[] =>
      all
        .filter((e) => layer(e) !== 'cdev' && layer(e) !== 'vfio')
        .map((e) => [e.task, e.kind, e.object, { ...e.fields, front: undefined }]);
    assert.deepEqual(inside(cdev), inside(vfio));
    assert.equal(ofKind(cdev, 'vfio.region').length, 0);
    const accesses = ofKind(vfio, 'vfio.region').map((e) => [e.fields['offset'], e.fields['value']]);
    // WQCFG size, WQCFG PASID 5 with enable, commands 13 (IMS, queue 0), 6, 10.
    assert.deepEqual(accesses, [
      ['0x500', '0x10'],
      ['0x508', '0x10000500'],
      ['0xa0', '0xd10000'],
      ['0xa0', '0x600000'],
      ['0xa0', '0xa00000'],
    ]);
  });

  it('S1-16 create, bind, enable, submit, destroy: every other order is refused and changes nothing', () => {
    const steps = ['bind', 'enable', 'submit', 'destroy'] as const;
    const orders = (rest: readonly (typeof steps)[number][]): (typeof steps)[number][][] =>
      rest.length === 0 ? [[]] : rest.flatMap((s) => orders(rest.filter((r) => r !== s)).map((o) => [s, ...o]));
    for (const order of orders(steps)) {
      const all = events(
        run(
          idxd([
            bind5,
            { op: 'queue.create' },
            ...order.map((op) => ({
              op: `queue.${op}`,
              object: `device/${FN}/queue/0`,
              ...(op === 'bind' ? { pasid: 5 } : op === 'submit' ? { pasid: 5, interrupt: false } : {}),
              ...(op === 'submit' ? {} : { owner: 'process/1000' }),
            })),
          ]),
        ),
      );
      const answers = [
        ...ofKind(all, 'queue.return').filter((e) => e.fields['call'] !== 'create'),
        ...ofKind(all, 'qd.submit'),
      ].sort((a, b) => a.step - b.step);
      // What a queue answers by what came before: ENOENT (-2) when it is gone, EINVAL (-22) when it is not ready.
      const before = new Set<string>();
      for (const [i, op] of order.entries()) {
        const ready =
          op === 'bind' || op === 'destroy' || (op === 'enable' ? before.has('bind') : before.has('enable'));
        const expected = before.has('destroy') ? (op === 'submit' ? -22 : -2) : ready ? 0 : -22;
        assert.equal(answers[i]!.fields['ret'] ?? 0, expected, `${op} in ${order.join(', ')}`);
        if (expected === 0) before.add(op);
      }
      assert.equal(ofKind(all, 'qd.complete').length, before.has('submit') ? 1 : 0, order.join(', '));
    }
  });

  it('S1-17 the driver and the irq core do everything to the device; the interfaces only ask', () => {
    const all = events(peers());
    const core = ofKind(all, 'ims.store', 'queue.state', 'queue.use', 'msg.write', 'dom.create', 'ims.free');
    assert.ok(core.length > 40);
    assert.deepEqual([...new Set(core.map(layer))].sort(), ['driver', 'irq-core']);
    const asked = all.filter((e) => layer(e) === 'cdev' || layer(e) === 'vfio');
    assert.deepEqual([...new Set(asked.map((e) => e.kind))].sort(), [
      'qd.submit',
      'queue.call',
      'queue.return',
      'vfio.region',
    ]);
    assert.deepEqual([...new Set(asked.map(layer))].sort(), ['cdev', 'vfio']);
  });

  it('S1-18 queues of the cdev and of VFIO both have IMS interrupts', () => {
    const sim = peers();
    const all = events(sim);
    for (const [n, front] of [
      [0, 'cdev'],
      [1, 'vfio'],
    ] as const) {
      const queue = `device/${FN}/queue/${n}`;
      const irq = ofKind(all, 'irq.identify').find((e) => e.fields['owner'] === queue)!;
      assert.equal(irq.fields['domain'], `IR-PCI-IMS-${FN}`);
      assert.equal(value(sim, `${queue}/front`), front);
      assert.equal(ofKind(all, 'irq.entry').filter((e) => e.object === irq.object).length, 1);
    }
  });

  it('S1-19 a queue gets an IMS interrupt only when it has a PASID', () => {
    const queue = `device/${FN}/queue/0`;
    const all = events(
      run(
        idxd([
          bind5,
          { op: 'queue.create' },
          { op: 'queue.interrupt', object: queue },
          { op: 'queue.bind', object: queue, pasid: 5 },
          { op: 'queue.interrupt', object: queue },
        ]),
      ),
    );
    const [refused, , granted] = ofKind(all, 'queue.return').slice(1);
    // EPERM is 1.
    assert.equal(refused?.fields['ret'], -1);
    assert.equal(granted?.fields['ret'], 0);
    const before = all.slice(0, refused!.step);
    assert.deepEqual(
      ofKind(before, 'ims.store', 'dom.create').filter((e) => e.object.includes('IMS') || e.kind === 'ims.store'),
      [],
    );
    const control = ofKind(all, 'ims.store').find((e) => e.fields['offset'] === '0xc')!;
    // Mask in bit 0, PASID enable in bit 3, PASID 5 from bit 12 on.
    assert.equal(control.fields['value'], '0x5009');
  });

  it('S1-20 one allocator per function: indexes are unique across the front ends', () => {
    const handles = (all: readonly EventView[], bdf: string): unknown[] =>
      ofKind(all, 'queue.use')
        .filter((e) => e.object.startsWith(`device/${bdf}/`) && e.fields['handle'] !== undefined)
        .map((e) => e.fields['handle']);
    const all = events(peers());
    assert.deepEqual(handles(all, FN), [0, 1, 2, 3]);
    assert.deepEqual(handles(all, OTHER), [0]);
    // The same when the domain hangs on the cdev, and the next request takes a freed index again.
    const again = run(
      idxd([
        bind5,
        { ...open5, count: 2 },
        { op: 'queue.destroy', object: `device/${FN}/queue/0` },
        { ...open5, front: 'vfio' },
      ]),
      { settings: { imsCarrier: 'cdev' } },
    );
    assert.deepEqual(handles(events(again), FN), [0, 1, 0]);
  });
});
