// The parts of the timeline that need no page: which part is shown, where ticks stand, what is fetched.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TraceMessage, WindowQuestion } from '../../src/protocol/timeline.ts';
import { packWindow } from '../../src/protocol/window.ts';
import type { WindowView } from '../../src/view/lanes/values.ts';
import { readMemory } from '../../webview/memory.ts';
import { Model } from '../../webview/model.ts';
import { niceStep, placeText, ticksOf, unitOf } from '../../webview/ticks.ts';
import { Viewport } from '../../webview/viewport.ts';
import { binSize, Windows } from '../../webview/windows.ts';
import { someLanes } from './some-lanes.ts';

// What windows.ts asks the page.
Object.assign(globalThis, { window: globalThis, devicePixelRatio: 1 });

function viewport(from = 0, to = 1e9, width = 1000): Viewport {
  const view = new Viewport();
  view.resize(width, { from, to }, 1000);
  return view;
}

describe('viewport', () => {
  it('keeps what is at the pointer while zooming', () => {
    fc.assert(
      fc.property(
        // Inside the trace: at its ends the picture is not moved out of sight.
        fc.integer({ min: 20, max: 980 }),
        fc.double({ min: 1.01, max: 50, noNaN: true }),
        (pixel, factor) => {
          const view = viewport();
          const x = view.place(pixel);
          view.zoom(pixel, factor);
          assert.ok(Math.abs(view.place(pixel) - x) <= 1e-6 * 1e9);
        },
      ),
    );
  });

  it('never shows more than all, never less than some digits, never nothing of the trace', () => {
    const move = fc.oneof(
      fc.record({ zoom: fc.double({ min: 0.001, max: 1000, noNaN: true }), at: fc.integer({ min: 0, max: 1000 }) }),
      fc.record({ pan: fc.integer({ min: -100_000, max: 100_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        const view = viewport(5e8, 9e8);
        for (const m of moves) {
          if ('zoom' in m) view.zoom(m.at, m.zoom);
          else view.pan(m.pan);
        }
        assert.ok(view.to - view.from <= 4e8 * 1.05);
        assert.ok(view.to - view.from >= 19_999);
        assert.ok(view.to > 5e8 && view.from < 9e8);
      }),
    );
  });

  it('stays fitted when the cursor moves before the page knows how long the trace is', () => {
    const view = viewport(0, 0);
    view.reveal(5e8);
    view.resize(1000, { from: 0, to: 1e9 }, 1000);
    assert.ok(view.from <= 0 && view.to >= 1e9, `${view.from} to ${view.to}`);
    view.show(0, 1e6);
    view.reveal(5e8);
    assert.ok(view.from < 5e8 && view.to > 5e8, 'a part goes where the cursor is');
  });

  it('stays fitted while the trace grows, and keeps its part when it was moved', () => {
    const view = viewport(0, 1000_000);
    view.resize(1000, { from: 0, to: 2000_000 }, 1000);
    assert.ok(view.from < 0 && view.to > 2000_000);
    view.show(400_000, 500_000);
    view.resize(500, { from: 0, to: 9000_000 }, 1000);
    assert.deepEqual([Math.round(view.from), Math.round(view.to)], [400_000, 500_000]);
    view.fit();
    assert.ok(view.fitted && view.to > 9000_000);
  });

  it('moves to a place that is out of sight, and not for one in sight', () => {
    const view = viewport();
    view.show(1e8, 2e8);
    view.reveal(1.5e8);
    assert.equal(Math.round(view.from), 1e8);
    view.reveal(7e8);
    assert.ok(view.from < 7e8 && view.to > 7e8);
    assert.equal(Math.round(view.to - view.from), 1e8);
  });

  it('can show a trace of one event', () => {
    const view = viewport(70, 70);
    assert.ok(view.size > 0 && view.from < 70 && view.to > 70);
  });
});

describe('ruler', () => {
  it('has round steps', () => {
    assert.deepEqual(
      [0.5, 1, 1.1, 3, 7, 12, 99, 101].map((n) => niceStep(n, 1)),
      [1, 1, 2, 5, 10, 20, 100, 200],
    );
    assert.equal(niceStep(3500, 1000), 5000);
    assert.equal(niceStep(1, 1000), 1000);
  });

  it('has ticks inside the range, no closer than asked, on multiples of their step', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 100_000, max: 1e11 }),
        fc.integer({ min: 3, max: 20 }),
        (from, length, labels) => {
          const room = length / labels;
          const { major, minor } = ticksOf(from, from + length, room, 1000);
          assert.ok(major.length <= labels + 1 && major.length >= Math.floor(labels / 2.5));
          for (const x of [...major, ...minor]) assert.ok(x >= from && x <= from + length && x % 1000 === 0);
          for (let i = 1; i < major.length; i++) assert.ok(major[i]! - major[i - 1]! >= room * (1 - 1e-9));
          for (const x of major) if (minor.length > 0) assert.ok(minor.includes(x), `${x}`);
        },
      ),
    );
  });

  it('prints places with all digits of the source', () => {
    const micro = { base: 1795148648n, ticks: false, digits: 6 };
    assert.equal(placeText(16_553_841_000, 'time', micro), '1795148664.553841');
    assert.equal(placeText(16_553_841_000, 'time', { ...micro, digits: 9 }), '1795148664.553841000');
    assert.equal(placeText(7, 'time', { base: 12_345_678_901_234n, ticks: true, digits: 0 }), '12345678901241');
    assert.equal(placeText(41.6, 'step', micro), '42');
    assert.deepEqual(
      [unitOf('time', micro), unitOf('time', { ...micro, digits: 9 }), unitOf('step', micro)],
      [1000, 1, 1],
    );
  });
});

