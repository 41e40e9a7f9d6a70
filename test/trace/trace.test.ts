import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tblBind, tblSeen } from '../../src/model/events/msix.ts';
import { kvmMsi } from '../../src/model/events/virt.ts';
import { State } from '../../src/model/state.ts';
import { device, msixEntry, table } from '../../src/model/things/pci.ts';
import { kvmVm } from '../../src/model/things/virt.ts';
import { apply } from '../../src/model/vocabulary.ts';
import { stateTree } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { BEFORE_FIRST, KEYFRAME_WORDS, type Trace } from '../../src/trace/trace.ts';
import { rowOf } from '../helpers/row.ts';
import { randomTrace, randomWords } from '../model/random.ts';

const show = (state: State): string => JSON.stringify(stateTree(state));

/** The plain fold: every event from the first on, applied to an empty state; `at` sees the state after some steps. */
function fold(trace: Trace, steps: ReadonlySet<number>, at: (step: number, state: State) => void): void {
  const state = new State(trace.world);
  const row = rowOf({ kind: 0 });
  if (steps.has(BEFORE_FIRST)) at(BEFORE_FIRST, state);
  for (let step = 0; step < trace.length; step++) {
    apply(state, trace.table.kind(step), trace.table.read(step, row));
    if (steps.has(step)) at(step, state);
  }
}

const seeds = fc.integer({ min: 0, max: 0xffffffff });

describe('the state at a step', () => {
  it('is what a plain fold gives, for any events, in any order of asking', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 6000 }), (seed, count) => {
        const trace = randomTrace(seed, count);
        const next = randomWords(seed ^ 0x5eed);
        const steps = new Set([BEFORE_FIRST, 0, count - 1]);
        for (const edge of [2048, 4096])
          for (const step of [edge - 2, edge - 1, edge]) if (step < count) steps.add(step);
        for (let i = 0; i < 6; i++) steps.add(next() % count);
        const expected = new Map<number, string>();
        fold(trace, steps, (step, state) => expected.set(step, show(state)));
        const forward = [...steps].sort((a, b) => a - b);
        const backward = [...forward].reverse();
        const random = [...forward].sort(() => (next() & 1) - 0.5);
        for (const order of [forward, backward, random])
          for (const step of order) assert.equal(show(trace.stateAt(step)), expected.get(step), `step ${step}`);
        assert.equal(show(trace.head), expected.get(count - 1));
      }),
      { numRuns: 12 },
    );
  });

  it('does not hang on what later events bring: a table of which no entry was seen yet is gone when its device is known', () => {
    const trace = randomTrace(1, 0);
    const { world } = trace;
    const unknown = world.object(table, 'table/1');
    const device0 = world.object(device, 'device/0000:00:03.0');
    const words = (...values: number[]): Uint32Array => Uint32Array.from(values);
    trace.append(rowOf({ kind: tblSeen.number, object: unknown, words: words(0xfe000000, 0) }));
    trace.append(rowOf({ kind: tblBind.number, object: unknown, words: words(device0, 0) }));
    world.child(msixEntry, unknown, 'msix', 0);
    const expected: string[] = [];
    fold(trace, new Set([0, 1]), (_, state) => expected.push(show(state)));
    assert.deepEqual(
      [0, 1].map((step) => show(trace.stateAt(step))),
      expected,
    );
    assert.match(expected[0]!, /0xfe000000/);
    assert.equal(trace.head.present(unknown), false);
  });

  it('is owned by the caller: writing to it, or advancing it, changes no other answer', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const trace = randomTrace(seed, 2100);
        const steps = [BEFORE_FIRST, 3, 2047, 2048, 2090];
        const before = steps.map((s) => show(trace.stateAt(s)));
        const head = show(trace.head);
        for (const step of steps) {
          const state = trace.stateAt(step);
          for (let object = 0; object < trace.world.objects; object++) state.set(object, 1, 0x5a5a5a5a);
          const other = trace.stateAt(step);
          trace.advance(other, step, trace.length - 1);
          assert.equal(show(other), head);
        }
        assert.deepEqual(
          steps.map((s) => show(trace.stateAt(s))),
          before,
        );
        assert.equal(show(trace.head), head);
      }),
      { numRuns: 4 },
    );
  });

  it('is right in long traces, a short replay away from a keyframe', () => {
    const count = 400_000;
    const trace = randomTrace(1, 0);
    const vm = trace.world.object(kvmVm, 'kvm/0');
    const row = rowOf({ kind: kvmMsi.number, object: vm });
    const messages = (step: number): number => trace.stateAt(step).get(vm, kvmVm.at.messages);
    for (let step = 0; step < count; step++) {
      trace.append(Object.assign(row, { time: step, line: step + 1, offset: step }));
      // Also while the trace grows.
      if (step % 9973 === 0) for (const s of [0, step - 1, step]) assert.equal(messages(s), s + 1);
    }
    assert.ok(trace.log.words > 4 * KEYFRAME_WORDS, 'several keyframes');
    const next = randomWords(2);
    for (const step of [...Array.from({ length: 100 }, () => next() % count), count - 1])
      assert.equal(messages(step), step + 1, `step ${step}`);
    assert.equal(messages(BEFORE_FIRST), 0);
  });

  it('clamps: before the first event nothing is known, behind the last it is the last', () => {
    const trace = randomTrace(1, 100);
    assert.deepEqual(stateTree(trace.stateAt(BEFORE_FIRST)), {});
    assert.deepEqual(stateTree(trace.stateAt(-99)), {});
    assert.equal(show(trace.stateAt(1e9)), show(trace.head));
  });
});

