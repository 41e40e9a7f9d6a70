// The lanes of two traces that are compared, on one axis.
import assert from 'node:assert/strict';
import { whole } from '../../src/base/slices.ts';
import { compareTraces } from '../../src/query/diff/compare.ts';
import { compareStates } from '../../src/query/diff/states.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { ComparedEvents, ComparedSteps } from '../../src/view/comparison/parts.ts';
import type { ComparedLane, ComparedLanes, SideNumber } from '../../src/view/lanes/compared.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { DIFFERENCE, OFF, ON } from '../../src/view/lanes/values.ts';
import { importText } from '../helpers/fixtures.ts';
import { linesOf, rowsBetween, traceOf } from '../query/diff/helper.ts';
import { bundled, run } from '../sim/run.ts';

const sorted = (trace: Trace): LaneIndex => {
  const index = new LaneIndex(trace);
  index.advance();
  return index;
};

function lanesOf(a: Trace, b: Trace): { lanes: ComparedLanes; parts: ComparedEvents } {
  const parts = new ComparedEvents(compareTraces(a, b));
  return { lanes: whole(parts.lanes([sorted(a), sorted(b)])), parts };
}

/** The marks of a row of a side: places with the differences there, or those of events. */
function marksOf(lanes: ComparedLanes, { id }: ComparedLane, deep = false): { events: number[]; differs: string[] } {
  const view = lanes.window({ axis: 'order', from: 0, size: 1, bins: lanes.length, rows: [{ lane: id, deep }] });
  const kinds = Object.entries(DIFFERENCE);
  return {
    events: [...view.at].map(Math.round),
    differs: [...view.diffAt].map((at, i) => {
      const found = kinds.filter(([, bit]) => (view.diffKinds[i]! & bit) !== 0).map(([name]) => name);
      return `${Math.round(at)} ${found.join('+')}`;
    }),
  };
}

const rowOf = (lanes: ComparedLanes, side: 'a' | 'b', path: string): ComparedLane =>
  lanes.list().find((lane) => lane.side === side && lane.path === path) ?? assert.fail(`no lane ${side} ${path}`);

const xs = (lanes: ComparedLanes, side: SideNumber, count: number): number[] =>
  Array.from({ length: count }, (_, step) => lanes.sides[side].placed.placeOf(step));

const ENTRY = 'device/0000:00:04.0/msix/0';
const events = [
  'vec.setup irq/41 legacy=false ret=0',
  'irq.identify irq/41 device=0000:00:04.0 hwirq=0 domain=PCI-MSIX-0000:00:04.0',
  'vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
  `tbl.write ${ENTRY} offset=0xc size=4 value=0x0`,
  `dev.raise ${ENTRY} vector=0`,
  'cpu1 irq.entry irq/41 name=eth0',
  'cpu1 irq.exit irq/41 handled=true',
];
/** Another irq number, another vector, and one cause more. */
const other = events
  .flatMap((event) => (event.startsWith('dev.raise') ? [event, event] : [event]))
  .map((event) => event.replace('irq/41', 'irq/43').replace('vector=33', 'vector=35'));

describe('lanes of two traces', () => {
  const { lanes } = lanesOf(traceOf(events), traceOf(other));

  it('stand below one another for the same thing, whatever its number', () => {
    const rows = lanes.list();
    const texts = rows.map(({ side, path, twin, parent }, i) => {
      const above = rows.find(({ id }) => id === parent)?.path ?? 'nothing';
      return `${side} ${path} in ${above}${twin < 0 ? '' : rows[i - 1]!.id === twin ? ', twin' : ', astray'}`;
    });
    assert.deepEqual(
      texts.filter((text) => !/cpu/.test(text)),
      [
        'a device in nothing',
        'b device in nothing, twin',
        'a device/0000:00:04.0 in device',
        'b device/0000:00:04.0 in device, twin',
        `a ${ENTRY} in device/0000:00:04.0`,
        `b ${ENTRY} in device/0000:00:04.0, twin`,
        'a irq in nothing',
        'b irq in nothing, twin',
        'a irq/41 in irq',
        'b irq/43 in irq, twin',
      ],
    );
    const [a, b] = [rowOf(lanes, 'a', 'irq/41'), rowOf(lanes, 'b', 'irq/43')];
    assert.deepEqual([a.events, b.events], [5, 5]);
  });

  it('have events that stand for each other at the same place, and gaps where only one trace has events', () => {
    // B has one event more, the second of two equal causes: step 5.
    assert.deepEqual(xs(lanes, 0, 7), [0, 1, 2, 3, 4, 6, 7]);
    assert.deepEqual(xs(lanes, 1, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal(lanes.length, 8);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'irq/41')).events, [0, 1, 2, 6, 7]);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/43')).events, [0, 1, 2, 6, 7]);
  });

  it('mark what differs on both sides', () => {
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'irq/41')).differs, ['2 changed']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/43')).differs, ['2 changed']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', ENTRY)).differs, ['5 missing']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', ENTRY)).differs, ['5 here']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'device')).differs, [], 'an open group shows its own');
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'device'), true).differs, ['5 missing']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'device'), true).differs, ['5 here']);
  });

  it('gather in a bin what is too narrow for a pixel', () => {
    const { id } = rowOf(lanes, 'b', 'device');
    const rows = [{ lane: id, deep: true }, rowOf(lanes, 'b', 'irq/43')].map((row) =>
      'lane' in row ? row : { lane: row.id, deep: false },
    );
    const view = lanes.window({ axis: 'order', from: 0, size: 4, bins: 2, rows });
    assert.deepEqual([...view.rowDiffs], [0, 1, 2]);
    assert.deepEqual([...view.diffAt], [5 / 4, 2 / 4]);
    assert.deepEqual([...view.diffKinds], [DIFFERENCE.here, DIFFERENCE.changed]);
  });

  it('of the same trace differ nowhere', () => {
    const { lanes: same } = lanesOf(traceOf(events), traceOf(events));
    assert.equal(same.length, events.length);
    for (const lane of same.list()) assert.deepEqual(marksOf(same, lane, true).differs, []);
  });
});

