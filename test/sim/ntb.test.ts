// A peer behind an NTB raises interrupts of this side with a copy of their messages.
import assert from 'node:assert/strict';
import type { EventView } from '../../src/query/events.ts';
import { pathValue } from '../../src/query/state.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run, start } from './run.ts';

const COPY = 'ntb/0000:17:00.0/peer/0/desc/1';
const MOVED = { ntbPublish: 'onWrite' };

const ofKind = (all: readonly EventView[], kind: string, object?: string): EventView[] =>
  all.filter((e) => e.kind === kind && (object === undefined || e.object === object));

/** Which irq handled the interrupt of each trigger, in order; null: none did. */
function handlers(all: readonly EventView[]): (string | null)[] {
  return ofKind(all, 'ntb.trigger').map((trigger, i, list) => {
    const until = list[i + 1]?.step ?? all.length;
    const { cause } = trigger.fields;
    const accepted = all.find((e) => e.kind === 'cpu.accept' && e.fields['cause'] === cause);
    assert.ok(accepted, `trigger ${i} reached a CPU`);
    return all.find((e) => e.kind === 'irq.entry' && e.step > accepted.step && e.step < until)?.object ?? null;
  });
}

describe('NTB', () => {
  it('S1-1 every message write of a shared descriptor is published before the previous vector is freed', () => {
    const sim = run(bundled('ntb-stale-message'), { settings: MOVED });
    const all = events(sim);
    const shared = ofKind(all, 'ntb.publish', COPY)[0]!;
    // Offset from 0xfee00000, the base of the window: destination CPU 1 in bits 19:12; data is the vector.
    assert.deepEqual([shared.fields['virq'], shared.fields['offset'], shared.fields['data']], [25, '0x1000', '0x20']);
    const writes = ofKind(all, 'msg.write', 'irq/25').filter((e) => e.step > shared.step);
    assert.equal(writes.length, 1);
    for (const write of writes) {
      const told = ofKind(all, 'ntb.publish', COPY).find((e) => e.step > write.step)!;
      const offset = Number(BigInt(String(write.fields['address'])) - 0xfee00000n);
      assert.equal(Number(told.fields['offset']), offset);
      assert.equal(told.fields['data'], write.fields['data']);
      const freed = ofKind(all, 'vec.freeMoved', 'irq/25').find((e) => e.step > write.step)!;
      assert.ok(told.step < freed.step, 'INV-PUB');
    }
    assert.deepEqual(handlers(all), ['irq/25', 'irq/25', 'irq/25', 'irq/25']);
  });

  it('S1-1 a peer that is not told reaches first nothing, then another interrupt (F69)', () => {
    const sim = run(bundled('ntb-stale-message'));
    const all = events(sim);
    assert.equal(ofKind(all, 'ntb.publish').length, 1);
    assert.deepEqual(handlers(all), ['irq/25', 'irq/25', null, 'irq/29']);
    assert.equal(pathValue(sim.machine.state, `${COPY}/offset`), '0x1000');
    assert.equal(pathValue(sim.machine.state, 'irq/25/address'), '0xfee00000');
    const [drop] = ofKind(all, 'drop');
    assert.equal(drop?.fields['reason'], 'no irq handler for vector');
    assert.deepEqual(sim.machine.ledger.twice, []);
  });

  it('S1-1 with remapping the message stays as it was: nobody has to be told', () => {
    const document = { ...bundled('ntb-stale-message'), platform: { cpus: 2, remap: 'vtd' } };
    const sim = run(document);
    const all = events(sim);
    const shared = ofKind(all, 'ntb.publish')[0]!;
    assert.deepEqual(
      ofKind(all, 'msg.write', 'irq/25').filter((e) => e.step > shared.step),
      [],
    );
    assert.equal(ofKind(all, 'vec.update', 'irq/25').filter((e) => e.step > shared.step).length, 1);
    assert.deepEqual(handlers(all), ['irq/25', 'irq/25', 'irq/25', 'irq/25']);
  });

  it('the peer triggers with the requester ID of the bridge, and only what it was told', () => {
    const sim = start(bundled('ntb-stale-message'));
    assert.match(sim.perform({ op: 'ntb.trigger', object: COPY }) ?? '', /told nothing/);
    assert.match(sim.perform({ op: 'ntb.share', object: 'device/0000:03:00.0', index: 0 }) ?? '', /no NTB/);
    sim.run();
    const sent = ofKind(events(sim), 'send', COPY);
    assert.equal(sent.length, 4);
    // 17:00.0.
    for (const e of sent) assert.equal(e.fields['requester'], '0x1700');
  });

  it('every peer has its own copy', () => {
    const document = bundled('ntb-stale-message') as { devices: readonly object[] };
    const devices = [{ ...document.devices[0], ntb: { peers: 3 } }, ...document.devices.slice(1)];
    const sim: Simulation = run({ ...document, devices }, { settings: MOVED });
    for (const peer of [0, 1, 2]) {
      const path = `ntb/0000:17:00.0/peer/${peer}/desc/1`;
      assert.equal(pathValue(sim.machine.state, `${path}/publications`), 2);
      assert.equal(pathValue(sim.machine.state, `${path}/triggers`), peer === 0 ? 4 : 0);
    }
  });
});