const empty: WindowView = {
  rowMarks: new Uint32Array(2),
  at: new Float32Array(),
  count: new Uint32Array(),
  step: new Uint32Array(),
  shapes: new Uint16Array(),
  hits: new Uint32Array(),
  hitShapes: new Uint16Array(),
  rowLayers: new Uint32Array(2),
  layerRuns: new Uint32Array(1),
  runAt: new Float32Array(),
  runValue: new Uint8Array(),
  runFill: new Uint8Array(),
  rowDiffs: new Uint32Array(2),
  diffAt: new Float32Array(),
  diffKinds: new Uint8Array(),
};

const unexpected = (error: unknown): never => assert.fail(String(error));

describe('fetching', () => {
  const row = { lane: 1, deep: false };
  const wantedOf = (view: Viewport) => ({
    ...{ trace: 1, viewport: view, rows: [row], needed: [row], indexed: 10, search: 0, searched: 0 },
  });
  const reply = { indexed: 10, search: 0, searched: 0, window: packWindow(empty) };
  const tick = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

  it('rounds resolutions down to powers of two', () => {
    assert.deepEqual(
      [1, 1.5, 2, 1000, 0.3].map((n) => binSize(n, 1)),
      [1, 1, 2, 512, 0.25],
    );
    assert.equal(binSize(1000, 2), 256);
  });

  it('asks for three screens, and for nothing new while these suffice', async () => {
    const asked: WindowQuestion[] = [];
    let search = 0;
    const windows = new Windows(
      async (question) => {
        asked.push(question);
        return { ...reply, search, searched: search * 5 };
      },
      () => {},
      unexpected,
    );
    const view = viewport();
    view.show(4e8, 4.1e8);
    windows.want(wantedOf(view));
    await tick();
    const [first] = asked;
    const end = first!.from + first!.size * first!.bins;
    assert.ok(first!.from <= 3.9e8 && end >= 4.2e8 && end < 4.21e8);
    assert.equal(Math.log2(first!.size) % 1, 0);
    assert.equal((first!.from / first!.size) % 1, 0);
    for (const pixels of [300, -700, 200]) {
      view.pan(pixels);
      windows.want(wantedOf(view));
      await tick();
    }
    assert.equal(asked.length, 1);
    view.pan(1500);
    windows.want(wantedOf(view));
    await tick();
    assert.equal(asked.length, 2);
    windows.want({ ...wantedOf(view), indexed: 11 });
    await tick();
    assert.equal(asked.length, 3, 'there is more of the trace');
    search = 2;
    windows.want({ ...wantedOf(view), search });
    await tick();
    assert.equal(asked.length, 4, 'other events are looked for');
    windows.want({ ...wantedOf(view), search, searched: 10 });
    await tick();
    assert.equal(asked.length, 4);
    windows.want({ ...wantedOf(view), search, searched: 11 });
    await tick();
    assert.equal(asked.length, 5, 'the search went on');
    search = 0;
    windows.want(wantedOf(view));
    await tick();
    assert.equal(asked.length, 6, 'nothing is looked for any more');
  });

  it('has one question under way, and then asks only the newest of those that came', async () => {
    const asked: { question: WindowQuestion; answer: () => void }[] = [];
    const windows = new Windows(
      (question) =>
        new Promise((resolve) => {
          asked.push({ question, answer: () => resolve(reply) });
        }),
      () => {},
      unexpected,
    );
    const views = [1, 2, 3, 4].map((n) => {
      const view = viewport();
      view.show(n * 1e8, n * 1e8 + 1e6);
      return view;
    });
    for (const view of views) windows.want(wantedOf(view));
    await tick();
    assert.equal(asked.length, 1);
    asked[0]!.answer();
    await tick();
    assert.equal(asked.length, 2);
    assert.ok(asked[1]!.question.from > 3.9e8);
    asked[1]!.answer();
    await tick();
    assert.equal(windows.waiting, false);
    assert.equal(windows.fetched?.from, asked[1]!.question.from);
  });

  it('goes on after a question that failed', async () => {
    const errors: unknown[] = [];
    let calls = 0;
    const windows = new Windows(
      () => {
        calls++;
        return calls === 1 ? Promise.reject(new Error('no')) : Promise.resolve(reply);
      },
      () => {},
      (error) => errors.push(error),
    );
    windows.want(wantedOf(viewport()));
    await tick();
    assert.equal(errors.length, 1);
    windows.want(wantedOf(viewport()));
    await tick();
    assert.ok(windows.fetched);
  });
});

