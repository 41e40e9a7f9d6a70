// Rules that a scenario watches: silent where they hold, loud where they are broken on purpose.
import assert from 'node:assert/strict';
import { msgSend, tblWrite } from '../../src/model/events/msix.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { events, run } from './run.ts';

const ENTRY = 'device/0000:03:00.0/msix/1';
const document = {
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
  watch: ['I-P1', 'I-P2', 'I-P3', 'I-P4', 'INV-DECODE'],
  workload: [
    { at: '100us', op: 'device.raise', object: ENTRY },
    { at: '120us', op: 'entry.mask', object: ENTRY },
    { at: '121us', op: 'device.raise', object: ENTRY },
    { at: '125us', op: 'entry.unmask', object: ENTRY },
    { at: '140us', op: 'entry.mask', object: ENTRY },
  ],
};

const breaches = (simulation: Simulation): unknown[] =>
  events(simulation)
    .filter((e) => e.kind === 'illegal')
    .map((e) => e.fields['rule']);

describe('watched rules', () => {
  it('say nothing of a run in which they hold', () => {
    const simulation = run(document);
    assert.deepEqual(breaches(simulation), []);
    assert.equal(events(simulation).filter((e) => e.kind === 'send').length, 2);
  });

  it('I-P1 and I-P4: a message of a masked entry, and one without a cause', () => {
    const simulation = run(document);
    const { machine } = simulation;
    const entry = machine.world.object(msixEntry, ENTRY);
    machine.emit(msgSend, entry, { address: 0xfee00000, data: 0x21 });
    assert.deepEqual(breaches(simulation), ['I-P1', 'I-P4']);
  });

  it('I-P3: after an unmask with a pending bit something else comes than the message', () => {
    const simulation = run({ ...document, workload: document.workload.slice(0, 3) });
    const { machine } = simulation;
    const entry = machine.world.object(msixEntry, ENTRY);
    assert.equal(machine.state.flag(entry, msixEntry.at.pending), true);
    machine.emit(tblWrite, entry, { offset: 12, size: 4, value: 0 });
    machine.emit(tblWrite, entry, { offset: 8, size: 4, value: 5 });
    assert.deepEqual(breaches(simulation), ['I-P3']);
  });

  it('INV-DECODE: a table that answers while memory decode is off', () => {
    const workload = [
      { at: '100us', op: 'device.command', object: 'device/0000:03:00.0', memory: false, busMaster: true },
    ];
    const simulation = run({ ...document, workload });
    const { machine } = simulation;
    machine.emit(tblWrite, machine.world.object(msixEntry, ENTRY), { offset: 8, size: 4, value: 5 });
    assert.deepEqual(breaches(simulation), ['INV-DECODE']);
  });

  it('only those that the scenario names', () => {
    const simulation = run({ ...document, watch: ['I-P4'] });
    const { machine } = simulation;
    machine.emit(msgSend, machine.world.object(msixEntry, ENTRY), { address: 0xfee00000, data: 0x21 });
    assert.deepEqual(breaches(simulation), ['I-P4']);
  });
});
