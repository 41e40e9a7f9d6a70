import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { Ledger } from '../../../src/sim/ledger.ts';

const nearest = (times: readonly number[], p: number): number => {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
};

describe('sim/ledger', () => {
  it('keeps what waits for long, however many causes come and go behind it', () => {
    const ledger = new Ledger();
    const old = ledger.open(5);
    ledger.note(old, 'pending', 5);
    for (let i = 0; i < 20_000; i++) ledger.note(ledger.open(i), i % 2 === 0 ? 'dropped' : 'merged', i);
    equal(ledger.standing(old), 'pending');
    deepEqual(ledger.tally(), {
      inFlight: 0,
      pending: 1,
      merged: 10_000,
      delivered: 0,
      withdrawn: 0,
      dropped: 10_000,
      untold: 0,
    });
    ledger.take(old, 100_005, 3);
    equal(ledger.standing(old), undefined);
    equal(ledger.latency(1), 100_000);
    equal(ledger.takeBack(3), old);
    equal(ledger.standing(old), 'inFlight');
    equal(ledger.takeBack(3), 0, 'it was taken back already');
    deepEqual(ledger.twice, []);
    ledger.note(old, 'withdrawn', 100_010);
    ledger.note(old, 'withdrawn', 100_011);
    deepEqual(ledger.twice, [old]);
  });

  it('counts each cause once and finds quantiles, in every order of taking, taking back and ending', () => {
    const deeds = fc.array(
      fc.tuple(
        fc.constantFrom('open', 'take', 'leave', 'back', 'drop', 'pend', 'pass'),
        fc.nat(40_000),
        fc.integer({ min: 0, max: 30_000 }),
      ),
      { minLength: 1, maxLength: 300 },
    );
    fc.assert(
      fc.property(deeds, fc.constantFrom(1, 17, 4096), (list, stride) => {
        const ledger = new Ledger();
        const open = new Map<number, { born: number; outcome: 'inFlight' | 'pending' }>();
        const times = new Map<number, number>();
        const ended = { delivered: 0, dropped: 0 };
        let causes = 0;
        let handled: { cause: number; born: number } | undefined;
        let now = 0;
        for (const [deed, which, pause] of list) {
          now += pause;
          const numbers = [...open.keys()];
          const cause = numbers[which % Math.max(1, numbers.length)] ?? 0;
          const entry = open.get(cause);
          if (deed === 'open') {
            // Causes that end at once make the numbers of those that wait lie far apart.
            for (let i = 1; i < stride; i++) {
              ledger.note(ledger.open(now), 'dropped', now);
              causes++;
              ended.dropped++;
            }
            open.set(ledger.open(now), { born: now, outcome: 'inFlight' });
            causes++;
          } else if (deed === 'take' && entry) {
            ledger.take(cause, now, 1);
            open.delete(cause);
            ended.delivered++;
            times.set(cause, now - entry.born);
            handled = { cause, born: entry.born };
          } else if (deed === 'leave') {
            ledger.leave(1);
            handled = undefined;
          } else if (deed === 'back') {
            equal(ledger.takeBack(1), handled?.cause ?? 0);
            if (handled === undefined) continue;
            ended.delivered--;
            times.delete(handled.cause);
            open.set(handled.cause, { born: handled.born, outcome: 'inFlight' });
            handled = undefined;
          } else if (deed === 'drop' && entry) {
            ledger.note(cause, 'dropped', now);
            open.delete(cause);
            ended.dropped++;
          } else if (deed === 'pend' && entry) {
            ledger.note(cause, 'pending', now);
            entry.outcome = 'pending';
          } else if (deed === 'pass' && entry) {
            open.delete(cause);
            open.set(ledger.open(now, cause), { born: entry.born, outcome: 'inFlight' });
          }
        }
        equal(ledger.causes, causes);
        const { delivered, dropped, inFlight, pending } = ledger.tally();
        const waiting = [...open.values()].filter((one) => one.outcome === 'pending').length;
        deepEqual(
          [delivered, dropped, pending, inFlight],
          [ended.delivered, ended.dropped, waiting, open.size - waiting],
        );
        for (const [cause, { outcome }] of open) equal(ledger.standing(cause), outcome);
        for (const p of [0, 0.5, 0.99, 1]) equal(ledger.latency(p), nearest([...times.values()], p));
        deepEqual(ledger.twice, []);
      }),
      { numRuns: 300 },
    );
  });
});
