// S3: the address of each MSI vector, given by user space (rows S3-1 to S3-16 of docs/seeds.md). Addresses of the
// bundled scenarios: doorbell 0x20210040, guest-physical page 0x80910000, addresses of the guest 0xeeee0000 and 0xeeef0000.
// Over 400 lines: one seed document, row by row.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { found } from '../../check/made.ts';
import { bundled, events, run } from '../run.ts';

const NIC = '0000:00:05.0';
const DOORBELL = '0x20210040';
const VMSI = '0xeeee0040';
const OTHER = '0xeeef0040';

const scenario = (name: string, settings: Readonly<Record<string, string>> = {}): Simulation =>
  run(bundled(name), { settings });

const of = (simulation: Simulation, ...kinds: readonly string[]): EventView[] =>
  events(simulation).filter((e) => kinds.includes(e.kind));

/** The messages written for an irq: who and where to; the teardown left out. */
const writes = (simulation: Simulation, irq = 'irq/24'): (readonly [unknown, unknown])[] =>
  of(simulation, 'msg.write')
    .filter((e) => e.object === irq && e.fields['address'] !== '0x0')
    .map((e) => [e.fields['by'], e.fields['address']] as const);

const value = (simulation: Simulation, path: string): unknown => pathValue(simulation.machine.state, path);

const faults = (simulation: Simulation): unknown[] => of(simulation, 'smmu.fault').map((e) => e.fields['event']);

/** Where each message that a CPU took was written, in order: what the device sent, and what came of it. */
function sent(simulation: Simulation): { address: unknown; fate: string }[] {
  const all = events(simulation);
  return all
    .filter((e) => e.kind === 'send')
    .map((e) => {
      const { cause } = e.fields;
      const dropped = all.some((d) => d.kind === 'drop' && d.fields['cause'] === cause);
      const pended = all.some((d) => d.kind === 'gic.pend' && d.fields['cause'] === cause);
      return { address: e.fields['address'], fate: dropped ? 'dropped' : pended ? 'delivered' : 'neither' };
    });
}

