// Lists of very many interrupts: processor time that they take. The machine may be busy, so wall time says nothing.
import assert from 'node:assert/strict';
import { interruptsAt, listing } from '../../src/query/interrupts/list.ts';
import { comparedRows, interruptRows, makingRows } from '../../src/view/interrupts/rows.ts';
import { importText } from '../helpers/fixtures.ts';
import { machine } from '../helpers/machine.ts';

/** Milliseconds of processor time of the fastest of some runs. */
function fastest(runs: number, work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

describe('very many interrupts', () => {
  it('a list of 10,000 takes less than 300 ms', () => {
    const trace = importText(machine(10_000));
    const step = trace.length - 1;
    const list = interruptsAt(trace, trace.head, step);
    assert.equal(list.length, 10_000);
    assert.ok(list.every(({ row }) => row.entry !== null && row.irq !== null && row.irte !== null));
    const ms = fastest(5, () => interruptsAt(trace, trace.stateAt(step), step));
    assert.ok(ms < 300, `${ms} ms`);
  });

  it('a list of 10,000 is made in pieces of a few milliseconds', () => {
    const trace = importText(machine(10_000));
    const step = trace.length - 1;
    const state = trace.stateAt(step);
    /** Milliseconds of processor time of the longest pieces of a work, the longest one first. */
    const pieces = (): number[] => {
      const work = (function* () {
        const rows = yield* makingRows(trace.world, yield* listing(trace, state, step), false);
        return yield* comparedRows([], new Map(), rows);
      })();
      const took: number[] = [];
      for (let from = process.cpuUsage(); ; from = process.cpuUsage()) {
        const { done } = work.next();
        const { user, system } = process.cpuUsage(from);
        took.push((user + system) / 1000);
        if (done) return took.sort((a, b) => b - a);
      }
    };
    pieces();
    const [longest, ...others] = Array.from({ length: 3 }, pieces).sort((a, b) => a[0]! - b[0]!)[0]!;
    assert.ok(others.length > 100, `${others.length} pieces`);
    // In one piece it takes 100 ms and more. Collecting garbage may fall into any piece.
    assert.ok(longest! < 40, `${longest} ms, then ${others.slice(0, 5)}`);
  });

  it('a refresh of the view with 2,000 takes less than 50 ms', () => {
    const trace = importText(machine(2000));
    const step = trace.length - 1;
    const state = trace.stateAt(step);
    const refresh = () => interruptRows(trace.world, interruptsAt(trace, state, step), false);
    assert.equal(refresh().length, 2000);
    const ms = fastest(8, refresh);
    assert.ok(ms < 50, `${ms} ms`);
  });
});
