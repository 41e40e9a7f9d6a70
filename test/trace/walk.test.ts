import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { State } from '../../src/model/state.ts';
import { stateTree } from '../../src/query/state.ts';
import { type Observer, Walk } from '../../src/trace/walk.ts';
import { randomTrace } from '../model/random.ts';

const show = (state: State): string => JSON.stringify(stateTree(state));

describe('a walk', () => {
  it('shows every event once, with the state after it and what it changes, in slices of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 50 }), (seed, slice) => {
        const trace = randomTrace(seed, 200);
        let changes: string[] = [];
        let next = 0;
        const observer: Observer = {
          change: (state, object, cell, value, known, step) => {
            assert.equal(step, next);
            assert.equal(trace.world.objectOfCell(cell), object);
            const base = trace.world.base(object);
            assert.deepEqual(
              [state.bitsAt(cell), state.knownAt(cell)],
              [state.get(object, cell - base), state.known(object, cell - base)],
            );
            changes.push(`${cell}:${value}/${known}`);
          },
          event: (step, row, state) => {
            assert.equal(step, next++);
            assert.equal(row.kind, trace.table.kind(step));
            assert.equal(row.object, trace.table.object(step));
            assert.equal(show(state), show(trace.stateAt(step)));
            const cells = trace.stateAt(step).changedCells(trace.stateAt(step - 1));
            const last = new Map(changes.map((text) => [text.split(':')[0]!, text]));
            for (const cell of cells) assert.ok(last.has(String(cell)), `cell ${cell} at step ${step}`);
            changes = [];
          },
        };
        const walk = new Walk(trace, [observer]);
        while (walk.advance(slice));
        assert.equal(next, trace.length);
      }),
      { numRuns: 6 },
    );
  });

  it('goes on behind the end that a trace had, and starts again from where it was changed', () => {
    const trace = randomTrace(3, 100);
    const seen: number[] = [];
    const walk = new Walk(trace, [{ event: (step) => seen.push(step) }]);
    assert.equal(walk.advance(60), true);
    walk.rewind(50);
    assert.equal(walk.advance(), false);
    assert.deepEqual(seen, [...Array(60).keys(), ...Array.from({ length: 50 }, (_, i) => 50 + i)]);
    assert.equal(show(walk.state), show(trace.head));
  });
});
