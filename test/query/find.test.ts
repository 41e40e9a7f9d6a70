import assert from 'node:assert/strict';
import fc from 'fast-check';
import { finding } from '../../src/query/filter/find.ts';
import { nearestSteps } from '../../src/query/filter/nearest-steps.ts';
import { parseFilter } from '../../src/query/filter/parse.ts';
import { bundled, run } from '../sim/run.ts';

describe('a search for events', () => {
  it('finds each that fits, in slices', () => {
    const { trace } = run(bundled('queues-10000'), { seed: 1 });
    assert.ok(trace.length > 20_000, String(trace.length));
    const work = finding(trace, parseFilter('kind == queue.return && after(kind == queue.state, 1000s, same)'));
    let slices = 0;
    let found = work.next();
    for (; found.done !== true; found = work.next()) slices++;
    assert.ok(slices >= Math.floor(trace.length / 8192), String(slices));
    const seen = new Set<number>();
    const wanted: number[] = [];
    for (let step = 0; step < trace.length; step++) {
      const { name } = trace.table.kind(step);
      const object = trace.table.object(step);
      if (name === 'queue.return' && seen.has(object)) wanted.push(step);
      if (name === 'queue.state') seen.add(object);
    }
    assert.ok(wanted.length > 10);
    assert.deepEqual(found.value, wanted);
  });

  it('shows those that are nearest to a step', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), fc.nat(220), fc.nat(30), (some, at, most) => {
        const steps = some.sort((a, b) => a - b);
        const near = nearestSteps(steps, at, most);
        assert.equal(near.length, Math.min(most, steps.length));
        assert.deepEqual(near, steps.slice(steps.indexOf(near[0]!), steps.indexOf(near[0]!) + near.length));
        const farthest = Math.max(0, ...near.map((step) => Math.abs(step - at)));
        const others = steps.filter((step) => !near.includes(step));
        if (near.length > 0) for (const other of others) assert.ok(Math.abs(other - at) >= farthest, `${other}`);
      }),
    );
  });
});
