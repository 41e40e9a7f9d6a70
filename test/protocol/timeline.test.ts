// The messages of the timeline: windows survive the journey, and malformed messages are told from good ones.
import assert from 'node:assert/strict';
import * as v from 'valibot';
import { eventsFromHost, eventsQuestions, MOST_ROWS } from '../../src/protocol/events.ts';
import { LONGEST_FILTER, queryFromHost, queryFromView, queryQuestions } from '../../src/protocol/query.ts';
import { LONGEST_NAME } from '../../src/protocol/rpc.ts';
import { fromHost, fromView, questions } from '../../src/protocol/timeline.ts';
import { packedWindow, packWindow, toTransfer, unpackWindow } from '../../src/protocol/window.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { windowOf } from '../../src/view/lanes/window.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';

const index = new LaneIndex(fixtureTrace('x86-vtd/qemu.log'));
index.advance();
const rows = index.tree.lanes.slice(0, 30).map((lane) => ({ lane: lane.id, deep: lane.parent === undefined }));
const view = windowOf(index, { axis: 'step', from: 0, size: index.done / 300, bins: 300, rows });

describe('windows as messages', () => {
  it('arrive as they were sent', () => {
    const packed = structuredClone(packWindow(view));
    assert.ok(v.is(packedWindow, packed));
    assert.deepEqual(unpackWindow(packed, rows.length), view);
  });

  it('carry the bytes of their columns and nothing around them', () => {
    const large = Uint32Array.from({ length: 100 }, (_, i) => i);
    const part = large.subarray(10, 13);
    assert.equal(toTransfer(part).byteLength, 12);
    assert.deepEqual([...new Uint32Array(toTransfer(part))], [10, 11, 12]);
  });

  it('are refused when a column is missing, is no buffer, or does not fit the others', () => {
    const packed = packWindow(view);
    for (const name of Object.keys(packed) as (keyof typeof packed)[]) {
      const { [name]: _, ...others } = packed;
      assert.ok(!v.is(packedWindow, others));
      assert.ok(!v.is(packedWindow, { ...packed, [name]: [1, 2, 3] }));
      assert.ok(!v.is(packedWindow, { ...packed, [name]: new Uint8Array(8) }));
      const longer = new Uint8Array(packed[name].byteLength + 8);
      longer.set(new Uint8Array(packed[name]));
      assert.throws(() => unpackWindow({ ...packed, [name]: longer.buffer }, rows.length), /do not fit|multiple/, name);
    }
    assert.throws(() => unpackWindow(packed, rows.length + 1), /do not fit/);
  });
});

