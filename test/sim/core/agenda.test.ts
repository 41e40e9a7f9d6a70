import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import type { Actor } from '../../../src/sim/actor.ts';
import { Agenda } from '../../../src/sim/agenda.ts';

const actors: readonly Actor[] = ['a', 'b'].map((name) => ({ layer: 'cpu', name, cpu: 0 }));

/** How much later than the entry that was taken last another one is due: now, soon, at the edges of what is soon, later, between two nanoseconds. */
const later = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 4200 }),
  fc.constantFrom(2047, 2048, 2049, 4096),
  fc.integer({ min: 0, max: 1e12 }),
  fc.double({ min: 0, max: 5000, noNaN: true }),
);

describe('sim/agenda', () => {
  it('gives the entries in the order of time, and those of one time in the order in which they were put in', () => {
    const deeds = fc.array(fc.oneof(later, fc.constant('take' as const)), { maxLength: 400 });
    fc.assert(
      fc.property(deeds, fc.nat(2 ** 45), (list, start) => {
        const agenda = new Agenda();
        const waiting: { time: number; order: number; actor: Actor; work: () => void }[] = [];
        let now = start;
        let order = 0;
        const take = (): void => {
          waiting.sort((a, b) => a.time - b.time || a.order - b.order);
          const first = waiting.shift();
          equal(agenda.next, first?.time ?? Number.POSITIVE_INFINITY);
          equal(agenda.take(), first?.work);
          if (first === undefined) return;
          equal(agenda.actor, first.actor);
          now = first.time;
        };
        for (const deed of list) {
          if (deed === 'take') take();
          else {
            const entry = { time: now + deed, order, actor: actors[order % 2]!, work: (): void => {} };
            order++;
            waiting.push(entry);
            agenda.add(entry.time, entry.actor, entry.work);
          }
          equal(agenda.length, waiting.length);
        }
        while (waiting.length > 0) take();
        take();
      }),
      { numRuns: 500 },
    );
  });

  it('takes hundreds of thousands of entries that wait at once', () => {
    const agenda = new Agenda();
    const times: number[] = [];
    for (let i = 0; i < 200_000; i++) {
      const time = (i * 7919) % 200_003;
      times.push(time);
      agenda.add(time, actors[0]!, () => {});
    }
    const got: number[] = [];
    while (agenda.length > 0) {
      got.push(agenda.next);
      agenda.take();
    }
    deepEqual(
      got,
      times.sort((a, b) => a - b),
    );
  });
});