describe('S3: writers of messages', () => {
  it('S3-1 VFIO writes the cached message itself, beside the irq core', () => {
    for (const [name, expected] of [
      ['vmsi-affinity', [['irq/24', `vfio/${NIC}`, VMSI]]],
      [
        'vmsi-nested',
        [
          ['irq/24', `vfio/${NIC}`, VMSI],
          ['irq/25', `vfio/${NIC}`, OTHER],
        ],
      ],
    ] as const) {
      const simulation = scenario(name);
      const all = events(simulation);
      const by = all.filter((e) => e.kind === 'msg.write' && e.fields['by'] === 'vfio');
      // One for each vector, before request_irq(), as a real host does (twice the same message in the arm64 captures).
      assert.deepEqual(
        by.map((e) => [e.object, e.task, e.fields['address']]),
        expected,
      );
      for (const write of by) {
        const before = all.slice(0, write.step).filter((e) => e.object === write.object);
        assert.deepEqual(
          before.filter((e) => e.kind === 'msg.write' || e.kind === 'irq.request').map((e) => e.fields['by']),
          ['activate'],
          'the irq core wrote the message once before, and nobody requested the interrupt',
        );
        assert.equal(before.filter((e) => e.kind === 'dom.compose').length, 1, 'nobody composed for the second write');
      }
    }
  });

  it('S3-1 that is the restore after a reset: a table that the device lost has its messages again, and no domain was asked', () => {
    const document = bundled('vmsi-affinity') as { workload: { op: string }[] };
    const setUp = document.workload.slice(0, 4);
    const plain = events(run({ ...document, workload: setUp })).filter((e) => e.kind === 'msg.write');
    const [activate, vfio] = plain.map((e) => Number(e.time) * 1e9);
    const half = Math.round((activate! + vfio!) / 2);
    // A reset clears the Command register too; software puts that back.
    const simulation = run({
      ...document,
      workload: [
        ...setUp,
        { at: half, op: 'device.reset', object: `device/${NIC}` },
        { at: half + 1, op: 'device.command', object: `device/${NIC}`, memory: true, busMaster: true },
      ],
    });
    const all = events(simulation);
    const entry = (step: number): unknown => {
      const { address, data } = Object.fromEntries(
        ['address', 'data'].map((key) => [
          key,
          (pathValue(simulation.trace.stateAt(step), `device/${NIC}/msix/0/${key}`) as { value?: unknown } | null)
            ?.value,
        ]),
      );
      return [address, data];
    };
    const lost = all.find((e) => e.kind === 'dev.reset')!.step;
    const restored = all.find((e) => e.kind === 'msg.write' && e.fields['by'] === 'vfio')!.step;
    assert.ok(lost < restored);
    assert.notDeepEqual(entry(lost), entry(lost - 1), 'the reset took the message');
    const stores = all.slice(restored).filter((e) => e.kind === 'tbl.write');
    assert.deepEqual(entry(stores[2]!.step), entry(lost - 1));
    assert.equal(all.slice(lost).filter((e) => e.kind === 'dom.compose').length, 0);
  });

  it('S3-2 every write of a message says who made it: activation, VFIO, affinity, restore, KVM', () => {
    const simulation = scenario('vmsi-affinity');
    assert.deepEqual(writes(simulation), [
      ['activate', VMSI],
      ['vfio', VMSI],
      ['user', VMSI],
      ['restore', VMSI],
      ['kvm', DOORBELL],
      ['user', VMSI],
    ]);
    // Every scenario of this seed, to its teardown: there is no write without a writer.
    for (const name of [
      'vmsi-affinity',
      'vmsi-nested',
      'vmsi-flat',
      'vmsi-missing-mapping',
      'vmsi-update-without-rewrite',
    ])
      for (const write of of(scenario(name), 'msg.write'))
        assert.match(String(write.fields['by']), /^(activate|deactivate|vfio|user|restore|kvm|vmsi-update)$/, name);
  });

  it('S3-2 where KVM forwards an interrupt by GICv4 it writes no message: the ITS has the new target', () => {
    const simulation = scenario('gicv4-forwarding');
    const all = events(simulation);
    assert.ok(all.some((e) => e.kind === 'irq.forward' && e.fields['forward'] === true));
    assert.deepEqual(
      all.filter((e) => e.kind === 'msg.write').map((e) => e.fields['by']),
      ['activate'],
    );
  });

  it('S3-2 a writer that knows no translation breaks the interrupt until it is composed again (F74)', () => {
    const simulation = scenario('vmsi-affinity');
    assert.deepEqual(sent(simulation), [
      { address: VMSI, fate: 'delivered' },
      { address: VMSI, fate: 'delivered' },
      { address: VMSI, fate: 'delivered' },
      { address: DOORBELL, fate: 'dropped' },
      { address: VMSI, fate: 'delivered' },
    ]);
    assert.deepEqual(faults(simulation), [`F_TRANSLATION s1 iova ${DOORBELL}`]);
    // The rule finds the write itself, not the interrupt that is lost later.
    const write = of(simulation, 'msg.write').find((e) => e.fields['by'] === 'kvm')!;
    assert.deepEqual(
      found(simulation.trace, 'F74').map((text) => text.split(' ')[0]),
      [String(write.step)],
    );
    assert.deepEqual(found(scenario('vmsi-nested').trace, 'F74'), []);
  });

  it('S3-3 where the message names the target, a move writes it with the address of user space', () => {
    const simulation = scenario('vmsi-affinity');
    const all = events(simulation);
    const move = all.findIndex((e) => e.kind === 'irq.affinity' && e.object === 'irq/24');
    const write = all.slice(move).find((e) => e.kind === 'msg.write')!;
    assert.deepEqual([write.fields['address'], write.fields['data']], [VMSI, '0x1']);
    const entries = all.filter((e) => e.kind === 'irq.entry').map((e) => e.cpu);
    assert.deepEqual(entries, [0, 2, 2, 1]);
    // The old EventID goes once an interrupt came through the new one, and not before.
    const discard = all.findIndex((e) => e.kind === 'its.discard');
    const ack = all.findIndex((e, i) => i > move && e.kind === 'gic.ack');
    assert.ok(ack > 0 && discard > ack);
    assert.equal(all[discard]!.object, 'its/0/device/0x28/event/0');
  });

  it('S3-3 where the ITS moves interrupts, the same move writes nothing', () => {
    const simulation = scenario('vmsi-affinity', { affinityMessage: 'stays' });
    assert.equal(writes(simulation).filter(([by]) => by === 'user').length, 0);
    assert.deepEqual(
      of(simulation, 'its.movi').map((e) => e.fields['collection']),
      [2, 1],
    );
  });
});

