import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Random } from '../../../src/base/random.ts';
import * as design from '../../../src/sim/kvm/policies.ts';
import { at, booksBalance, DEVICE, entry, exits, machine, of, rules, since } from './seed2-machine.ts';

const owners = design.msixOwner.values.map((v) => v.value);
const values = (policy: { readonly values: readonly { readonly value: string }[] }): string[] =>
  policy.values.map((v) => v.value);

/** A guest that does anything to its table, and a device that raises meanwhile. It ends unmasked and quiet. */
function anything(seed: number): object[] {
  const random = new Random(seed);
  const below = (n: number): number => Math.floor(random.fraction() * n);
  const work: object[] = [];
  for (let i = 0; i < 40; i++) {
    const us = i * 15 + below(10);
    const to = entry(below(2));
    const kinds = [
      () => at(us, 'device.raise', to),
      () => at(us, 'device.withdraw', to),
      () => at(us, 'guest.toggle', to),
      () => at(us, 'guest.write', to, { offset: 12, value: below(2) === 0 ? '0x0' : '0x1' }),
      () => at(us, 'guest.write', to, { offset: below(16), size: [1, 2, 4, 8][below(4)], value: '0x1' }),
      () => at(us, 'guest.read', to, { offset: 4 * below(4), size: 4 }),
      () => at(us, 'guest.pba.read', DEVICE),
      () => at(us, 'guest.control', DEVICE, { enable: true, fmask: below(2) === 0 }),
      () => at(us, 'guest.command', DEVICE, { memory: below(4) > 0 }),
      () => at(us, 'vm.migrate', 'kvm/0'),
    ];
    work.push(kinds[below(kinds.length)]!());
  }
  const end = 1000;
  work.push(
    at(end, 'guest.command', DEVICE, { memory: true }),
    at(end + 50, 'guest.control', DEVICE, { enable: true }),
  );
  for (const i of [0, 1]) {
    const message = [`0xfee0${i}000`, '0x0', '0x21', '0x0'];
    for (const [n, value] of ['0x1', ...message].entries())
      work.push(
        at(end + 100 + i * 100 + n * 15, 'guest.write', entry(i), { offset: n === 0 ? 12 : 4 * (n - 1), value }),
      );
  }
  return work;
}

describe('S2: all designs at once', () => {
  it('S2-22 whatever the guest does, under every design and source every cause ends once', () => {
    let runs = 0;
    for (const msixOwner of owners)
      for (const source of ['userspace', 'irqfd', 'vhost', 'hostirq'] as const)
        for (const pbaRead of values(design.pbaRead))
          for (let seed = 1; seed <= 4; seed++) {
            const settings = {
              msixOwner,
              pbaRead,
              msixNotify: values(design.msixNotify)[seed % 3]!,
              qwordSplit: values(design.qwordSplit)[seed % 2]!,
              defineTable: values(design.defineTable)[(seed >> 1) % 2]!,
              irqfdTarget: values(design.irqfdTarget)[(seed >> 1) % 2]!,
            };
            const sim = machine(settings, anything(seed * 7919), { source });
            const text = JSON.stringify({ ...settings, source, seed });
            assert.ok(booksBalance(sim), text);
            assert.equal(sim.machine.ledger.tally().untold, 0, text);
            const broken = rules(since(sim)).filter((rule) => /INV-(FLUSH|DECODE|CACHEEQ)/.test(String(rule)));
            // Without notification the cache goes stale, which is what it is there to show.
            if (settings.msixNotify !== 'none') {
              assert.deepEqual(broken, [], text);
              const { inFlight, pending } = sim.machine.ledger.tally();
              assert.deepEqual([inFlight, pending], [0, 0], text);
            }
            runs++;
          }
    assert.equal(runs, 7 * 4 * 3 * 4);
  });

  // What each design serves without the VMM: message write, mask write, read of a message, read of the pending bits (S2-8 to S2-32, S2-57).
  const CAPABILITIES: Readonly<Record<string, readonly [number, number, number, number]>> = {
    user: [1, 1, 1, 1],
    maskBit: [1, 0, 1, 0],
    perEntry: [1, 0, 0, 0],
    cache: [1, 0, 0, 0],
    kernel: [1, 0, 0, 0],
    umem: [1, 0, 0, 0],
    internal: [0, 0, 0, 0],
  };

  it('S2-22 the matrix of capabilities: what each design still returns to the VMM, for every source of interrupts', () => {
    assert.deepEqual(Object.keys(CAPABILITIES).sort(), [...owners].sort());
    const work = [
      at(0, 'guest.write', entry(0), { offset: 8, value: '0x21' }),
      at(50, 'guest.write', entry(0), { offset: 12, value: '0x1' }),
      at(100, 'guest.read', entry(0), { offset: 8 }),
      at(150, 'guest.pba.read', DEVICE),
    ];
    for (const [msixOwner, expected] of Object.entries(CAPABILITIES))
      for (const source of ['userspace', 'irqfd', 'vhost', 'hostirq'] as const) {
        const sim = machine({ msixOwner, pbaRead: 'kernel' }, work, { source });
        const cost = work.map((_, i) => exits(since(sim, i * 50)) - exits(since(sim, (i + 1) * 50)));
        // What the VMM sends itself has no route, and in these designs KVM knows of an entry by its route.
        const unrouted = source === 'userspace' && (msixOwner === 'perEntry' || msixOwner === 'cache');
        const [message, mask, read, bits] = expected;
        assert.deepEqual(cost, [message, mask, unrouted ? 1 : read, bits], `${msixOwner}, ${source}`);
      }
  });

  it('S2-27 KVM does not change the routing itself, but in the one design that does', () => {
    for (const msixOwner of owners) {
      const write = at(0, 'guest.write', entry(0), { offset: 8, value: '0x44' });
      const sets = of(since(machine({ msixOwner }, [write])), 'route.set').map((e) => e.task?.split('/')[0]);
      assert.deepEqual(new Set(sets), new Set([msixOwner === 'internal' ? 'kvm' : 'vmm']), msixOwner);
    }
  });
});
