import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { at, entry, exits, machine, of, since } from './seed2-machine.ts';

const COUNT = 8;
const storm = Array.from({ length: COUNT }, (_, i) => at(i * 100, 'device.raise', entry(1)));
const run = (msixOwner: string): ReturnType<typeof since> => since(machine({ msixOwner }, storm, { maskEach: true }));

describe('S2: what masking costs', () => {
  it('S2-42 the rate of mask toggles follows the rate of interrupts', () => {
    const all = run('user');
    const masks = of(all, 'tbl.write').filter((e) => e.fields.offset === '0xc' && e.fields.value === '0x1');
    assert.equal(of(all, 'irq.entry').length, COUNT);
    assert.equal(masks.length, COUNT);
  });

  it('S2-43 every mask operation is a write and the read that flushes it: four exits for an interrupt', () => {
    const all = run('user');
    assert.deepEqual(
      of(all, 'tbl.write', 'tbl.read').map((e) => e.kind),
      Array.from({ length: COUNT }, () => ['tbl.write', 'tbl.read', 'tbl.write', 'tbl.read']).flat(),
    );
    assert.equal(exits(all), 4 * COUNT);
    // A toggle of one bit, write and read: two.
    const one = [at(0, 'guest.write', entry(0), { offset: 12, value: '0x1' }), at(20, 'guest.read', entry(0))];
    assert.equal(exits(since(machine({}, one))), 2);
  });

  it('S2-43 the read that flushes is one of entry 0, whatever entry is masked; since 5.15 an unmask has none', () => {
    const shapes = (flush: string): unknown[] => {
      const device = { maskEach: true };
      const all = since(machine({ 'guest.flushRead': flush }, [at(0, 'device.raise', entry(1))], device));
      return of(all, 'tbl.write', 'tbl.read').map((e) => [e.kind, e.object.split('/').at(-1), e.fields.offset]);
    };
    const write = ['tbl.write', '1', '0xc'];
    const flush = ['tbl.read', '0', '0x0'];
    const own = ['tbl.read', '1', '0xc'];
    assert.deepEqual(shapes('both'), [write, flush, write, flush]);
    assert.deepEqual(shapes('mask'), [write, flush, write]);
    assert.deepEqual(shapes('own'), [write, own, own, write, own, own]);
  });

  it('S2-44 with mask writes and that read accelerated no exit is left; with mask writes alone half of them', () => {
    for (const msixOwner of ['maskBit', 'perEntry', 'cache', 'kernel', 'umem', 'internal']) {
      const all = run(msixOwner);
      // The first dword of the table is none of vector control: who owns only that does not serve the read.
      assert.equal(exits(all), msixOwner === 'maskBit' ? 2 * COUNT : 0, msixOwner);
      // The virtual CPU still traps: KVM serves it without the VMM.
      assert.equal(of(all, 'kvm.exit').filter((e) => e.fields.reason === 'EPT_MISCONFIG').length, 4 * COUNT);
      assert.equal(of(all, 'irq.entry').length, COUNT);
    }
  });
});
