// Posted MSI of the host: arch/x86/kernel/irq.c sysvec_posted_msi_notification, VT-d 9.11 and 9.12 for entry and descriptor.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { pathValue } from '../../../src/query/state.ts';
import { bundled, events, run } from '../run.ts';

const DOC = bundled('posted-msi');
const us = (time: string | null): number => Number(time) * 1e6;

describe('simulator: posted MSI of the host', () => {
  const sim = run(DOC);
  const all = events(sim);
  const between = (from: number, to: number) => all.filter((e) => us(e.time) >= from && us(e.time) < to);

  it('entries are of the posted kind and name the descriptor of the CPU', () => {
    const write = all.findLast((e) => e.kind === 'irte.write' && e.object === 'irte/dmar0/24');
    // Descriptor of CPU 1 at 0x160000040: bits 31:6 of it in 63:38, bits 63:32 in 127:96; bit 15 posted, bit 0 present.
    const value = BigInt(write?.fields['value'] as string);
    assert.equal(value & 0x8001n, 0x8001n);
    assert.deepEqual([value >> 96n, (value >> 38n) & 0x3ffffffn], [1n, 0x60000040n >> 6n]);
    assert.ok(
      all.some((e) => e.kind === 'pi.write' && e.object === 'cpu/1/pi' && e.fields['control'] === '0x10000eb0000'),
    );
  });

  it('the first message notifies with vector 0xeb, the others while ON is set only set bits', () => {
    const posts = between(210, 211).filter((e) => e.kind === 'pi.post' && e.fields['set'] === true);
    assert.deepEqual(
      posts.map((e) => e.fields['notified']),
      [true, false, false, false],
    );
    assert.deepEqual(
      all.filter((e) => e.kind === 'cpu.accept' && us(e.time) > 200).map((e) => e.object),
      [...Array(5).fill('cpu/0/vector/235'), 'cpu/1/vector/235'],
    );
  });

  it('the handler serves all, looks again for what came meanwhile, clears ON, and ends with one EOI', () => {
    const kinds = between(210.5, 219).map((e) => e.kind);
    assert.equal(kinds.filter((kind) => kind === 'irq.entry').length, 5);
    assert.equal(kinds.filter((kind) => kind === 'cpu.eoi').length, 1);
    assert.ok(kinds.lastIndexOf('irq.exit') < kinds.indexOf('pi.write'));
    assert.ok(kinds.indexOf('pi.write') < kinds.indexOf('cpu.eoi'));
    const eoi = between(210.5, 219).find((e) => e.kind === 'cpu.eoi');
    assert.equal(eoi?.object, 'cpu/0/vector/235');
  });

  it('after a move the interrupt comes by the descriptor of the other CPU', () => {
    assert.deepEqual(
      between(320, 330)
        .filter((e) => e.kind === 'pi.post' || e.kind === 'irq.entry')
        .map((e) => e.object),
      ['cpu/1/pi', 'cpu/1/pi', 'irq/24'],
    );
  });

  it('a second cause of one vector merges in the PIR', () => {
    const RAISE = { op: 'device.raise', object: 'device/0000:03:00.0/msix/0' };
    const twice = run({ ...DOC, workload: [{ at: '200us', ...RAISE, every: '50ns', times: 2 }] });
    const { delivered, merged } = twice.machine.ledger.tally();
    assert.deepEqual([delivered, merged], [1, 1]);
    assert.equal(pathValue(twice.trace.head, 'irq/24/handled'), 1);
  });

  it('every cause is delivered, with posted MSI and without, and no rule finds anything', () => {
    for (const setting of ['on', 'off']) {
      const one = run(DOC, { settings: { 'host.postedMsi': setting } });
      assert.equal(one.machine.ledger.tally().delivered, 26, setting);
      assert.deepEqual(one.machine.ledger.twice, []);
      assert.deepEqual(checkTrace(one.trace, rules).findings, [], setting);
    }
  });
});