describe('two traces', () => {
  const traceOf = (id: number, to: number): TraceMessage => ({
    ...{
      id,
      status: 'ready',
      name: `trace ${id}`,
      problem: '',
      sources: 1,
      events: 100,
      indexed: 100,
      progress: 1,
      axis: 'time',
    },
    time: { base: '0', ticks: false, digits: 6 },
    extents: { time: [0, to], step: [0, 99], order: [0, 0] },
    sides: [],
  });

  it('keep what was shown of each', () => {
    const model = new Model(undefined);
    model.applyExtent(1000);
    assert.ok(model.setTrace(traceOf(1, 1e9)));
    const lanes = someLanes();
    model.setLanes({ trace: 1, layers: [], lanes });
    model.focused = model.rows.byPath('cpu/0')!.id;
    model.viewport.show(2e8, 3e8);
    assert.ok(model.setTrace(traceOf(2, 5e9)));
    assert.ok(model.viewport.fitted && model.viewport.to > 5e9);
    assert.deepEqual([model.focused, model.rows.rows.length, model.range], [-1, 0, undefined]);
    model.setAxis('step');
    assert.ok(model.setTrace(traceOf(1, 1e9)));
    model.setLanes({ trace: 1, layers: [], lanes });
    assert.deepEqual([model.viewport.from, model.viewport.to].map(Math.round), [2e8, 3e8]);
    assert.equal(model.viewport.axis, 'time');
    assert.equal(model.focusedRow?.lane.path, 'cpu/0');
    model.setTrace(traceOf(2, 5e9));
    assert.equal(model.viewport.axis, 'step');
    assert.equal(model.setTrace(traceOf(2, 6e9)), false, 'the same trace, grown');
  });

  it('take no cursor and no lanes of each other', () => {
    const model = new Model(undefined);
    model.setTrace(traceOf(1, 1e9));
    model.setLanes({ trace: 2, layers: [], lanes: someLanes() });
    assert.equal(model.rows.rows.length, 0);
    const cursor = { trace: 2, step: 5, time: 1, lane: -1, label: '', text: '', selection: '' };
    const whole = { ...cursor, side: '' as const, other: [] };
    assert.deepEqual(model.setCursor(whole), { moved: false, selected: -1 });
    assert.equal(model.cursor, undefined);
  });
});

describe('memory', () => {
  it('is taken when it is whole, and dropped when it is anything else', () => {
    const model = new Model(undefined);
    const memory = model.remember({ namesWidth: 200, scrollTop: 3, legend: false });
    assert.deepEqual(readMemory(structuredClone(memory)), memory);
    for (const bad of [undefined, null, 5, {}, { ...memory, from: 'x' }, { ...memory, turned: [1] }])
      assert.equal(readMemory(bad), undefined);
  });
});
