// Two snapshots: what was counted between them, what stopped, what is gone; held against the counts in the files.
import assert from 'node:assert/strict';
import { snapshotLines } from '../../../src/cli/diff/snapshots.ts';
import { comparingSnapshots } from '../../../src/query/diff/snapshots.ts';
import type { StateRow } from '../../../src/query/diff/states.ts';
import { isSnapshots } from '../../../src/query/snapshot.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureLines, fixtureTrace, importText } from '../../helpers/fixtures.ts';

function rows(a: Trace, b: Trace): StateRow[] {
  const work = comparingSnapshots(a, b);
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Counts by irq and CPU, from the words of the lines. */
function countsOf(name: string): Map<string, Map<string, number>> {
  const [header, ...lines] = fixtureLines(name).map(({ text }) => text);
  const cpus = header!.match(/\d+/g)!;
  const found = new Map<string, Map<string, number>>();
  for (const line of lines) {
    const [, irq, rest] = /^ *(\d+): +(.*)$/.exec(line) ?? [];
    if (irq === undefined) continue;
    const counts = rest!.split(/ +/).slice(0, cpus.length).map(Number);
    found.set(irq, new Map(cpus.map((cpu, i) => [cpu, counts[i]!])));
  }
  return found;
}

const [A, B] = ['x86-vtd/snap-interrupts-cpu1-off.txt', 'x86-vtd/snap-interrupts-cpu13-off.txt'];

describe('comparison of snapshots', () => {
  it('irqs that counted, and those that stopped, on the CPUs that both show', () => {
    const found = rows(fixtureTrace(A), fixtureTrace(B));
    const [before, now] = [countsOf(A), countsOf(B)];
    const expected = [...before].flatMap(([irq, counts]): (string | number | boolean)[][] => {
      // CPU 3 went offline between the two.
      const sum = (of: ReadonlyMap<string, number>): number => (of.get('0') ?? 0) + (of.get('2') ?? 0);
      const [x, y] = [sum(counts), sum(now.get(irq)!)];
      if (x !== y) return [[`irq/${irq}`, 'handled', x, y]];
      return x > 0 ? [[`irq/${irq}`, 'counted', true, false]] : [];
    });
    const irqs = found.filter(({ object, kind }) => object.startsWith('irq/') && kind === 'changed');
    assert.deepEqual(
      irqs.map(({ object, field, a, b }) => [object, field, a, b]),
      expected,
    );
    assert.ok(expected.some(([, field]) => field === 'handled') && expected.some(([, field]) => field === 'counted'));
    assert.ok(found.some(({ object, kind }) => object === 'cpu/3' && kind === 'only-a'));
  });

  it('irqs that are gone, and irqs that were set up again', () => {
    const gone = rows(fixtureTrace(A), fixtureTrace('x86-vtd/snap-interrupts-nvme-unbound.txt'));
    assert.deepEqual(
      gone.filter(({ kind, object }) => kind === 'only-a' && object.startsWith('irq/')).map(({ object }) => object),
      ['irq/26', 'irq/27', 'irq/28', 'irq/29', 'irq/30'],
    );
    // At the end the driver of nvme is bound again: 29 counted 73, then 8.
    const again = rows(fixtureTrace(A), fixtureTrace('x86-vtd/snap-interrupts-final.txt'));
    const row = again.find(({ object, field }) => object === 'irq/29' && field === 'handled')!;
    assert.deepEqual([row.a, row.b], [73, 8]);
  });

  it('a snapshot does not differ from itself', () => {
    const trace = fixtureTrace(A);
    assert.deepEqual(rows(trace, trace), []);
    assert.deepEqual(snapshotLines(trace, trace, []).at(-1), 'no differences');
    assert.ok(isSnapshots(trace) && !isSnapshots(fixtureTrace('x86-vtd/ftrace.txt')));
  });

  it('an irq with another number is the same one', () => {
    const line = (irq: number, count: number): Trace =>
      importText(`           CPU0\n ${irq}:  ${count}  IR-PCI-MSIX-0000:00:04.0   0-edge      eth1-rx-0\n`);
    assert.deepEqual(
      rows(line(41, 7), line(55, 9)).map(({ object, field, a, b }) => [object, field, a, b]),
      [['irq/41', 'handled', 7, 9]],
    );
  });

  it('other keys that differ, as of dumps of debugfs', () => {
    const dump = (effective: string): Trace => importText(`/proc/irq/41/effective_affinity_list:${effective}\n`);
    assert.deepEqual(
      rows(dump('2'), dump('3')).map(({ object, field, a, b }) => [object, field, a, b]),
      [
        ['irq/41', 'cpu', 2, 3],
        ['irq/41', 'effectiveAffinity', '2', '3'],
      ],
    );
  });

  it('as text: what counted, what stopped, and the names', () => {
    const [a, b] = [fixtureTrace(A), fixtureTrace(B)];
    const lines = snapshotLines(a, b, rows(a, b));
    const at = (text: string): number => lines.findIndex((line) => line.includes(text));
    assert.match(lines[at('irq/41')]!, /eth1-rx-0 +\+9 +67 -> 76$/);
    assert.ok(at('counted between A and B') < at('irq/41') && at('irq/41') < at('handled before A, and not since'));
    assert.match(lines[at('irq/29')]!, /nvme0q3$/);
    assert.ok(at('irq/29') > at('handled before A, and not since'));
  });
});