describe('S3: who translates', () => {
  const HOOKS = ['function', 'cookie', 'write', 'xlate', 'domain'] as const;
  const runs = new Map(HOOKS.map((hook) => [hook, scenario('vmsi-nested', { composeHook: hook })]));
  const composed = (hook: (typeof HOOKS)[number], irq: string): unknown[] =>
    of(runs.get(hook)!, 'dom.compose')
      .filter((e) => e.object === irq)
      .map((e) => [e.fields['domain'], e.fields['address']]);
  const providers = (hook: (typeof HOOKS)[number]): unknown[] => [
    ...new Set(of(runs.get(hook)!, 'msi.prepare').map((e) => e.fields['provider'])),
  ];

  it('S3-4 a write_msi_msg callback writes twice: the physical address stands in the device in between', () => {
    assert.deepEqual(composed('write', 'irq/24'), [['ITS', DOORBELL]]);
    assert.deepEqual(writes(runs.get('write')!), [
      ['activate', DOORBELL],
      ['vfio', VMSI],
      ['vfio', VMSI],
    ]);
    assert.deepEqual(providers('write'), ['vfio-write']);
    // No recursion: each store ends, and the outcome is that of the other hooks.
    assert.deepEqual(sent(runs.get('write')!), sent(runs.get('function')!));
  });

  it('S3-4 between the two writes of a write_msi_msg callback the vector is wrong: the window opens and closes', () => {
    const simulation = scenario('vmsi-affinity', { composeHook: 'write' });
    const all = events(simulation);
    const plain = all.findIndex((e) => e.kind === 'msg.write' && e.fields['by'] === 'user');
    const again = all.findIndex((e, i) => i > plain && e.kind === 'msg.write');
    assert.deepEqual(
      [plain, again].map((i) => [all[i]!.fields['by'], all[i]!.fields['address']]),
      [
        ['user', DOORBELL],
        ['vfio', VMSI],
      ],
    );
    const windows = all.slice(plain).filter((e) => e.kind === 'vmsi.window');
    assert.deepEqual(
      windows.slice(0, 2).map((e) => [e.fields['open'], e.fields['held']]),
      [
        [true, DOORBELL],
        [false, VMSI],
      ],
    );
    assert.ok(Number(windows[1]!.fields['ns']) > 0, 'time passes in between');
  });

  it('S3-5 an xlate_msi_msg callback translates on the way to the device: one write, what was composed is not what is stored', () => {
    assert.deepEqual(composed('xlate', 'irq/24'), [['ITS', DOORBELL]]);
    assert.deepEqual(writes(runs.get('xlate')!), [
      ['activate', VMSI],
      ['vfio', VMSI],
    ]);
    assert.deepEqual(providers('xlate'), ['vfio-xlate']);
  });

  it('S3-6 an irq domain of its own is one more level, and composes', () => {
    const levels = (hook: (typeof HOOKS)[number]): unknown[] =>
      of(runs.get(hook)!, 'dom.alloc')
        .filter((e) => e.object === 'irq/24')
        .map((e) => e.fields['domain']);
    assert.deepEqual(levels('function'), ['GICv3', 'ITS', `ITS-PCI-MSIX-${NIC}`]);
    assert.deepEqual(levels('domain'), ['GICv3', 'ITS', `VMSI-${NIC}`, `ITS-PCI-MSIX-${NIC}`]);
    assert.deepEqual(composed('domain', 'irq/24'), [[`VMSI-${NIC}`, VMSI]]);
    const created = of(runs.get('domain')!, 'dom.create').find((e) => e.object === `domain/VMSI-${NIC}`)!;
    assert.equal(created.fields['parent'], 'ITS');
  });

  it('S3-7 a cookie of the domain has one address, whatever the vector', () => {
    assert.deepEqual(composed('cookie', 'irq/24'), [['ITS', VMSI]]);
    assert.deepEqual(composed('cookie', 'irq/25'), [['ITS', VMSI]]);
    assert.deepEqual(providers('cookie'), ['iommufd-cookie']);
  });

  it('S3-8 the ITS asks the owner of the translation: iommufd for its devices, dma-iommu for the rest', () => {
    assert.deepEqual(providers('function'), ['iommufd']);
    assert.deepEqual(composed('function', 'irq/24'), [['ITS', VMSI]]);
    const mixed = run({
      ...bundled('vmsi-nested'),
      devices: [
        { bdf: NIC, name: 'nic', vectors: 4, driver: 'none' },
        { bdf: '0000:00:06.0', name: 'disk', vectors: 1 },
      ],
      workload: [
        ...(bundled('vmsi-nested') as { workload: { op: string }[] }).workload.slice(0, 6),
        { at: '90us', op: 'device.raise', object: 'device/0000:00:06.0/msix/0' },
      ],
    });
    const asked = of(mixed, 'msi.prepare').map((e) => `${e.fields['device']} ${e.fields['provider']}`);
    assert.deepEqual([...new Set(asked)].sort(), [`${NIC} iommufd`, '0000:00:06.0 dma-iommu']);
    const dma = writes(mixed, 'irq/24')[0]![1];
    assert.equal(dma, '0xfffff040');
    assert.deepEqual(sent(mixed), [{ address: dma, fate: 'delivered' }]);
  });

  it('S3-12 the binding of 2021: stage 1 of the guest, one doorbell for all vectors of the device', () => {
    const simulation = runs.get('cookie')!;
    // The second vector has an address of its own, which this design cannot use: the one of the first counts.
    assert.equal(value(simulation, `iommufd/1/vmsi/${NIC}/1/iova`), '0xeeef0000');
    assert.deepEqual([...new Set(sent(simulation).map((s) => s.address))], [VMSI]);
    // The address bound is one of the guest's stage 1, which leads on to the page that stage 2 maps to the ITS.
    const all = events(simulation);
    const stages = of(simulation, 'smmu.trans').map((e) => [e.fields['stage'], e.fields['iova'], e.fields['output']]);
    assert.deepEqual([...new Set(stages.map((s) => JSON.stringify(s)))].sort(), [
      JSON.stringify([1, VMSI, '0x80910040']),
      JSON.stringify([2, '0x80910040', DOORBELL]),
    ]);
    assert.ok(all.length > 0);
    // The guest takes away the mapping of the second address: nothing depends on it here.
    assert.deepEqual(
      sent(simulation).map((s) => s.fate),
      ['delivered', 'delivered', 'delivered', 'dropped', 'delivered', 'delivered'],
    );
  });

  it('S3-12 what it does not look at: an index without an address gets that of the device, where the table by index refuses', () => {
    const binding = (composeHook: string): unknown[] =>
      of(scenario('vmsi-missing-mapping', { composeHook }), 'vfio.set').map((e) => e.fields['ret']);
    assert.equal(binding('function')[0], -2);
    assert.equal(binding('cookie')[0], 0);
    const asked = of(scenario('vmsi-missing-mapping', { composeHook: 'cookie' }), 'msi.prepare');
    assert.deepEqual([...new Set(asked.map((e) => [e.fields['index'], e.fields['iova']].join(' ')))].slice(0, 2), [
      `0 ${VMSI}`,
      `1 ${VMSI}`,
    ]);
  });

  it('S3-13 addresses are looked up by device and MSI index', () => {
    const asked = of(runs.get('function')!, 'msi.prepare').map((e) => [
      e.object,
      e.fields['device'],
      e.fields['index'],
      e.fields['iova'],
    ]);
    assert.deepEqual(
      [...new Set(asked.map((a) => JSON.stringify(a)))].sort(),
      [
        ['irq/24', NIC, 0, VMSI],
        ['irq/25', NIC, 1, OTHER],
      ].map((a) => JSON.stringify(a)),
    );
    const missing = of(scenario('vmsi-missing-mapping'), 'msi.prepare');
    const miss = missing.filter((e) => e.fields['ret'] !== undefined);
    assert.deepEqual(
      miss.map((e) => [e.fields['device'], e.fields['index'], e.fields['ret']]),
      [[NIC, 1, -2]],
    );
  });
});

