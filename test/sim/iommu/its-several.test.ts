// Several ITSs of one host: which one gets a command, which one takes a message (irq-gic-v3-its.c; Arm IHI 0069, 5.3).
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { readScenario } from '../../../src/sim/scenario.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { foundByAll, judged, made } from '../../check/made.ts';
import { bundled, events, run } from '../run.ts';

const NET = '0000:00:04.0';
const DISK = '0000:41:00.0';

const v40 = run(bundled('its-two'));
const v41 = run(bundled('its-two'), { settings: { gicv4: 'v4.1' } });

const between = (simulation: Simulation, from: number, to: number): EventView[] =>
  events(simulation).filter((e) => Number(e.time) * 1e6 >= from && Number(e.time) * 1e6 < to);
/** Commands in the queue of an ITS. */
const queued = (its: number, all: readonly EventView[]): string[] =>
  all.filter((e) => e.kind === 'its.queue' && e.object === `its/${its}`).map((e) => String(e.fields['name']));
const idOf = (found: string): string => found.split(' ')[0]!;
const value = (simulation: Simulation, path: string): unknown => pathValue(simulation.machine.state, path);

describe('several ITSs', () => {
  it('each has a doorbell in a frame of its own, 128 KiB apart', () => {
    const doorbells = events(v40).filter((e) => e.kind === 'its.doorbell');
    assert.deepEqual(
      doorbells.map((e) => [e.object, BigInt(String(e.fields['address']))]),
      [
        ['its/0', 0x20210040n],
        ['its/1', 0x20230040n],
      ],
    );
  });

  it('a function sends to the doorbell of the ITS that its requester ID maps to', () => {
    const address = (fn: string): unknown => Reflect.get(Object(value(v40, `device/${fn}/msix/0/address`)), 'value');
    assert.deepEqual([address(NET), address(DISK)], ['0x20210040', '0x20230040']);
  });

  it('collections are mapped at both, devices and EventIDs at that of the function only', () => {
    const boot = between(v40, 0, 50);
    const count = (its: number, name: string): number => queued(its, boot).filter((one) => one === name).length;
    assert.deepEqual([count(0, 'MAPC'), count(0, 'MAPD'), count(0, 'MAPTI')], [4, 1, 3]);
    assert.deepEqual([count(1, 'MAPC'), count(1, 'MAPD'), count(1, 'MAPTI')], [4, 1, 2]);
    // DeviceIDs: bus 0x00 device 4, and bus 0x41 device 0.
    assert.equal(value(v40, 'its/0/device/0x20/valid'), true);
    assert.equal(value(v40, 'its/1/device/0x4100/valid'), true);
  });

  it('LPIs are given out for both together: 4 for three vectors, the next block behind', () => {
    assert.equal(value(v40, 'its/0/device/0x20/event/0/lpi'), 8192);
    assert.equal(value(v40, 'its/1/device/0x4100/event/1/lpi'), 8197);
  });

  it('a move is a command in one queue', () => {
    assert.deepEqual(
      [0, 1].map((its) => queued(its, between(v40, 80, 90))),
      [['MOVI', 'SYNC'], []],
    );
    assert.deepEqual(
      [0, 1].map((its) => queued(its, between(v40, 90, 100))),
      [[], ['MOVI', 'SYNC']],
    );
  });

  it('a message at the doorbell of the other finds no mapping of its DeviceID, and F75 says who has it', () => {
    const error = between(v40, 130, 150).find((e) => e.kind === 'its.error')!;
    assert.deepEqual(
      [error.object, error.fields['text']],
      ['its/1/device/0x20/event/0', 'DeviceID is not mapped (no MAPD)'],
    );
    assert.deepEqual(foundByAll(v40.trace).map(idOf), ['F75']);
    const [only] = judged(v40.trace, 'F75').findings;
    assert.match(only!.text, /its\/0 has this DeviceID mapped: the message went to the doorbell of its\/1/);
  });

  it('the domains have the names that the driver gives the ITSs, those of functions the prefix of all', () => {
    const made = events(v40)
      .filter((e) => e.kind === 'dom.create')
      .map((e) => [e.object, e.fields['parent']]);
    assert.deepEqual(
      made.filter(([, parent]) => parent !== undefined && !String(parent).startsWith('guest')).slice(0, 4),
      [
        ['domain/ITS@0x0000000020200000', 'GICv3'],
        ['domain/ITS@0x0000000020220000', 'GICv3'],
        [`domain/ITS-PCI-MSIX-${NET}`, 'ITS@0x0000000020200000'],
        [`domain/ITS-PCI-MSIX-${DISK}`, 'ITS@0x0000000020220000'],
      ],
    );
  });

  it('the least loaded CPU counts the LPIs of both (cpu_lpi_count)', () => {
    const targets = events(v40)
      .filter((e) => e.kind === 'its.mapti')
      .slice(0, 5);
    assert.deepEqual(
      targets.map((e) => Number(e.fields['collection'])),
      [0, 1, 2, 3, 0],
    );
  });
});