describe('messages of the timeline', () => {
  const trace = {
    id: 1,
    status: 'ready',
    name: 'a.log',
    problem: '',
    sources: 1,
    events: 5,
    indexed: 5,
    progress: 1,
    axis: 'time',
    time: { base: '1795148648', ticks: false, digits: 6 },
    extents: { time: [0, 1e12], step: [0, 4], order: [0, 0] },
    sides: [],
  };
  const row = { lane: 0, deep: false };
  const good: readonly (readonly [v.GenericSchema, Record<string, unknown>])[] = [
    [questions.hello.params, {}],
    [questions.hello.reply, trace],
    [questions.window.params, { trace: 1, axis: 'time', from: 0, size: 0.5, bins: 100, rows: [row] }],
    [questions.describe.params, { trace: 1, row, axis: 'time', from: 0, to: 1 }],
    [questions.go.params, { trace: 1, row, axis: 'step', to: 'nearest', x: 1 }],
    [questions.go.reply, { step: -1 }],
    [fromHost.trace.params, trace],
    [
      fromHost.cursor.params,
      { trace: 1, step: 2, time: 7, lane: -1, label: '', text: '', selection: '', side: 'b', other: [] },
    ],
    [fromHost.reveal.params, { trace: 1, time: 7, lane: -1 }],
    [fromView.select.params, { trace: 1, path: 'irq/5', lane: 3 }],
    [fromView.open.params, {}],
    [fromView.events.params, {}],
    [fromView.finding.params, { trace: 1, rule: 'F01', step: 4, object: 'irq/5', side: '' }],
    [fromHost.hitLanes.params, { trace: 1, search: 2, lanes: [0, 7] }],
    [eventsQuestions.rows.params, { trace: 1, from: 0, count: 10 }],
    [eventsQuestions.go.params, { trace: 1, search: 0, row: 3 }],
    [eventsQuestions.copy.params, { trace: 1, search: 0, from: 3, to: 4 }],
    [eventsQuestions.copy.reply, { copied: 2 }],
    [eventsFromHost.trace.params, { id: 1, status: 'ready', name: 'a.log', events: 5, sources: 1, widest: '1.000000' }],
    [eventsFromHost.cursor.params, { trace: 1, search: 2, step: -1, row: 0, exact: false }],
    [queryQuestions.typed.params, { trace: 1, text: 'kind == ', column: 8 }],
    [queryFromView.look.params, { trace: 1, filter: '' }],
    [queryFromView.hit.params, { trace: 1, to: 'next' }],
    [queryFromView.stop.params, { trace: 1 }],
    [
      queryFromHost.search.params,
      { trace: 1, id: 3, filter: 'step > 1', state: 'running', hits: 1, done: 2, total: 5, at: -1 },
    ],
  ];

  it('are taken when they are good', () => {
    for (const [schema, message] of good) assert.ok(v.is(schema, message), JSON.stringify(message));
  });

  it('are refused with a key too few or too many, or a value of another type', () => {
    for (const [schema, message] of good) {
      assert.ok(!v.is(schema, { ...message, more: 1 }));
      for (const key of Object.keys(message)) {
        const { [key]: _, ...others } = message;
        assert.ok(!v.is(schema, others), `${key} missing in ${JSON.stringify(message)}`);
        for (const bad of [null, undefined, Symbol.iterator, Number.NaN, { x: 1 }])
          assert.ok(!v.is(schema, { ...message, [key]: bad }), `${key} = ${String(bad)}`);
      }
    }
  });

  it('of a page have no text without a limit', () => {
    const fromPages: readonly object[] = [questions, fromView, eventsQuestions, queryQuestions, queryFromView];
    const schemas = new Set(fromPages.flatMap((all) => Object.values(all)).map(({ params }) => params));
    const layout = [fromView.layout.params, { trace: 1, lanes: ['irq/5'] }] as const;
    const sent = [...good, layout].filter(([schema]) => schemas.has(schema));
    const long = 'x'.repeat(LONGEST_NAME + 1);
    let texts = 0;
    for (const [schema, message] of sent)
      for (const [key, value] of Object.entries(message)) {
        if (typeof value !== 'string' && !Array.isArray(value)) continue;
        if (Array.isArray(value) && typeof value[0] !== 'string') continue;
        texts++;
        const longer = { ...message, [key]: Array.isArray(value) ? [long] : long };
        assert.ok(!v.is(schema, longer), `${key} of ${JSON.stringify(message)}`);
      }
    assert.ok(texts >= 8, `${texts} texts`);
    assert.ok(v.is(fromView.select.params, { trace: 1, path: long.slice(1), lane: 3 }));
    // The host tells the paths of a trace, which can be longer.
    assert.ok(v.is(fromHost.layout.params, { trace: 1, lanes: [long] }));
  });

  it('about a marked range name one, or none', () => {
    const { params } = fromView.range;
    const range = { axis: 'time', from: 5, to: 2 };
    for (const good of [range, null]) assert.ok(v.is(params, { trace: 1, range: good }));
    for (const bad of [undefined, {}, { ...range, axis: 'x' }, { ...range, to: Number.NaN }, { ...range, more: 1 }])
      assert.ok(!v.is(params, { trace: 1, range: bad }));
  });

  it('about a filter that is being typed are taken with what is wrong, or with nothing', () => {
    const { reply, params } = queryQuestions.typed;
    const completions = [{ text: 'send', what: 'a kind', from: 8, to: 9 }];
    const problem = { at: 8, message: 'no such kind', missing: false };
    for (const good of [null, problem]) assert.ok(v.is(reply, { problem: good, completions }));
    for (const bad of [undefined, {}, { ...problem, at: -1 }, { ...problem, more: 1 }, 'wrong'])
      assert.ok(!v.is(reply, { problem: bad, completions }));
    assert.ok(!v.is(reply, { problem: null, completions: [{ ...completions[0], from: -1 }] }));
    assert.ok(!v.is(reply, { problem: null, completions: Array.from({ length: 500 }, () => completions[0]) }));
    assert.ok(!v.is(params, { trace: 1, text: 'x'.repeat(LONGEST_FILTER + 1), column: 0 }));
  });

  it('with rows of the list of events are taken whole', () => {
    const { reply, params } = eventsQuestions.rows;
    const row = { step: 4, time: '1.0', dt: '', gap: '', cpu: '0', kind: 'send', object: 'irq/5', text: '' };
    assert.ok(v.is(reply, { trace: 1, search: 0, from: 0, rows: [row] }));
    for (const key of Object.keys(row)) {
      const { [key as keyof typeof row]: _, ...others } = row;
      assert.ok(!v.is(reply, { trace: 1, search: 0, from: 0, rows: [others] }), key);
    }
    assert.ok(!v.is(reply, { trace: 1, search: 0, from: 0, rows: Array.from({ length: MOST_ROWS + 1 }, () => row) }));
    for (const bad of [{ count: 0 }, { count: MOST_ROWS + 1 }, { from: -1 }, { from: 0.5 }])
      assert.ok(!v.is(params, { trace: 1, from: 0, count: 1, ...bad }));
  });

  it('are refused with numbers that make no sense', () => {
    const ask = { trace: 1, axis: 'time', from: 0, size: 0.5, bins: 100, rows: [row] };
    for (const bad of [
      { ...ask, size: 0 },
      { ...ask, size: -1 },
      { ...ask, bins: 0 },
      { ...ask, bins: 1e9 },
      { ...ask, bins: 1.5 },
      { ...ask, from: Number.POSITIVE_INFINITY },
      { ...ask, axis: 'colour' },
      { ...ask, rows: Array.from({ length: 5000 }, () => row) },
      { ...ask, rows: [{ lane: -1, deep: false }] },
    ])
      assert.ok(!v.is(questions.window.params, bad), JSON.stringify(bad).slice(0, 100));
    assert.ok(!v.is(fromHost.trace.params, { ...trace, time: { ...trace.time, base: '12e5' } }));
  });
});