describe('S3: update of an address', () => {
  it('S3-9 a new address makes the irq core compose and write the message again', () => {
    const simulation = scenario('vmsi-update-without-rewrite', { forceWrite: 'yes' });
    const all = events(simulation);
    const update = all.findLastIndex((e) => e.kind === 'iommufd.vmsi');
    const after = all.slice(update).filter((e) => e.kind === 'dom.compose' || e.kind === 'msg.write');
    assert.deepEqual(
      after.map((e) => [e.kind, e.fields['address']]),
      [
        ['dom.compose', OTHER],
        ['msg.write', OTHER],
      ],
    );
    assert.deepEqual(
      sent(simulation).map((s) => s.fate),
      ['delivered', 'delivered', 'delivered', 'delivered'],
    );
  });

  it('S3-10 the write is forced although the affinity is what it was', () => {
    const forced = scenario('vmsi-update-without-rewrite', { forceWrite: 'yes' });
    assert.equal(of(forced, 'its.movi').length, 0, 'the interrupt does not move');
    assert.deepEqual(writes(forced).at(-1), ['vmsi-update', OTHER]);
    const left = scenario('vmsi-update-without-rewrite');
    assert.equal(of(left, 'irq.affinity').length, 1);
    assert.deepEqual(
      writes(left).filter(([, address]) => address !== VMSI),
      [],
    );
  });

  it('S3-11 address first, affinity second: in between the device has the old address, and the trace says how long', () => {
    const simulation = scenario('vmsi-update-without-rewrite', { forceWrite: 'yes' });
    const all = events(simulation);
    const steps = all.filter((e) => ['iommufd.vmsi', 'vmsi.window', 'irq.affinity'].includes(e.kind)).slice(1);
    assert.deepEqual(
      steps.map((e) => [e.kind, e.fields['open']]),
      [
        ['iommufd.vmsi', undefined],
        ['vmsi.window', true],
        ['irq.affinity', undefined],
        ['vmsi.window', false],
      ],
    );
    assert.equal(steps[1]!.fields['held'], VMSI);
    // The device sends at 202us, inside the window: to the old address.
    assert.deepEqual(
      sent(simulation).map((s) => s.address),
      [VMSI, VMSI, OTHER, OTHER],
    );
    assert.equal(value(simulation, `iommufd/1/vmsi/${NIC}/0/window`), false);
  });

  it('S3-11 without the write the window never closes, and messages are lost once the guest lets the old address go', () => {
    const simulation = scenario('vmsi-update-without-rewrite');
    assert.deepEqual(
      of(simulation, 'vmsi.window').map((e) => e.fields['open']),
      [true],
    );
    assert.equal(value(simulation, `iommufd/1/vmsi/${NIC}/0/window`), true);
    assert.deepEqual(sent(simulation).at(-1), { address: VMSI, fate: 'dropped' });
    assert.deepEqual(faults(simulation), [`F_TRANSLATION s1 iova ${VMSI}`]);
  });
});