describe('lanes of a run and of the same run with lines removed', () => {
  const simulation = run(bundled('affinity-move'));
  const { header, events: all } = linesOf(simulation.trace);
  /** Events of the entry that are taken out: every third one. */
  const kept = all.map((line, i) => !/ tbl\.write /.test(line) || i % 3 !== 0);
  const read = (lines: readonly string[]): Trace => importText(`${[...header, ...lines].join('\n')}\n`);
  const a = read(all);
  const b = read(all.filter((_, i) => kept[i]));
  const { lanes } = lanesOf(a, b);
  const removed = kept.flatMap((is, i) => (is ? [] : [i]));

  it('leave gaps in the second where the first has those lines, and have all else at the same places', () => {
    assert.ok(removed.length > 0);
    assert.equal(a.length, all.length);
    const left = kept.flatMap((is, i) => (is ? [i] : []));
    assert.deepEqual(
      xs(lanes, 0, a.length),
      all.map((_, i) => i),
    );
    const places = xs(lanes, 1, b.length);
    // Events that are not compared have places of their own: in this run there are none of them between those that are.
    const differ = places.flatMap((place, i) => (place === left[i] ? [] : [all[left[i]!]!.split(' ')[3]]));
    assert.deepEqual(differ, []);
  });

  it('mark each of these lines in both lanes', () => {
    const found = (side: 'a' | 'b', kind: string): number[] =>
      lanes
        .list()
        .filter((lane) => lane.side === side)
        .flatMap((lane) => marksOf(lanes, lane).differs)
        .filter((text) => text.endsWith(kind))
        .map((text) => Number(text.split(' ')[0]))
        .sort((x, y) => x - y);
    assert.deepEqual(found('a', 'here'), removed);
    assert.deepEqual(found('b', 'missing'), removed);
    assert.deepEqual([...found('a', 'changed'), ...found('b', 'here'), ...found('a', 'missing')], []);
  });
});

describe('lanes of two runs with different policies', () => {
  // The interrupts that come apart from one another: others merge in one of the runs alone.
  const document = bundled('kvm-mask-per-interrupt') as { workload: object[] };
  const apart = { ...document, workload: document.workload.slice(0, 1) };
  const a = run(apart, { settings: { msixOwner: 'user' } }).trace;
  const b = run(apart, { settings: { msixOwner: 'kernel' } }).trace;
  const { lanes, parts } = lanesOf(a, b);

  it('mark in each lane as many events of one trace alone as the comparison finds about its object', () => {
    const expected = new Map<string, number>();
    for (const { kind, object } of rowsBetween(a, b))
      if (kind !== 'changed') expected.set(`${kind} ${object}`, (expected.get(`${kind} ${object}`) ?? 0) + 1);
    assert.ok(expected.size > 1, 'the policies differ');
    const found = new Map<string, number>();
    for (const lane of lanes.list()) {
      const here = marksOf(lanes, lane).differs.filter((text) => / here/.test(text)).length;
      if (here > 0) found.set(`only-${lane.side} ${lane.path}`, here);
    }
    assert.deepEqual([...found].sort(), [...expected].sort());
  });

  it('have the same events at a place that both have', () => {
    let shared = 0;
    const why = new Map<string, string>();
    for (let step = 0; step < a.length; step++) {
      const there = lanes.sides[1].placed.at(lanes.sides[0].placed.placeOf(step));
      if (there < 0) continue;
      shared++;
      assert.equal(a.table.kind(step), b.table.kind(there));
      // What is not compared (exits of virtual CPUs, reads) stands together where both have it.
      const compared = [parts.partner(0, step), parts.partner(1, there)];
      if (compared.some((partner) => partner >= 0)) assert.deepEqual(compared, [there, step]);
      else why.set(a.table.kind(step).name, parts.told(0, step));
    }
    // Each of them says why it was not compared.
    for (const [kind, told] of why) assert.match(told, /^not compared: \w/, kind);
    assert.equal(why.get('kvm.exit'), 'not compared: it belongs to no single interrupt');
    assert.equal(lanes.length, a.length + b.length - shared);
    // Pairs share a place unless they cross in their lane.
    const pairs = Array.from({ length: a.length }, (_, step) => parts.partner(0, step)).filter((b) => b >= 0).length;
    const together = Array.from({ length: a.length }, (_, step) => step).filter(
      (step) => parts.partner(0, step) >= 0 && lanes.sides[1].placed.at(lanes.sides[0].placed.placeOf(step)) >= 0,
    ).length;
    assert.ok(together > 0.95 * pairs, `${together} of ${pairs}`);
  });

  it('say of an event what the other run has in its place', () => {
    const said = Array.from({ length: a.length }, (_, step) => parts.told(0, step));
    const only = rowsBetween(a, b).filter(({ kind }) => kind === 'only-a');
    for (const { at } of only) assert.equal(said[at.a!], 'no such event');
    assert.equal(said.filter((text) => text === 'no such event').length, only.length);
    for (const { at, field, a: old, b: now } of rowsBetween(a, b).filter(({ kind }) => kind === 'changed'))
      assert.ok(said[at.a!]!.includes(`${field}: ${old} → ${now}`) || typeof old === 'boolean', said[at.a!]);
  });
});

