// The host's end of a timeline that shows the lanes of two traces.
import assert from 'node:assert/strict';
import { Peer } from '../../src/protocol/rpc.ts';
import type {
  CursorMessage,
  Description,
  FindingsMessage,
  HitLanesMessage,
  LaneMessage,
  LanesMessage,
  TableReply,
  TraceMessage,
  WindowReply,
} from '../../src/protocol/timeline.ts';
import { unpackWindow } from '../../src/protocol/window.ts';
import { Session } from '../../src/session/session.ts';
import { DIFFERENCE } from '../../src/view/lanes/values.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import type { ShownFinding, ShownTrace } from '../../src/vscode/timeline/messages.ts';
import { TimelineService } from '../../src/vscode/timeline/service.ts';
import { importText } from '../helpers/fixtures.ts';
import { BAD, type Compared, comparison, ENTRY, GOOD, textOf } from './comparing.ts';
import { Clock, Line } from './line.ts';

let ids = 0;
function shownOf(label: string, events: readonly string[]): ShownTrace {
  const session = new Session(importText(textOf(events)));
  session.grown(true);
  return { id: ++ids, label, session, load: 'ready', progress: 1, error: undefined };
}

/** `pace`: milliseconds from one look at the clock to the next; a slice of work ends after eight. */
function start(findings: (trace: ShownTrace) => readonly ShownFinding[] = () => [], pace = 1) {
  const clock = new Clock();
  const line = new Line();
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem: (text) => assert.fail(text) });
  const now = (): number => (clock.now += pace);
  const searcher = new Searcher(clock.after, now);
  const wanted: string[] = [];
  const service = new TimelineService(peer, {
    ...{ after: clock.after, now, searcher, problem: (text) => assert.fail(text), open: () => {} },
    findings,
    finding: ({ label }, { rule, step }) => wanted.push(`${label} ${rule.id} ${step}`),
  });
  const listen = ({ a, b }: Compared): void => {
    for (const { session } of new Set([a, b]))
      session.onChange((what) => {
        if (what === 'cursor' || what === 'selection') service.moved(session);
        if (what === 'search') service.searched();
      });
  };
  return { clock, line, service, searcher, wanted, listen };
}

/** Both runs, compared and aligned. */
function both(findings?: (trace: ShownTrace) => readonly ShownFinding[]) {
  const parts = start(findings);
  const compared = comparison(shownOf('good.log', GOOD), shownOf('bad.log', BAD));
  parts.listen(compared);
  parts.service.compare(compared);
  parts.clock.run(60_000);
  const { line } = parts;
  const lane = (side: 'a' | 'b', path: string): LaneMessage =>
    line.last<LanesMessage>('timeline/lanes').lanes.find((one) => one.side === side && one.path === path) ??
    assert.fail(`no lane ${side} ${path}`);
  const cursors = (): number[] => [compared.a.session.cursor, compared.b.session.cursor];
  const question = (row: LaneMessage, deep = false) => ({
    ...{ trace: compared.id, row: { lane: row.id, deep }, axis: 'order', from: 0, to: 8 },
  });
  return { ...parts, compared, lane, cursors, question };
}