describe('GICv4 with several ITSs', () => {
  it('GICv4.0: all vPEs of the machine are mapped at an ITS with its first forwarded interrupt', () => {
    const map = ['VMAPP', 'VSYNC', 'VINVALL', 'VSYNC'];
    const forward = ['DISCARD', 'SYNC', 'VMAPTI', 'VSYNC'];
    assert.deepEqual(
      [0, 1].map((its) => queued(its, between(v40, 150, 160))),
      [[...map, ...map, ...forward], []],
    );
    assert.deepEqual(
      [0, 1].map((its) => queued(its, between(v40, 180, 190))),
      [[], [...map, ...map, ...forward]],
    );
  });

  it('GICv4.0: VMOVP goes to each ITS that has the vPE, with one sequence number and their list', () => {
    const moves = events(v40).filter((e) => e.kind === 'its.vmovp');
    assert.deepEqual(
      moves.map((e) => [e.object, Number(e.fields['target']), Number(e.fields['sequence']), Number(e.fields['list'])]),
      [
        ['its/0/vpe/0', 1, 0, 0b01],
        ['its/0/vpe/0', 2, 1, 0b11],
        ['its/1/vpe/0', 2, 1, 0b11],
        ['its/1/vpe/0', 3, 2, 0b10],
      ],
    );
    // As they stand in the queue: the sequence number in bits 47:32 of DW0, the list in bits 15:0 of DW1.
    const raw = events(v40).filter((e) => e.kind === 'its.queue' && e.fields['name'] === 'VMOVP');
    assert.deepEqual(
      raw.map((e) => [(BigInt(String(e.fields['dw0'])) >> 32n) & 0xffffn, BigInt(String(e.fields['dw1'])) & 0xffffn]),
      [
        [0n, 1n],
        [1n, 3n],
        [1n, 3n],
        [2n, 2n],
      ],
    );
  });

  it('GICv4.0: an ITS without forwarded interrupts loses the vPEs', () => {
    const names = queued(0, between(v40, 270, 290));
    assert.deepEqual(
      names.filter((name) => name !== 'VSYNC' && name !== 'SYNC'),
      ['DISCARD', 'MAPTI', 'INV', 'VMAPP', 'VMAPP'],
    );
    assert.deepEqual(
      [0, 1].map((its) => value(v40, `its/${its}/vpe/0/valid`)),
      [false, true],
    );
  });

  it('GICv4.1: the vPE is mapped at both at once, and one VMOVP moves it at both', () => {
    const names = [0, 1].map((its) => queued(its, between(v41, 150, 160)));
    assert.deepEqual(
      names.map((one) => one.filter((name) => name === 'VMAPP').length),
      [1, 1],
    );
    const moved = between(v41, 160, 170);
    assert.deepEqual(
      [0, 1].map((its) => queued(its, moved)),
      [['VMOVP', 'VSYNC'], []],
    );
    assert.deepEqual(
      [0, 1].map((its) => value(v41, `its/${its}/vpe/0/target`)),
      [3, 3],
    );
    assert.deepEqual(foundByAll(v41.trace).map(idOf), ['F75']);
  });

  for (const [name, simulation] of [
    ['v4.0', v40],
    ['v4.1', v41],
  ] as const)
    it(`every cause but the refused one is handled once (${name})`, () => {
      const { delivered, dropped, pending, inFlight } = simulation.machine.ledger.tally();
      assert.deepEqual(
        { delivered, dropped, pending, inFlight },
        { delivered: 10, dropped: 1, pending: 0, inFlight: 0 },
      );
    });
});