describe('lanes of two runs in which interrupts come in another order', () => {
  const irqs = [50, 51, 52];
  const setUp = irqs.flatMap((irq, i) => [
    `vec.setup irq/${irq} legacy=false ret=0`,
    `irq.identify irq/${irq} device=0000:00:04.0 hwirq=${i} domain=PCI-MSIX-0000:00:04.0`,
  ]);
  const handler = (irq: number): string[] => [
    `cpu1 irq.entry irq/${irq} name=q${irq}`,
    `cpu1 irq.exit irq/${irq} handled=true`,
  ];
  const orders = [
    [50, 51, 52, 50, 51, 52, 50],
    [52, 52, 51, 50, 50, 51, 50],
  ] as const;
  const [a, b] = orders.map((order) => traceOf([...setUp, ...order.flatMap(handler)])) as [Trace, Trace];
  const { lanes } = lanesOf(a, b);

  it('have all events of each interrupt at the same places', () => {
    assert.equal(lanes.length, a.length);
    for (const irq of irqs) {
      const [mine, theirs] = (['a', 'b'] as const).map(
        (side) => marksOf(lanes, rowOf(lanes, side, `irq/${irq}`)).events,
      );
      assert.deepEqual(theirs, mine);
    }
    const first = orders[0].indexOf(52);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/52')).events.slice(2, 4), [
      setUp.length + 2 * first,
      setUp.length + 2 * first + 1,
    ]);
  });

  it('have the spans of handlers between their events', () => {
    const { id } = rowOf(lanes, 'b', 'irq/52');
    const lane = lanes.laneAt(id).lane!;
    const placed = lanes.sides[1].placed.of(lane);
    const running = placed.layers.find(({ steps }) => steps.length >= 4)!;
    const [entry, exit] = [placed.steps.at(2), placed.steps.at(3)];
    assert.deepEqual([...running.steps.exact()].slice(0, 2), [entry, exit]);
    assert.deepEqual([...running.values.exact()].slice(0, 2), [ON, OFF]);
    // A CPU runs them one after the other, in the order of A.
    const cpu = rowOf(lanes, 'b', 'cpu/1');
    const there = lanes.sides[1].placed.of(lanes.laneAt(cpu.id).lane!);
    const mine = lanes.sides[0].placed.of(lanes.laneAt(rowOf(lanes, 'a', 'cpu/1').id).lane!);
    assert.deepEqual([...there.steps.exact()], [...mine.steps.exact()]);
    assert.deepEqual(
      there.layers.map(({ steps, values }) => [[...steps.exact()], [...values.exact()]]),
      mine.layers.map(({ steps, values }) => [[...steps.exact()], [...values.exact()]]),
    );
  });
});

describe('lanes of two steps of one trace', () => {
  const trace = traceOf(events);
  const lanesBetween = (from: number, to: number): ComparedLanes => {
    const index = sorted(trace);
    return whole(new ComparedSteps([from, to], compareStates(trace, from, trace, to)).lanes([index, index]));
  };

  it('are the same up to the first of them, and mark behind it what changed the objects that differ', () => {
    const lanes = lanesBetween(2, 5);
    assert.equal(lanes.length, 6);
    assert.deepEqual(xs(lanes, 0, 3), [0, 1, 2]);
    assert.deepEqual(xs(lanes, 1, 6), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'irq/41')).events, [0, 1, 2]);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/41')).events, [0, 1, 2, 5]);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/41')).differs, ['5 here']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'irq/41')).differs, ['5 missing']);
  });

  it('can be given in either order', () => {
    const lanes = lanesBetween(5, 2);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'a', 'irq/41')).differs, ['5 here']);
    assert.deepEqual(marksOf(lanes, rowOf(lanes, 'b', 'irq/41')).differs, ['5 missing']);
  });

  it('mark nothing where the states are the same', () => {
    const lanes = lanesBetween(4, 4);
    for (const lane of lanes.list()) assert.deepEqual(marksOf(lanes, lane, true).differs, []);
  });
});
