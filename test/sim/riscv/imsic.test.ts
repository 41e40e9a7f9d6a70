// The IMSIC of a RISC-V host: interrupt files (RISC-V AIA chapter 3), and how an irq moves between harts (domain notes 12).
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { readScenario } from '../../../src/sim/scenario.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { bundled, events, run, start } from '../run.ts';

const NIC = '0000:00:02.0';
const DISK = '0000:00:09.0';
const ENTRY = `device/${NIC}/msix/0`;
/** Pages of QEMU's virt machine with one guest file for each hart, as in the capture riscv-aia. */
const PAGES = ['0x28000000', '0x28002000', '0x28004000', '0x28006000'];

const document = (workload: readonly object[] = [], more: object = {}): object => ({
  platform: { arch: 'riscv64', cpus: 4 },
  devices: [{ bdf: NIC, name: 'nic', vectors: 2, ...more }],
  workload,
});
const ofKind = (simulation: Simulation, kind: string): EventView[] => events(simulation).filter((e) => e.kind === kind);
const text = (simulation: Simulation, kind: string): string[] =>
  ofKind(simulation, kind).map((e) => `${e.object} ${JSON.stringify(e.fields)}`);
const move = (setting: string): Simulation => run(bundled('imsic-move'), { settings: { imsicMove: setting } });
const found = (simulation: Simulation): string[] =>
  checkTrace(simulation.trace, rules).findings.map(
    ({ rule, object }) => `${rule.id} ${simulation.trace.world.path(object)}`,
  );
/** Messages of the disk as it sends them: address and data. */
const sent = (simulation: Simulation): string[] =>
  ofKind(simulation, 'send')
    .filter((e) => e.object === `device/${DISK}/msi`)
    .map((e) => `${e.fields['address']} ${e.fields['data']}`);

describe('IMSIC', () => {
  it('each irq has an identity at a hart; its message is the page of the hart and the identity', () => {
    const sim = run(document([{ at: '1ms', op: 'device.raise', object: ENTRY }]));
    assert.deepEqual(
      ofKind(sim, 'imsic.file').map((e) => e.fields['address']),
      PAGES,
    );
    // Identity 0 never exists, 1 is that of interrupts between harts.
    assert.deepEqual(text(sim, 'imsic.vector'), ['irq/24 {"cpu":0,"identity":2}', 'irq/25 {"cpu":1,"identity":2}']);
    assert.deepEqual(
      ofKind(sim, 'msg.write').map((e) => [e.fields['address'], e.fields['data']]),
      [
        ['0x28000000', '0x2'],
        ['0x28002000', '0x2'],
      ],
    );
    const life = events(sim).filter((e) => e.object === 'cpu/0/imsic/2');
    assert.deepEqual(
      life.map((e) => e.kind),
      ['imsic.enable', 'imsic.pend', 'imsic.claim'],
    );
    assert.equal(sim.machine.ledger.tally().delivered, 1);
  });

  it('domains have the names of Linux: a base, and one for each function', () => {
    const sim = run(document());
    const made = ofKind(sim, 'dom.create').map((e) => [e.object, e.fields['parent']]);
    assert.deepEqual(made, [
      ['domain/IMSIC-BASE', undefined],
      [`domain/PCI-MSIX-${NIC}`, 'IMSIC-BASE'],
    ]);
  });

  it('what is pending and held back waits; the lowest identity is claimed first', () => {
    const sim = start(document());
    sim.run();
    const say = (operation: object): void => assert.equal(sim.perform(operation as never), undefined);
    say({ op: 'imsic.configure', object: 'cpu/0/imsic', delivery: false });
    say({ op: 'imsic.write', object: 'cpu/0/imsic', identity: 2 });
    say({ op: 'imsic.write', object: 'cpu/0/imsic', identity: 1 });
    sim.run();
    assert.equal(pathValue(sim.machine.state, 'cpu/0/imsic/2/requested'), true);
    assert.equal(ofKind(sim, 'imsic.claim').length, 0);
    // eithreshold 2 holds identities of 2 and above back.
    say({ op: 'imsic.configure', object: 'cpu/0/imsic', threshold: 2 });
    sim.run();
    assert.deepEqual(
      ofKind(sim, 'imsic.claim').map((e) => e.object),
      ['cpu/0/imsic/1'],
    );
    say({ op: 'imsic.configure', object: 'cpu/0/imsic' });
    sim.run();
    assert.deepEqual(
      ofKind(sim, 'imsic.claim').map((e) => e.object),
      ['cpu/0/imsic/1', 'cpu/0/imsic/2'],
    );
  });

  it('a value that is no identity is ignored', () => {
    const sim = start(document());
    for (const identity of [0, 256])
      assert.equal(sim.perform({ op: 'imsic.write', object: 'cpu/0/imsic', identity }), undefined);
    sim.run();
    assert.equal(ofKind(sim, 'imsic.pend').length, 0);
    assert.equal(ofKind(sim, 'drop').length, 2);
  });

  it('a hart goes offline: its irqs move, and what pends there goes with them', () => {
    const sim = run(
      document([
        { at: '1ms', op: 'cpu.offline', object: 'cpu/0' },
        { at: '3ms', op: 'device.raise', object: ENTRY },
      ]),
    );
    assert.equal(sim.machine.ledger.tally().delivered, 1);
    assert.notEqual(pathValue(sim.machine.state, 'irq/24/cpu'), 0);
    assert.deepEqual(found(sim), []);
  });

  it('scenarios with what such a host lacks are refused', () => {
    for (const more of [
      { platform: { arch: 'riscv64', remap: 'vtd' } },
      { platform: { arch: 'riscv64', smmu: true } },
      { platform: { arch: 'riscv64' }, vms: [{ id: 1 }] },
    ])
      assert.ok('length' in readScenario({ title: 't', description: 'd', ...more }), JSON.stringify(more));
  });
});

