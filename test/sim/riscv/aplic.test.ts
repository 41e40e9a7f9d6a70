// The APLIC of a RISC-V host in MSI delivery mode (RISC-V AIA chapter 4): wires become messages, and what a level needs to be sent again.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import type { EventView } from '../../../src/query/events.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { bundled, events, run } from '../run.ts';

const UART = '0000:00:03.0';
const FN = `device/${UART}`;
const SOURCE = 'aplic/0/source/32';
const KINDS = ['aplic.line', 'aplic.pend', 'aplic.send', 'imsic.claim', 'irq.exit'];

const document = (workload: readonly object[], more: object = {}): object => ({
  platform: { arch: 'riscv64', cpus: 4 },
  devices: [{ bdf: UART, name: 'uart', vectors: 0, intx: true, ...more }],
  workload,
});
const raise = (at: string, more: object = {}): object => ({ at, op: 'intx.raise', object: FN, ...more });
const source = (at: string, op: string, more: object = {}): object => ({ at, op, object: SOURCE, ...more });
const level = (simulation: Simulation, from = 0): EventView[] =>
  events(simulation).filter((e) => Number(e.time) * 1e6 >= from);
/** What happens to the source from a time (microseconds) on, short. */
const story = (simulation: Simulation, from: number): string[] =>
  level(simulation, from)
    .filter((e) => KINDS.includes(e.kind))
    .map(({ kind, fields }) => {
      const { input, pending, by } = fields;
      return [kind, input, pending, by].filter((part) => part !== undefined).join(' ');
    });
const found = (simulation: Simulation): string[] =>
  checkTrace(simulation.trace, rules).findings.map(
    ({ rule, object }) => `${rule.id} ${simulation.trace.world.path(object)}`,
  );

const RISE = ['aplic.line true', 'aplic.pend true line', 'aplic.send'];
const AGAIN = ['aplic.pend true setipnum', 'aplic.send'];

describe('APLIC', () => {
  it('sends a rise of a level once; at the end of the interrupt nothing is sent for a wire that fell', () => {
    const simulation = run(document([raise('1ms')]));
    assert.deepEqual(story(simulation, 900), [...RISE, 'imsic.claim', 'aplic.line false', 'irq.exit']);
    assert.equal(simulation.machine.ledger.tally().delivered, 1);
    assert.deepEqual(found(simulation), []);
  });

  it('is told mode, target and enable by the kernel as the registers have them', () => {
    const simulation = run(document([]));
    const of = (kind: string): unknown[] =>
      level(simulation)
        .filter((e) => e.kind === kind)
        .map((e) => e.fields);
    // AIA 4.5.1: 0x80 in 31:24, IE bit 8, DM bit 2; 4.5.2: SM 6 is Level1; 4.5.16: hart index in 31:18, EIID in 10:0.
    assert.deepEqual(of('aplic.domain'), [{ config: '0x80000104' }]);
    assert.deepEqual(of('aplic.source'), [{ config: '0x6' }]);
    assert.deepEqual(of('aplic.target'), [{ target: '0x2' }]);
    assert.deepEqual(of('aplic.enable'), [{ enabled: true }]);
  });

  it('sends again by setipnum while the level is up behind the handler', () => {
    const simulation = run(document([raise('1ms', { every: '100ns', times: 2 })], { budget: 1 }));
    assert.deepEqual(story(simulation, 900), [
      ...RISE,
      'imsic.claim',
      'irq.exit',
      ...AGAIN,
      'imsic.claim',
      'aplic.line false',
      'irq.exit',
    ]);
    assert.equal(simulation.machine.ledger.tally().delivered, 2);
  });

  it('without the write of setipnum a level that is up is never sent again, and further causes make no edge', () => {
    const work = [raise('1ms', { every: '100ns', times: 2 }), raise('3ms'), raise('9ms')];
    const simulation = run(document(work, { budget: 1 }), { settings: { aplicRetrigger: 'never' } });
    assert.deepEqual(story(simulation, 900), [...RISE, 'imsic.claim', 'irq.exit']);
    assert.equal(simulation.machine.ledger.tally().delivered, 1);
    assert.deepEqual(found(simulation), [`R27 ${SOURCE}`]);
  });

  it('keeps pending what rises at a source that is not enabled, and drops that when the wire falls', () => {
    const off = source('1ms', 'aplic.enable', { enabled: false });
    const waits = run(document([off, raise('2ms'), source('3ms', 'aplic.enable')]));
    assert.deepEqual(story(waits, 900).slice(0, 4), [...RISE, 'imsic.claim']);
    const falls = run(
      document([
        off,
        source('2ms', 'aplic.line'),
        source('3ms', 'aplic.line', { level: false }),
        source('4ms', 'aplic.enable'),
      ]),
    );
    assert.deepEqual(story(falls, 900), [
      'aplic.line true',
      'aplic.pend true line',
      'aplic.line false',
      'aplic.pend false line',
    ]);
  });

  it('takes setipnum of a level only while the wire is up', () => {
    assert.deepEqual(story(run(document([source('1ms', 'aplic.setip')])), 900), []);
  });

  it('moves with one write of target, at once', () => {
    const simulation = run(document([{ at: '1ms', op: 'irq.affinity', object: 'irq/24', cpus: [2] }, raise('2ms')]));
    const targets = level(simulation, 900).filter((e) => e.kind === 'aplic.target');
    assert.deepEqual(
      targets.map((e) => e.fields),
      [{ target: '0x80002' }],
    );
    assert.deepEqual(
      level(simulation, 900)
        .filter((e) => e.kind === 'irq.affinity')
        .map((e) => e.fields['deferred']),
      [undefined],
    );
    assert.deepEqual(
      level(simulation, 1900)
        .filter((e) => e.kind === 'imsic.claim')
        .map((e) => e.object),
      ['cpu/2/imsic/2'],
    );
  });

  it('is there where a function is wired to it, and its sources are 1 to 96', () => {
    const lines = (object: string, more: object): number =>
      events(run(document([{ at: '1ms', op: 'aplic.line', object }], more))).filter((e) =>
        e.kind.startsWith('aplic.line'),
      ).length;
    assert.equal(lines(SOURCE, { intx: false, vectors: 1 }), 0);
    assert.equal(lines('aplic/0/source/97', {}), 0);
  });

  it('the scenario is sound with eoi; with never its level stays up', () => {
    assert.deepEqual(found(run(bundled('aplic-level'))), []);
    assert.deepEqual(found(run(bundled('aplic-level'), { settings: { aplicRetrigger: 'never' } })), [`R27 ${SOURCE}`]);
  });
});