describe('S3: mappings', () => {
  it('S3-14 stage 2 is what user space mapped: without a mapping the message faults there', () => {
    const simulation = scenario('vmsi-flat');
    assert.deepEqual(faults(simulation), ['F_TRANSLATION s2 iova 0x80910040 ipa 0x80910040']);
    assert.deepEqual(
      sent(simulation).map((s) => s.fate),
      ['dropped', 'delivered', 'delivered'],
    );
    assert.equal(of(simulation, 'iommufd.swmsi').length, 0);
    const maps = of(simulation, 'iommufd.map');
    assert.deepEqual(
      maps.map((e) => [e.task, e.object, e.fields['output']]),
      [['vmm/qemu', 'iommufd/1/ioas/1/map/0x80910000', '0x20210000']],
    );
  });

  it('S3-14 the software MSI window is the exception that the proposal does away with', () => {
    const simulation = scenario('vmsi-flat', { vmsi: 'rmr' });
    assert.deepEqual(
      of(simulation, 'iommufd.swmsi').map((e) => [e.task, e.object, e.fields['output']]),
      [['iommufd/kernel', 'iommufd/1/hwpt/1/map/0x8000000', '0x20210000']],
    );
    assert.deepEqual(writes(simulation)[0], ['activate', '0x8000040']);
    assert.deepEqual(
      sent(simulation).map((s) => s.fate),
      ['delivered', 'delivered', 'delivered'],
    );
  });

  it('S3-15 an index that user space gave no address for fails to allocate, and everything is taken back', () => {
    const simulation = scenario('vmsi-missing-mapping');
    const sets = of(simulation, 'vfio.set').map((e) => e.fields['ret']);
    assert.deepEqual(sets, [-2, 0]);
    const all = events(simulation);
    const failed = all.find((e) => e.kind === 'dom.alloc' && Number(e.fields['ret']) < 0)!;
    assert.deepEqual([failed.object, failed.fields['domain'], failed.fields['ret']], ['irq/25', 'ITS', -2]);
    const first = all.findIndex((e) => e.kind === 'vfio.set');
    const state = simulation.trace.stateAt(first);
    assert.equal(pathValue(state, 'its/0/device/0x28/valid'), false);
    assert.equal(pathValue(state, `device/${NIC}/msixcap/enable`), false);
    // A design that has an address of its own makes one up instead.
    const dynamic = of(scenario('vmsi-missing-mapping', { vmsi: 'rmr' }), 'vfio.set').map((e) => e.fields['ret']);
    assert.equal(dynamic[0], 0);
  });

  it('S3-16 the same rule with and without a stage 1: delivered exactly when each stage leads to the ITS page', () => {
    const nested = scenario('vmsi-nested');
    assert.deepEqual(
      of(nested, 'smmu.trans')
        .slice(0, 2)
        .map((e) => [e.fields['stage'], e.fields['iova'], e.fields['output']]),
      [
        [1, VMSI, '0x80910040'],
        [2, '0x80910040', DOORBELL],
      ],
    );
    assert.deepEqual(
      sent(nested).map((s) => s.fate),
      ['delivered', 'delivered', 'delivered', 'dropped', 'dropped', 'delivered'],
    );
    assert.deepEqual(faults(nested), [
      `F_TRANSLATION s2 iova ${OTHER} ipa 0x80910040`,
      `F_TRANSLATION s1 iova ${OTHER}`,
    ]);
    const flat = scenario('vmsi-flat');
    assert.deepEqual([...new Set(of(flat, 'smmu.trans').map((e) => e.fields['stage']))], [2]);
    assert.equal(value(flat, 'smmu/0/stream/0x28/config'), 'stage 2');
    assert.equal(value(nested, 'smmu/0/stream/0x28/config'), 'nested');
  });

  it('S3-16 every combination of stages and of what is mapped ends as the rule says', () => {
    const pick = [false, true];
    for (const nested of pick)
      for (const given of pick)
        for (const s1 of nested ? pick : [false])
          for (const s2 of pick) {
            // The address given is the one that leads to the ITS, or one that nothing maps.
            const iova = given ? (nested ? 0xeeee0000 : 0x80910000) : 0xdddd0000;
            const simulation = run({
              platform: { arch: 'arm64', cpus: 2, remap: 'its' },
              devices: [{ bdf: NIC, name: 'nic', vectors: 1, driver: 'none' }],
              iommufd: { devices: [NIC] },
              policies: { vmsi: 'vits', nested: nested ? 'yes' : 'no' },
              workload: [
                ...(s2
                  ? [{ at: 1, op: 'iommufd.map', object: 'iommufd/1/ioas/1', iova: '0x80910000', output: '0x20210000' }]
                  : []),
                ...(s1
                  ? [
                      {
                        at: 2,
                        op: 'smmu.mapS1',
                        object: 'smmu/0/stream/0x28',
                        iova: '0xeeee0000',
                        output: '0x80910000',
                      },
                    ]
                  : []),
                { at: 3, op: 'iommufd.setVmsi', object: `device/${NIC}/msix/0`, iova },
                { at: '10us', op: 'iommufd.setIrqs', object: `device/${NIC}`, vectors: 1 },
                { at: '90us', op: 'device.raise', object: `device/${NIC}/msix/0` },
              ],
            });
            const expected = given && s2 && (s1 || !nested) ? 'delivered' : 'dropped';
            const what = JSON.stringify({ nested, given, s1, s2 });
            assert.deepEqual(sent(simulation), [{ address: `0x${(iova + 0x40).toString(16)}`, fate: expected }], what);
            if (expected === 'dropped') {
              const stage = nested && !(given && s1) ? 1 : 2;
              assert.match(String(faults(simulation)[0]), new RegExp(`^F_TRANSLATION s${stage} `), what);
            }
          }
  });
});
