// The last write of something, held against its whole history; and the time between two events.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ImportRun } from '../../src/import/run.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import { World } from '../../src/model/world.ts';
import { deltaText } from '../../src/query/delta.ts';
import { history } from '../../src/query/history.ts';
import { resolvePath } from '../../src/query/paths.ts';
import { lastChanges, lastWrite, writesAround, writesAroundSlices } from '../../src/query/writes.ts';
import { BLOCK } from '../../src/trace/object-blocks.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { ListedEvents } from '../../src/view/events/rows.ts';
import { fixtureTrace, grep, importText } from '../helpers/fixtures.ts';
import { told } from '../helpers/told.ts';
import { randomTrace } from '../model/random.ts';

const targetAt = (trace: Trace, path: string) => resolvePath(trace.world, path) ?? assert.fail(`no ${path}`);

/** The last entry of the history at or before a step. */
const lastInHistory = (trace: Trace, path: string, until: number): number =>
  [...history(trace, targetAt(trace, path))].findLast((entry) => entry.step <= until)?.step ?? -1;

describe('last write', () => {
  it('is the line that a search from the end finds', () => {
    const trace = fixtureTrace('x86-vtd/qemu.log');
    const lines = grep('x86-vtd/qemu.log', /memory_region_ops_write .* addr 0xfe7c200c .*'msix-table'/);
    const step = lastWrite(trace, targetAt(trace, 'device/0000:00:03.0/msix/0/control'), trace.length - 1);
    assert.equal(trace.table.line(step), lines.at(-1)?.line);
  });

  it('is the last one of the history of a key', () => {
    const trace = fixtureTrace('x86-vtd/qemu.log');
    for (const key of ['address', 'data', 'control', 'writes', 'raises']) {
      const path = `device/0000:00:03.0/msix/1/${key}`;
      for (const until of [0, 3000, 5000, 10_000, trace.length - 1])
        assert.equal(
          lastWrite(trace, targetAt(trace, path), until),
          lastInHistory(trace, path, until),
          `${path} at ${until}`,
        );
    }
  });

  it('is never before the last change, of whatever there is', () => {
    const seeds = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(seeds, (seed) => {
        const trace = randomTrace(seed, 200);
        for (let object = 0; object < Math.min(12, trace.world.objects); object++) {
          const path = trace.world.path(object);
          const target = resolvePath(trace.world, path);
          if (target?.object !== object) continue;
          const own = [...history(trace, target)].filter((e) => e.path?.slice(0, e.path.lastIndexOf('/')) === path);
          const cells = own.filter((e) => target.type?.cells.some((c) => e.path === `${path}/${c.name}`));
          const last = lastWrite(trace, target, trace.length - 1);
          assert.ok(last >= (cells.at(-1)?.step ?? -1), path);
          assert.ok(last < trace.length);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('last changes', () => {
  it('of many objects are what a search through the states finds, also where blocks lie between', () => {
    const dev = 'device/0000:03:00.0';
    const pend = (i: number): string[] => [
      `tbl.write ${dev}/msix/${i} offset=0xc size=4 value=0x1`,
      `dev.raise ${dev}/msix/${i}`,
    ];
    const notes = Array.from({ length: 9000 }, () => 'note - text=x');
    const trace = told(
      `msix.ctrl ${dev} enable=true fmask=false`,
      ...pend(0),
      ...notes,
      ...pend(1),
      `dev.raise ${dev}/msix/0`,
      ...notes,
      ...pend(2),
      `tbl.write ${dev}/msix/2 offset=0xc size=4 value=0x0`,
    );
    const { world } = trace;
    const runs = new Map(
      [0, 1, 2, 3].map((i) => {
        const cell = world.base(world.object(msixEntry, `${dev}/msix/${i}`)) + msixEntry.at.pending;
        return [world.objectOfCell(cell), [cell, cell + 1]] as const;
      }),
    );
    // The second raise of entry 0 finds it pending and changes nothing; entry 2 sends what pends at its unmask, the last event; 3 is never written.
    const steps = [2, 9004, 18008, undefined];
    assert.deepEqual(
      [...runs.keys()].map((object) => lastChanges(trace, runs).get(object)),
      steps,
    );
  });
});

describe('writes around a step', () => {
  const trace = fixtureTrace('x86-vtd/qemu.log');
  const target = targetAt(trace, 'device/0000:00:03.0/msix/0/control');
  const every = [...history(trace, target)].map((entry) => entry.step);
  const around = (step: number, most: number) => {
    const { entries, all } = writesAround(trace, target, step, most);
    return { steps: entries.map((entry) => entry.step), all };
  };

  it('are all of them where there are few', () => {
    assert.ok(every.length > 10);
    assert.deepEqual(around(every[3]!, 100), { steps: every, all: true });
    assert.deepEqual(around(every[3]!, every.length), { steps: every, all: true });
  });

  it('come in slices, one for each block of the trace that is read, and are the same', () => {
    const blocks = Math.ceil(trace.length / BLOCK);
    assert.ok(blocks > 1, 'the capture has several blocks');
    const slices = writesAroundSlices(trace, target, every[3]!, every.length);
    let pauses = 0;
    let next = slices.next();
    for (; next.done !== true; next = slices.next()) pauses++;
    assert.deepEqual(
      next.value.entries.map((entry) => entry.step),
      every,
    );
    // A block on both sides of the step is read twice; a block without any write of the object is not read.
    const read = new Set(every.map((step) => Math.floor(step / BLOCK))).size;
    assert.ok(
      pauses >= read && pauses <= blocks + 1,
      `${pauses} pauses, ${blocks} blocks, ${read} of them with writes`,
    );
  });

  it('are the nearest on both sides where there are many', () => {
    assert.deepEqual(around(every[5]!, 2), { steps: every.slice(4, 8), all: false });
    assert.deepEqual(around(-1, 3), { steps: every.slice(0, 3), all: false });
    assert.deepEqual(around(trace.length, 3), { steps: every.slice(-3), all: false });
  });
});

describe('the writes of a whole object', () => {
  const trace = fixtureTrace('x86-vtd/qemu.log');
  const path = 'device/0000:00:03.0/msix/0';
  const keysIn = (which: 'all' | 'told'): Set<string> => {
    const { entries } = writesAround(trace, targetAt(trace, path), 0, 1_000_000, which);
    return new Set(entries.map((entry) => entry.path!.slice(entry.path!.lastIndexOf('/') + 1)));
  };

  it('can leave out counters and computed keys, and nothing else', () => {
    const [all, told] = [keysIn('all'), keysIn('told')];
    for (const key of ['writes', 'raises', 'sends', 'effectivelyMasked']) assert.ok(!told.has(key), key);
    for (const key of ['address', 'data', 'control']) assert.ok(told.has(key), key);
    for (const key of ['writes', 'effectivelyMasked']) assert.ok(all.has(key), key);
    for (const key of told) assert.ok(all.has(key), key);
  });

  it('are as many for what records tell, with and without the others', () => {
    const count = (which: 'all' | 'told'): number =>
      writesAround(trace, targetAt(trace, path), 0, 1_000_000, which).entries.filter((e) =>
        /\/(address|data|control|pending)$/.test(e.path!),
      ).length;
    assert.ok(count('all') > 10);
    assert.equal(count('told'), count('all'));
  });
});

describe('time since the event before', () => {
  it('has the unit that reads best', () => {
    const at = ['1.000000', '1.000008', '1.000008', '1.002508', '3.002508', '3.002500'];
    const trace = importText(at.map((t) => `1@${t}:vtd_inv_desc_iec granularity 0x1 index 0x1 mask 0x0\n`).join(''));
    // The first line is two events: the unit shows itself, too.
    assert.equal(trace.length, at.length + 1);
    assert.equal(deltaText(trace, 0), '');
    const texts = at.map((_, i) => (i === 0 ? '' : deltaText(trace, i + 1)));
    // The list of events and the view of a path say the same.
    const rows = new ListedEvents(trace, undefined).rows(0, trace.length);
    assert.deepEqual(
      texts.slice(1, -1),
      rows.slice(2, -1).map(({ dt }) => `+${dt}`),
    );
    assert.deepEqual(texts, ['', '+8 µs', '+0 µs', '+2.500 ms', '+2.000 s', '-8 µs']);
  });

  it('has no digits that one of the two clocks lacks', () => {
    const world = new World();
    const source = (digits: number, stamps: readonly string[], file: string): Trace => {
      const work = new ImportRun(file, { world, system: '' });
      const head = `#irqtrace 1\n#clock seconds digits=${digits} realtime\n`;
      const lines = stamps.map((stamp) => `${stamp} - - mark marker text=${file}\n`);
      work.push(new TextEncoder().encode(head + lines.join('')));
      return work.end();
    };
    const trace = source(9, ['1.000000100', '1.000000350', '1.000030000'], 'fine');
    trace.join(...source(6, ['1.000010', '1.000015'], 'coarse').sources);
    const { table, length } = trace;
    const order = Array.from({ length }, (_, step) => trace.sources[trace.sourceOf(step)]!.file);
    assert.deepEqual(order, ['fine', 'fine', 'coarse', 'coarse', 'fine']);
    assert.deepEqual(
      order.map((_, step) => deltaText(trace, step)),
      // From 0.35 µs to 10 µs: the coarser clock cannot tell more than 10 µs.
      ['', '+250 ns', '+10 µs', '+5 µs', '+15 µs'],
    );
    assert.equal(table.time(3) - table.time(2), 5000);
    const rows = new ListedEvents(trace, undefined).rows(0, length);
    assert.deepEqual(
      rows.slice(1).map(({ dt }) => `+${dt}`),
      order.slice(1).map((_, i) => deltaText(trace, i + 1)),
    );
  });
});