describe('several ITSs and the rest of the host', () => {
  const platform = { arch: 'arm64', cpus: 4, remap: 'its', its: [{ last: '0x3fff' }, { first: '0x4000' }] };
  const devices = [
    { bdf: NET, name: 'net', vectors: 1 },
    { bdf: DISK, name: 'disk', vectors: 1 },
  ];

  it('a CPU that comes back maps its collection at both (its_cpu_init_collections)', () => {
    const simulation = run({
      platform,
      devices,
      workload: [
        { at: '1ms', op: 'cpu.offline', object: 'cpu/3' },
        { at: '2ms', op: 'cpu.online', object: 'cpu/3' },
      ],
    });
    const later = between(simulation, 2000, 3000);
    for (const its of [0, 1]) assert.deepEqual(queued(its, later), ['MAPC', 'SYNC', 'INVALL', 'SYNC']);
  });

  it('an SMMU maps for each function the page of its own doorbell', () => {
    const simulation = run({ platform: { ...platform, smmu: true }, devices });
    const maps = events(simulation).filter((e) => e.kind === 'smmu.map');
    assert.deepEqual(
      maps.map((e) => [String(e.object).split('/').slice(0, 4).join('/'), BigInt(String(e.fields['output']))]),
      [
        ['smmu/0/stream/0x20', 0x20210000n],
        ['smmu/0/stream/0x4100', 0x20230000n],
      ],
    );
  });

  it('iommufd gives each doorbell a page of the window of software MSI (iommufd_sw_msi)', () => {
    const bdfs = [NET, DISK];
    const simulation = run({
      platform: { ...platform, smmu: true },
      devices: devices.map((one) => ({ ...one, driver: 'none' })),
      iommufd: { devices: bdfs },
      policies: { vmsi: 'rmr', nested: 'no' },
      workload: bdfs.map((bdf, i) => ({
        at: `${i + 1}ms`,
        op: 'iommufd.setIrqs',
        object: `device/${bdf}`,
        vectors: 1,
      })),
    });
    const prepared = events(simulation).filter((e) => e.kind === 'msi.prepare');
    const seen = new Set(prepared.map((e) => `${String(e.fields['doorbell'])} ${String(e.fields['iova'])}`));
    assert.deepEqual([...seen], ['0x20210040 0x8000040', '0x20230040 0x8001040']);
  });

  it('R31 at the ITS that got no VMOVP of a list', () => {
    const map = (its: number): string =>
      `1 its.vmapp its/${its}/vpe/0 target=0 valid=true
       2 its.mapd its/${its}/device/0x8 size=0 itt=0x0 valid=true
       3 its.vmapti its/${its}/device/0x8/event/0 vpe=0 vlpi=8200 doorbell=1023`;
    const move = (its: number): string =>
      `5 its.vmovp its/${its}/vpe/0 target=1 sequence=0 list=0x3
       6 its.cmd its/${its} name=VSYNC text="vPE 0"`;
    const resident = [0, 1].map((its) => `7 vpe.resident its/${its}/vpe/0 cpu=1 resident=true`).join('\n');
    const come = [0, 1].map((its) => `8 its.trans its/${its}/device/0x8/event/0 device=0x8 event=0 size=4`).join('\n');
    const both = made(`${map(0)}\n${map(1)}\n${move(0)}\n${move(1)}\n${resident}\n${come}`);
    assert.deepEqual(judged(both, 'R31').findings, []);
    const one = judged(made(`${map(0)}\n${map(1)}\n${move(0)}\n${resident}\n${come}`), 'R31').findings;
    assert.deepEqual(
      one.map(({ title }) => title),
      ['vPE 0 is resident at CPU 1, and the ITS sends its interrupts to CPU 0'],
    );
    // A VSYNC at one ITS of the list does not complete the move at the other.
    const half = `${map(0)}\n${map(1)}\n${move(0)}\n5 its.vmovp its/1/vpe/0 target=1 sequence=0 list=0x3\n${resident}\n${come}`;
    assert.equal(judged(made(half), 'R31').findings.length, 1);
    // Without a list it does: the ITS told the other.
    const told = half
      .replaceAll(' sequence=0 list=0x3', '')
      .replace(/\n\s*6 its\.cmd.*/, '')
      .replace(resident, `6 its.cmd its/0 name=VSYNC text="vPE 0"\n${resident}`);
    assert.deepEqual(judged(made(told), 'R31').findings, []);
  });
});

describe('platform.its', () => {
  const problems = (its: object[], more: object = {}): string[] => {
    const read = readScenario({
      title: 't',
      description: 'd.',
      platform: { arch: 'arm64', remap: 'its', its, ...more },
      devices: [{ bdf: DISK, name: 'disk', vectors: 1 }],
    });
    return 'length' in read ? (read as { path: string; problem: string }[]).map((p) => `${p.path}: ${p.problem}`) : [];
  };

  it('says which function no ITS serves, and which ITSs serve the same', () => {
    assert.deepEqual(problems([{ last: '0x40ff' }]), [
      'devices.0.bdf: no ITS serves its requester ID, 0x4100 (platform.its)',
    ]);
    assert.deepEqual(problems([{}, { first: '0x4000' }]), [
      'platform.its.1.first: ITS 0 serves some of these requester IDs',
    ]);
    assert.deepEqual(problems([{}], { arch: 'x86', remap: 'vtd' }), [
      'platform.its: only an arm64 host with remap its has ITSs',
    ]);
  });
});