describe('timeline service of two traces', () => {
  it('says that it aligns them, then shows the lanes of both with the names of the traces', async () => {
    const { service, clock, line } = start(undefined, 5);
    const compared = comparison(shownOf('good.log', GOOD), shownOf('bad.log', BAD));
    service.compare(compared);
    const first = line.last<TraceMessage>('timeline/trace');
    assert.deepEqual([first.id, first.status, first.name], [compared.id, 'loading', 'good.log ↔ bad.log']);
    assert.deepEqual(line.last<LanesMessage>('timeline/lanes').lanes, []);
    const early = { trace: compared.id, axis: 'order', from: 0, size: 1, bins: 8, rows: [] };
    await assert.rejects(line.ask('timeline/window', early), /not aligned yet/);
    clock.run(60_000);
    const { status, axis, extents, sides, events, indexed } = line.last<TraceMessage>('timeline/trace');
    assert.deepEqual([status, axis, sides], ['ready', 'order', ['good.log', 'bad.log']]);
    // Seven events and eight, of which seven stand together.
    assert.deepEqual([events, indexed, extents.order], [15, 15, [0, 7]]);
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    const irqs = lanes.filter(({ path }) => /^irq\/\d+$/.test(path));
    assert.deepEqual(
      irqs.map(({ side, path, detail }) => `${side} ${path} ${detail}`),
      ['a irq/41 eth0 · good.log', 'b irq/43 eth0 · bad.log'],
    );
    assert.equal(irqs[1]!.twin, irqs[0]!.id);
  });

  it('answers with windows that hold the marks and differences of both', async () => {
    const { line, compared, lane } = both();
    const rows = [lane('a', ENTRY), lane('b', ENTRY)].map(({ id }) => ({ lane: id, deep: false }));
    const question = { trace: compared.id, axis: 'order', from: 0, size: 1, bins: 8, rows };
    const { window, indexed } = await line.ask<WindowReply>('timeline/window', question);
    assert.equal(indexed, 15);
    const view = unpackWindow(window, 2);
    assert.deepEqual([...view.rowMarks], [0, 2, 5]);
    assert.deepEqual([...view.at], [3, 4, 3, 4, 5]);
    assert.deepEqual([...view.diffAt], [5, 5]);
    assert.deepEqual([...view.diffKinds], [DIFFERENCE.missing, DIFFERENCE.here]);
  });

  it('takes the cursors of both traces to what stands together', async () => {
    const { line, compared, lane, cursors } = both();
    const go = (row: LaneMessage, x: number, to = 'nearest') =>
      line.ask<{ step: number }>('timeline/go', {
        ...{ trace: compared.id, row: { lane: row.id, deep: false }, axis: 'order', to, x },
      });
    assert.deepEqual(await go(lane('a', 'irq/41'), 5.9), { step: 5 });
    assert.deepEqual([cursors(), compared.now], [[5, 6], 'a']);
    const cursor = line.last<CursorMessage>('timeline/cursor');
    assert.deepEqual(
      [cursor.step, cursor.time, cursor.side, cursor.label, cursor.lane],
      [5, 6, 'a', 'A 5 · B 6', lane('a', 'irq/41').id],
    );
    assert.deepEqual(cursor.other, [{ step: 6, time: 6, lane: lane('b', 'irq/43').id }]);
    assert.equal(cursor.text, 'A: irq.entry irq/41 name=eth0  B: irq.entry irq/43 name=eth0');
    assert.deepEqual(await go(lane('b', 'irq/43'), 2), { step: 2 });
    assert.deepEqual([cursors(), compared.now], [[2, 2], 'b']);
    assert.deepEqual(compared.went, [
      { side: 'a', step: 5 },
      { side: 'b', step: 2 },
    ]);
    assert.deepEqual(await go(lane('b', 'irq/43'), 0, 'next'), { step: 6 });
    assert.deepEqual(await go(lane('b', 'irq/43'), 0, 'next'), { step: 7 });
    assert.deepEqual(await go(lane('b', 'irq/43'), 0, 'next'), { step: -1 });
    // A click at a place where only B has an event leads to that event; in A the one before it is the last that happened.
    assert.deepEqual(await go(lane('a', ENTRY), 4.9), { step: 5 });
    assert.deepEqual([cursors(), compared.now], [[4, 5], 'b']);
    assert.deepEqual(compared.went.at(-1), { side: 'b', step: 5 });
  });

  it('has the other cursor follow that of the active trace, however it is moved', () => {
    const { line, compared, cursors } = both();
    compared.a.session.move({ to: 'step', step: 6 });
    assert.deepEqual(cursors(), [6, 7]);
    compared.b.session.move({ to: 'step', step: 1 });
    assert.deepEqual(cursors(), [6, 1], 'B is not active');
    compared.now = 'b';
    compared.b.session.move({ to: 'step', step: 5 });
    assert.deepEqual(cursors(), [4, 5]);
    compared.b.session.move({ to: 'first' });
    assert.deepEqual(cursors(), [0, 0]);
    assert.equal(line.last<CursorMessage>('timeline/cursor').label, 'A 0 · B 0');
    compared.b.session.move({ to: 'previous' });
    assert.deepEqual(cursors(), [-1, -1]);
  });

  it('takes the other cursor before the first event where only one trace has events so early', () => {
    const { service, clock, listen } = start();
    const compared = comparison(shownOf('late.log', GOOD.slice(3)), shownOf('good.log', GOOD));
    listen(compared);
    compared.now = 'b';
    service.compare(compared);
    clock.run(60_000);
    compared.a.session.move({ to: 'step', step: 2 });
    compared.b.session.move({ to: 'step', step: 0 });
    assert.deepEqual([compared.a.session.cursor, compared.b.session.cursor], [-1, 0]);
  });

  it('tells in table and tooltip what the other trace has', async () => {
    const { line, lane, question } = both();
    const table = await line.ask<TableReply>('timeline/table', question(lane('a', ENTRY)));
    assert.deepEqual(table, {
      rows: [
        {
          step: 3,
          time: '0.003000',
          text: `tbl.write ${ENTRY} offset=0xc size=4 value=0x0`,
          other: 'step 3, the same',
        },
        { step: 4, time: '0.004000', text: `dev.raise ${ENTRY} vector=0`, other: 'step 4, the same' },
        { step: -1, time: '', text: '', other: `step 5, only there: dev.raise ${ENTRY} vector=0` },
      ],
      count: 3,
    });
    const { rows } = await line.ask<TableReply>('timeline/table', question(lane('b', ENTRY)));
    assert.equal(rows[2]!.other, 'no such event');
    const moved = await line.ask<TableReply>('timeline/table', question(lane('b', 'irq/43')));
    assert.equal(moved.rows[2]!.other, 'step 2, vector: 33 → 35');
    assert.equal(moved.rows[1]!.other, 'not compared: it only shows what is there', 'irq.identify');
    const { events } = await line.ask<Description>('timeline/describe', question(lane('b', ENTRY)));
    assert.deepEqual(
      events.map(({ text }) => text.split(' · ')[1]),
      [undefined, undefined, 'only in B'],
    );
  });

  it('shows the place of a row of the comparison', () => {
    const { line, service, lane } = both();
    service.reveal(undefined, 5);
    const told = { method: 'timeline/reveal', value: { trace: 2 ** 32, time: 5, lane: lane('b', ENTRY).id } };
    assert.deepEqual(
      line.told
        .filter(({ method }) => method === told.method)
        .map(({ value }) => ({ ...(value as object), trace: 2 ** 32 })),
      [told.value],
    );
  });

  it('selects the object of a lane in its trace, and marks a range in both', () => {
    const { line, compared, lane } = both();
    line.tell('timeline/select', { trace: compared.id, path: 'irq/43', lane: lane('b', 'irq/43').id });
    assert.deepEqual(
      [compared.a.session.selection, compared.b.session.selection, compared.now],
      [undefined, 'irq/43', 'b'],
    );
    assert.equal(line.last<CursorMessage>('timeline/cursor').selection, 'irq/43');
    line.tell('timeline/range', { trace: compared.id, range: { axis: 'order', from: 4.5, to: 6.5 } });
    assert.deepEqual(
      [compared.a.session.range, compared.b.session.range],
      [
        { from: 5, to: 5 },
        { from: 5, to: 6 },
      ],
    );
  });

  it('pins the findings of both, and shows the one that is asked for', () => {
    const { line, compared, lane, wanted } = both(({ session, label }) => [
      { rule: { id: 'F01' }, severity: 'error', title: label, step: 3, object: session.trace.table.object(3) },
    ]);
    const { places } = line.last<FindingsMessage>('timeline/findings');
    assert.deepEqual(
      places.map(({ side, step, time, lane: id, title }) => [side, step, time, id, title]),
      [
        ['a', 3, 3, lane('a', ENTRY).id, 'good.log'],
        ['b', 3, 3, lane('b', ENTRY).id, 'bad.log'],
      ],
    );
    line.tell('timeline/finding', { trace: compared.id, rule: 'F01', step: 3, object: ENTRY, side: 'b' });
    assert.deepEqual(wanted, ['bad.log F01 3']);
  });

  it('looks for events in both', async () => {
    const { line, clock, compared, lane, searcher } = both();
    line.tell('query/look', { trace: compared.id, filter: 'kind == dev.raise' });
    for (let i = 0; i < 5; i++) {
      await new Promise((done) => setTimeout(done, 20));
      clock.run(1000);
    }
    const search = line.last<{ hits: number; total: number; state: string; at: number; id: number }>('query/search');
    assert.deepEqual([search.hits, search.total, search.state, search.at], [3, 15, 'done', -1]);
    const found = line.last<HitLanesMessage>('timeline/hit-lanes');
    assert.equal(found.search, searcher.numberOf(compared.a.session));
    for (const side of ['a', 'b'] as const) assert.ok(found.lanes.includes(lane(side, ENTRY).id), side);
    assert.ok(!found.lanes.includes(lane('a', 'irq/41').id));
    const rows = [lane('a', ENTRY), lane('b', ENTRY)].map(({ id }) => ({ lane: id, deep: false }));
    const question = { trace: compared.id, axis: 'order', from: 0, size: 1, bins: 8, rows };
    const reply = await line.ask<WindowReply>('timeline/window', question);
    assert.deepEqual([...unpackWindow(reply.window, 2).hits], [0, 1, 0, 1, 1]);
    assert.deepEqual([reply.search, reply.searched], [search.id, 15]);
  });

  it('shows two steps of one trace the same way', async () => {
    const { service, clock, line, listen } = start();
    const shown = shownOf('good.log', GOOD);
    const compared = comparison(shown, shown, [2, 5]);
    listen(compared);
    service.compare(compared);
    clock.run(60_000);
    const { name, sides, extents } = line.last<TraceMessage>('timeline/trace');
    assert.deepEqual([name, sides, extents.order], ['good.log', ['after step 2', 'after step 5'], [0, 5]]);
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    const row = lanes.find(({ side, path }) => side === 'a' && path === 'irq/41')!;
    const question = { trace: compared.id, row: { lane: row.id, deep: false }, axis: 'order', from: 0, to: 6 };
    const { rows } = await line.ask<TableReply>('timeline/table', question);
    assert.deepEqual(
      rows.map(({ step, other }) => [step, other.split(':')[0]]),
      [
        [0, 'the same'],
        [1, 'the same'],
        [2, 'the same'],
        [-1, 'step 5, only there'],
      ],
    );
    shown.session.move({ to: 'step', step: 5 });
    const cursor = line.last<CursorMessage>('timeline/cursor');
    assert.deepEqual([cursor.time, cursor.side, cursor.label, cursor.other], [5, 'b', 'B 5', []]);
  });

  it('keeps what was aligned while another trace is shown', () => {
    const { service, clock, line, compared } = both();
    service.show(compared.a);
    clock.run(60_000);
    assert.equal(line.last<TraceMessage>('timeline/trace').name, 'good.log');
    service.compare(compared);
    assert.equal(line.last<TraceMessage>('timeline/trace').status, 'ready');
  });
});
