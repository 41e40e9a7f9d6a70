// Interrupt handles of an IDXD device, which it can revoke: what the driver does then, and what is lost.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import type { EventView } from '../../../src/query/events.ts';
import { bundled, events, run } from '../run.ts';

const FN = '0000:6a:01.0';
const ofKind = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);

describe('interrupt handles that the device revokes', () => {
  const KERNEL = `device/${FN}/queue/0`;
  const PROCESS = `device/${FN}/queue/1`;
  const outcome = (handleCommand: string) => {
    const sim = run(bundled('handle-revocation'), { settings: { handleCommand } });
    const all = events(sim);
    const at = (kind: string): number => all.findIndex((e) => e.kind === kind);
    const requested = ofKind(all, 'handle.request').map((e) => [e.object, e.fields['command'], e.fields['index']]);
    const failed = (queue: string) =>
      ofKind(all, 'qd.complete').filter((e) => e.object === queue && e.fields['status'] === '0x19').length;
    const { delivered, merged, dropped } = sim.machine.ledger.tally();
    assert.deepEqual(sim.machine.ledger.twice, []);
    assert.equal(delivered + merged + dropped, sim.machine.ledger.causes);
    return { sim, all, at, requested, failed, dropped };
  };

  it('are requested again; a queue of the kernel stops, changes and drains with the new handle (idxd_int_handle_revoke)', () => {
    const { all, at, requested, failed, dropped } = outcome('other');
    // CMD: command 13 in bits 24:20, bit 16 for IMS, the entry in bits 15:0.
    const command = (index: number): string => `0x${(13 * 2 ** 20 + 2 ** 16 + index).toString(16)}`;
    assert.deepEqual(requested, [
      [`device/${FN}/handle/0`, command(0), 0],
      [`device/${FN}/handle/1`, command(1), 1],
      [`device/${FN}/handle/256`, command(0), 0],
      [`device/${FN}/handle/257`, command(1), 1],
    ]);
    assert.equal(all[at('handle.revoke')]!.fields['intcause'], '0x80000000');
    assert.ok(failed(KERNEL) > 0 && failed(PROCESS) > 0);
    // What failed of the kernel's queue is submitted again; of the process each is lost.
    assert.equal(dropped, failed(PROCESS));
    const stopped = all.findIndex((e) => e.kind === 'handle.request' && e.object.endsWith('/256'));
    const restarted = all.findIndex((e) => e.kind === 'qd.submit' && e.fields['handle'] === 256);
    assert.ok(stopped >= 0 && restarted > stopped, 'the handle is requested, then used');
    const between = all.slice(stopped, restarted).filter((e) => e.kind === 'qd.submit' && e.object === KERNEL);
    assert.deepEqual(between, [], 'nothing is submitted while the queue is stopped');
    const named = all.slice(restarted).filter((e) => e.kind === 'qd.submit' && e.object === KERNEL);
    assert.deepEqual([...new Set(named.map((e) => e.fields['handle']))], [256]);
  });

  it('may be granted under the same number: nothing stops', () => {
    const { requested, failed, dropped } = outcome('same');
    assert.deepEqual(
      requested.map(([handle]) => String(handle).split('/').at(-1)),
      ['0', '1', '0', '1'],
    );
    assert.equal(dropped, failed(PROCESS));
  });

  it('are lost for good where the device has no command to request them', () => {
    const { all, requested, failed, dropped } = outcome('absent');
    assert.deepEqual(requested, []);
    assert.equal(ofKind(all, 'message').length, 1);
    assert.equal(dropped, failed(KERNEL) + failed(PROCESS));
    const revoked = all.findIndex((e) => e.kind === 'handle.revoke');
    assert.ok(revoked >= 0);
    const after = all.slice(revoked);
    assert.deepEqual([...new Set(ofKind(after, 'qd.complete').map((e) => e.fields['status']))], ['0x19']);
  });

  it('F64 names the revocation', () => {
    const { sim } = outcome('other');
    const found = checkTrace(sim.trace, rules).findings.filter(({ rule }) => rule.id === 'F64');
    assert.ok(found.length > 0);
    for (const { text } of found) assert.match(text, /The device revoked its handles [\d.]+ [µmn]?s before/);
  });

  it('a queue that is destroyed meanwhile ends the run: what failed there is lost, and nothing is submitted again for ever', () => {
    const destroy = { at: '420us', op: 'queue.destroy', object: KERNEL };
    const document = bundled('handle-revocation') as { workload: object[] };
    const sim = run(
      { ...document, workload: [...document.workload, destroy] },
      { settings: { handleCommand: 'other' } },
    );
    assert.ok(sim.finished);
    const { delivered, merged, dropped, inFlight, pending } = sim.machine.ledger.tally();
    assert.equal(delivered + merged + dropped, sim.machine.ledger.causes);
    assert.deepEqual([inFlight, pending], [0, 0]);
    assert.ok(ofKind(events(sim), 'qd.complete').some((e) => e.object === KERNEL && e.fields['status'] === '0x19'));
    const gone = ofKind(events(sim), 'drop').filter((e) => /queue went away/.test(String(e.fields['reason'])));
    assert.equal(
      gone.length,
      ofKind(events(sim), 'qd.complete').filter((e) => e.object === KERNEL && e.fields['status'] === '0x19').length,
    );
  });
});
