// Many seeds of a scenario: what goes wrong in some of them, and the shortest run that shows it.
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { type Explored, exploring, merged, type Shrunk, shrinking } from '../../src/sim/measures/explore.ts';
import { type Recipe, Simulation } from '../../src/sim/simulation.ts';
import { bundled, scenarioOf } from './run.ts';

function done<T>(work: Generator<void, T>): T {
  for (;;) {
    const at = work.next();
    if (at.done) return at.value;
  }
}

const recipe = (name: string, settings: Record<string, string> = {}): Recipe => ({
  scenario: scenarioOf(bundled(name)),
  seed: 1,
  settings,
  operations: [],
});

describe('exploring', () => {
  const race = recipe('kvm-mask-in-flight', { maskSync: 'never' });
  let found: Explored[] = [];
  let shrunk: Shrunk | undefined;

  before(() => {
    found = done(exploring(race, 30, 100_000));
    shrunk = done(shrinking(race, found[0]!, 100_000));
  });

  it('finds the race of a mask and an interrupt that is under way, in some seeds alone', () => {
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ['INV-FLUSH'],
    );
    assert.ok(found[0]!.seeds > 0 && found[0]!.seeds < 30, String(found[0]!.seeds));
  });

  it('finds nothing where the design waits for what is under way', () => {
    assert.deepEqual(done(exploring(recipe('kvm-mask-in-flight'), 30, 100_000)), []);
  });

  it('shortens the run, which shows the same and ends there', () => {
    const { recipe: short, found: now, before: all, after: left } = shrunk!;
    assert.ok(left < all, `${left} of ${all}`);
    const run = new Simulation(short);
    run.run(undefined, short.events);
    const last = viewEvent(run.trace, now.step);
    assert.equal(last.kind, 'illegal');
    assert.equal(last.fields['rule'], 'INV-FLUSH');
    assert.equal(last.object, now.object);
  });

  it('tells what several explorations found once, with the shortest run of all', () => {
    const one = found[0]!;
    const longer = { ...one, seed: 99, step: one.step + 7, object: one.object.replace(/\d$/, '5') };
    assert.deepEqual(merged([[longer], [one]]), [{ ...one, seeds: 2 * one.seeds }]);
    const other = { ...one, title: 'something else' };
    assert.equal(merged([[one], [other]]).length, 2);
  });

  it('goes on where delays make an operation of the workload impossible: an event says so', () => {
    const late = scenarioOf({
      devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 1 }],
      workload: [
        { at: '1us', op: 'irq.mask', object: 'irq/24' },
        { at: '100us', op: 'device.raise', object: 'device/0000:03:00.0/msix/0' },
      ],
    });
    const run = new Simulation({ scenario: late, seed: 1, settings: {}, operations: [] });
    run.run();
    const refused = Array.from({ length: run.trace.length }, (_, step) => viewEvent(run.trace, step)).filter(
      ({ kind, fields }) => kind === 'illegal' && fields['rule'] === 'refused',
    );
    assert.deepEqual(
      refused.map(({ object, fields }) => [object, fields['text']]),
      [['irq/24', 'irq.mask: irq/24 is no irq of the host']],
    );
    assert.equal(run.machine.ledger.tally().delivered, 1);
  });
});