describe('the event table', () => {
  it('gives back what was put in, over many segments', () => {
    const trace = randomTrace(7, 100);
    const next = randomWords(99);
    const put: unknown[] = [];
    for (let i = 0; i < 70_000; i++) {
      const words = new Uint32Array(64).map(next);
      const row = [next() % 5, i * 7.5, (next() % 9) - 1, next(), next(), i, i * 1e6] as const;
      const [kind_, time, cpu, object, task, line, offset] = row;
      trace.first.events.push(rowOf({ kind: kind_, time, cpu, object, task, line, offset, words }));
      const kind = trace.table.kind(100 + i);
      put.push([...row, Array.from({ length: kind.size }, (_, w) => words[w])]);
    }
    const { table } = trace;
    for (let i = 0; i < put.length; i++) {
      const step = 100 + i;
      const words = Array.from({ length: table.kind(step).size }, (_, w) => table.word(step, w));
      assert.deepEqual(
        [
          table.kindNumber(step),
          table.time(step),
          table.cpu(step),
          table.object(step),
          table.task(step),
          table.line(step),
          table.offset(step),
          words,
        ],
        put[i],
      );
    }
  });

  it('finds the last step at a line and at a time, also where several stand on one and where stamps go back', () => {
    const trace = randomTrace(3, 0);
    const rows: [time: number, line: number][] = [
      [10, 2],
      [10, 2],
      [30, 5],
      [20, 6],
      [Number.NaN, 9],
      [40, 9],
    ];
    for (const [time, line] of rows) trace.append(rowOf({ kind: 0, time, line, offset: line * 10 }));
    const lastWhere = (test: (row: [number, number]) => boolean): number => rows.findLastIndex(test);
    for (let line = 0; line < 12; line++)
      assert.equal(
        trace.lastAtLine(line),
        lastWhere((r) => r[1] <= line),
      );
    for (let time = 0; time < 50; time += 5)
      assert.equal(
        trace.lastAtTime(time),
        lastWhere((r) => r[0] <= time),
      );
  });
});

describe('the integrity walk', () => {
  const good = { kind: 2, time: 1, cpu: 0, line: 51, offset: 510 };

  it('finds nothing wrong with a good trace', () => {
    assert.deepEqual(checkIntegrity(randomTraceWithTexts()), []);
  });

  /** Random events may name texts that do not exist; a good trace does not. */
  function randomTraceWithTexts(): Trace {
    const trace = randomTrace(11, 0);
    trace.world.object(device, 'device/0000:00:03.0');
    for (let i = 0; i < 50; i++)
      trace.first.events.push(rowOf({ kind: 2, time: i, cpu: 0, line: i + 1, offset: i * 10 }));
    Object.assign(trace.first.accounting, { lines: 50, records: 50, understood: 50 });
    return trace;
  }

  const damages: Readonly<Record<string, (t: Trace) => void>> = {
    'no object': (t) => t.first.events.push(rowOf({ ...good, object: 1e6 })),
    'no text': (t) => t.first.events.push(rowOf({ ...good, task: 1e6 })),
    'line 3 after line 50': (t) => t.first.events.push(rowOf({ ...good, line: 3 })),
    'offset 3 after 490': (t) => t.first.events.push(rowOf({ ...good, line: 50, offset: 3 })),
    'time is infinite': (t) => t.first.events.push(rowOf({ ...good, time: Number.POSITIVE_INFINITY, line: 50 })),
    'the last event stands on line 60 of 50': (t) => t.first.events.push(rowOf({ ...good, line: 60, offset: 600 })),
    'understood + unknown + skipped = 51, but there are 50 records': (t) => t.first.accounting.skipped.set('x', 1),
    'records and other lines make 51, but there are 50 lines': (t) => t.first.accounting.others.set('blank', 1),
  };
  for (const [found, damage] of Object.entries(damages)) {
    it(`finds: ${found}`, () => {
      const trace = randomTraceWithTexts();
      damage(trace);
      assert.match(checkIntegrity(trace).join('\n'), new RegExp(found.replaceAll('+', '\\+')));
    });
  }
});