describe('a move between harts', () => {
  it('goes over the old page with the new identity: no message is lost (two writes, domain notes 12)', () => {
    const sim = move('stepwise');
    const writes = ofKind(sim, 'msg.write').filter((e) => e.object === 'irq/26' && e.fields['by'] === 'move');
    assert.deepEqual(
      writes.map((e) => `${e.fields['address']} ${e.fields['data']}`),
      ['0x28004000 0x3', '0x28000000 0x3', '0x28000000 0x2', '0x28006000 0x2'],
    );
    // Each message that the disk sent is one that was composed.
    const composed = new Set(ofKind(sim, 'msg.write').map((e) => `${e.fields['address']} ${e.fields['data']}`));
    assert.deepEqual(
      sent(sim).filter((message) => !composed.has(message)),
      [],
    );
    assert.equal(sim.machine.ledger.tally().delivered, 9);
    assert.deepEqual(found(sim), []);
  });

  it('takes back what pends for the temporary identity, and raises the irq that has it as well', () => {
    const sim = move('stepwise');
    const back = ofKind(sim, 'imsic.pend').filter((e) => e.fields['pending'] === false);
    assert.deepEqual(
      back.map((e) => e.object),
      ['cpu/2/imsic/3', 'cpu/0/imsic/2'],
    );
    // Identity 2 at hart 0 is that of nic-0: its handler runs once for nothing.
    assert.equal(pathValue(sim.machine.state, 'irq/24/handled'), 3);
    assert.equal(pathValue(sim.machine.state, 'irq/26/handled'), 5);
  });

  it('frees the old identity when nothing can pend there any more', () => {
    for (const setting of ['stepwise', 'direct']) {
      const sim = move(setting);
      const freed = text(sim, 'imsic.free').filter((line) => line.startsWith('irq/26'));
      assert.deepEqual(
        freed,
        ['irq/26 {"cpu":2,"identity":2,"moved":true}', 'irq/26 {"cpu":0,"identity":3,"moved":true}'],
        setting,
      );
      assert.equal(pathValue(sim.machine.state, 'irq/26/moving'), false, setting);
    }
  });

  it('in one pass loses what the disk sends in between: once to the handler of another irq, once to nobody', () => {
    const sim = move('direct');
    const composed = new Set(ofKind(sim, 'msg.write').map((e) => `${e.fields['address']} ${e.fields['data']}`));
    assert.deepEqual(
      sent(sim).filter((message) => !composed.has(message)),
      ['0x28006000 0x3'],
    );
    assert.equal(pathValue(sim.machine.state, 'irq/26/handled'), 3);
    assert.equal(sim.machine.ledger.standing(7), 'pending');
    assert.deepEqual(found(sim), [
      `F05 device/${DISK}/msi`,
      'R26 cpu/0/imsic/2',
      `F05 device/${DISK}/msi`,
      'R26 device/0000:00:09.0/msi',
    ]);
  });

  it('that is asked for while another one is not over waits: EBUSY', () => {
    const at = (time: string, cpu: number): object => ({ at: time, op: 'irq.affinity', object: 'irq/24', cpus: [cpu] });
    const sim = run({ ...document([at('1ms', 2), at('1100us', 3)]), policies: { imsicMove: 'direct' } });
    assert.deepEqual(
      ofKind(sim, 'irq.affinity').map((e) => e.fields['ret']),
      [undefined, undefined, -16],
    );
  });

  it('of a function whose entry is masked loses nothing in one pass either', () => {
    const sim = move('direct');
    assert.equal(pathValue(sim.machine.state, 'irq/25/handled'), 2);
  });
});
