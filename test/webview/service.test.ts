// The host's end of the timeline: work in slices, not too many messages, and no answers about another trace.
import assert from 'node:assert/strict';
import { Peer } from '../../src/protocol/rpc.ts';
import type {
  CursorMessage,
  DifferencesMessage,
  FindingsMessage,
  FoundMessage,
  HitLanesMessage,
  LanesMessage,
  PathMessage,
  TraceMessage,
  WindowReply,
} from '../../src/protocol/timeline.ts';
import { MOST_FOUND } from '../../src/protocol/timeline.ts';
import { unpackWindow } from '../../src/protocol/window.ts';
import type { Place } from '../../src/query/diff/places.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import type { ShownFinding, ShownTrace } from '../../src/vscode/timeline/messages.ts';
import { TimelineService } from '../../src/vscode/timeline/service.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';
import { Clock, Line } from './line.ts';

let ids = 0;
const shownOf = (trace: Trace, load: ShownTrace['load'] = 'ready'): ShownTrace => {
  const session = new Session(trace);
  return { id: ++ids, label: `trace ${ids}`, session, load, progress: load === 'loading' ? 0.5 : 1, error: undefined };
};

const F09 = { rule: { id: 'F09' }, title: 'an entry was masked' } as const;

function start(
  places: readonly Place[] = [],
  found: readonly ShownFinding[] = [],
): {
  clock: Clock;
  line: Line;
  service: TimelineService;
  searcher: Searcher;
  opened: () => number;
  shownFindings: ShownFinding[];
} {
  const clock = new Clock();
  const line = new Line();
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem: (text) => assert.fail(text) });
  let opened = 0;
  // Each look at the clock finds it a millisecond later: eight slices of events in one go.
  const now = (): number => clock.now++;
  const searcher = new Searcher(clock.after, now);
  const shownFindings: ShownFinding[] = [];
  const service = new TimelineService(peer, {
    ...{ after: clock.after, now, searcher, problem: (text) => assert.fail(text), open: () => opened++ },
    differences: () => places,
    findings: () => found,
    finding: (_, finding) => shownFindings.push(finding),
  });
  return { clock, line, service, searcher, opened: () => opened, shownFindings };
}

describe('timeline service', () => {
  const trace = fixtureTrace('x86-vtd/qemu.log');

  it('answers that there is no trace', async () => {
    const { line, clock } = start();
    const answer = await line.ask<TraceMessage>('timeline/hello', {});
    assert.equal(answer.status, 'none');
    clock.run(1000);
    assert.deepEqual(line.told, []);
  });

  it('tells the events of the delivery path that is shown, with their lanes', () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    assert.deepEqual(line.last<PathMessage>('timeline/path').hops, []);
    let cause = trace.length >> 1;
    while (trace.table.kind(cause).name !== 'dev.raise') cause++;
    shown.session.showPath(cause);
    service.pathChanged();
    const { hops } = line.last<PathMessage>('timeline/path');
    // The thread that raises sends, and the remapping unit answers, one record after the other.
    assert.deepEqual(
      hops.map(({ step }) => trace.table.kind(step).name),
      ['dev.raise', 'send', 'ir.request', 'irte.read', 'ir.remap', 'ir.message', 'apic.deliver'],
    );
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    assert.deepEqual(
      hops.map(({ lane }) => lanes.find(({ id }) => id === lane)?.path),
      hops.map(({ step }) => trace.world.path(trace.table.object(step))),
    );
    shown.session.hidePath();
    service.pathChanged();
    assert.deepEqual(line.last<PathMessage>('timeline/path').hops, []);
  });

  it('tells where findings are, in the lanes of their events, what they say, and shows the one that is asked for', () => {
    const object = trace.table.object(30);
    const path = trace.world.path(object);
    const { clock, line, service, shownFindings } = start(
      [],
      [
        { ...F09, step: 30, severity: 'error', object },
        { ...F09, step: trace.length, severity: 'info', object },
      ],
    );
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    const { trace: id, places } = line.last<FindingsMessage>('timeline/findings');
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    assert.equal(id, shown.id);
    // The second one lies behind the end of what is drawn.
    assert.deepEqual(
      places.map(({ severity, step, lane }) => [severity, step, lanes.find((one) => one.id === lane)?.path]),
      [['error', 30, path]],
    );
    const [told] = places;
    assert.deepEqual([told!.rule, told!.title, told!.object], ['F09', 'an entry was masked', path]);
    assert.match(told!.label, /^1795148\d+\.\d{6}$/);
    const question = { trace: shown.id, rule: 'F09', step: 30, object: path, side: '' };
    for (const wrong of [{ trace: 99 }, { rule: 'F01' }, { step: 31 }, { object: 'irq/1' }])
      line.tell('timeline/finding', { ...question, ...wrong });
    assert.deepEqual(shownFindings, []);
    line.tell('timeline/finding', question);
    assert.deepEqual(
      shownFindings.map(({ step }) => step),
      [30],
    );
  });

  it('tells where the trace differs from the one that it is compared with', () => {
    const { clock, line, service } = start([
      { kind: 'changed', step: 30, path: trace.world.path(trace.table.object(30)) },
      { kind: 'missing', step: 31, path: 'device/0000:77:00.0/msix/0' },
      { kind: 'here', step: trace.length, path: 'device/0000:00:03.0' },
    ]);
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    const { trace: id, places } = line.last<DifferencesMessage>('timeline/differences');
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    assert.equal(id, shown.id);
    assert.deepEqual(
      places.map(({ kind, step, lane }) => [kind, step, lanes.find((one) => one.id === lane)?.path]),
      // The last one lies behind the end of what is drawn; nothing of the second one's function is in this trace.
      [
        ['changed', 30, trace.world.path(trace.table.object(30))],
        ['missing', 31, undefined],
      ],
    );
  });

  it('tells which events were found, those nearest to the cursor where there are very many', async () => {
    const { clock, line, service, searcher } = start();
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    assert.deepEqual(line.last<FoundMessage>('timeline/found'), { trace: shown.id, places: [] });
    shown.session.onChange((what) => {
      if (what === 'search') service.searched();
    });
    const look = async (filter: string): Promise<void> => {
      await searcher.look(shown.session, filter);
      clock.run(60_000);
    };
    await look('step == 30 || step == 31');
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    const { places } = line.last<FoundMessage>('timeline/found');
    assert.deepEqual(
      places.map(({ step }) => step),
      [30, 31],
    );
    const [first] = places;
    assert.equal(lanes.find((one) => one.id === first?.lane)?.path, trace.world.path(trace.table.object(30)));
    const all = Array.from({ length: trace.length }, (_, step) => step);
    assert.ok(all.length > MOST_FOUND + 100);
    await look('step >= 0');
    for (const at of [0, all.length - 1]) {
      shown.session.move({ to: 'step', step: at });
      service.moved();
      const found = line.last<FoundMessage>('timeline/found').places.map(({ step }) => step);
      assert.equal(found.length, MOST_FOUND);
      assert.ok(found.includes(at));
    }
    await look('');
    assert.deepEqual(line.last<FoundMessage>('timeline/found').places, []);
  });

  it('tells in which lanes events were found, and which marks of a window they are', async () => {
    const { clock, line, service, searcher } = start();
    const shown = shownOf(trace);
    shown.session.onChange((what) => {
      if (what === 'search') service.searched();
    });
    service.show(shown);
    // Half of the trace is not sorted into lanes yet.
    clock.run(4);
    await searcher.look(shown.session, 'kind == irte.read || kind == cfg.write');
    clock.run(60_000);
    const { lanes } = line.last<LanesMessage>('timeline/lanes');
    const { search, lanes: hits } = line.last<HitLanesMessage>('timeline/hit-lanes');
    assert.equal(search, searcher.numberOf(shown.session));
    const objects = new Set<string>();
    for (let step = 0; step < trace.length; step++)
      if (['irte.read', 'cfg.write'].includes(trace.table.kind(step).name))
        objects.add(trace.world.path(trace.table.object(step)));
    const paths = hits.map((id) => lanes.find((lane) => lane.id === id)?.path);
    assert.deepEqual(
      paths.filter((path) => !path?.endsWith('/msi')).sort(),
      [...objects].sort(),
      'the lanes of the objects; a write to the MSI capability shows in its lane too',
    );
    const lane = lanes.find(({ path }) => path.startsWith('irte/'))!;
    const question = { axis: 'step', from: 0, size: trace.length, bins: 1, rows: [{ lane: lane.id, deep: false }] };
    const reply = await line.ask<WindowReply>('timeline/window', { trace: shown.id, ...question });
    assert.deepEqual([reply.search, reply.searched], [search, trace.length]);
    const view = unpackWindow(reply.window, 1);
    const reads = Array.from({ length: trace.length }, (_, step) => step).filter(
      (step) => trace.table.kind(step).name === 'irte.read' && trace.world.path(trace.table.object(step)) === lane.path,
    ).length;
    assert.deepEqual([view.hits[0], view.count[0]! > reads], [reads, true]);
    await searcher.look(shown.session, '');
    assert.deepEqual(line.last<HitLanesMessage>('timeline/hit-lanes').lanes, []);
  });

  it('sorts events in slices and tells how far it is', () => {
    const { clock, line, service } = start();
    service.show(shownOf(trace));
    const first = line.last<TraceMessage>('timeline/trace');
    assert.equal(first.indexed, 0);
    assert.equal(first.events, trace.length);
    clock.run(60_000);
    const last = line.last<TraceMessage>('timeline/trace');
    assert.equal(last.indexed, trace.length);
    assert.ok(last.extents.time[1] > last.extents.time[0]);
    assert.ok(line.last<LanesMessage>('timeline/lanes').lanes.length > 50);
  });

  it('tells of growth a few times a second, however often there is some', () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace, 'loading');
    service.show(shown);
    clock.run(2000);
    const before = line.count('timeline/trace');
    for (let i = 0; i < 500; i++) {
      service.grown();
      clock.run(2);
    }
    const told = line.count('timeline/trace') - before;
    assert.ok(told >= 3 && told <= 5, `${told} messages in a second`);
  });

  it('refuses questions about another trace than the one it shows', async () => {
    const { clock, line, service } = start();
    const [a, b] = [shownOf(trace), shownOf(trace)];
    service.show(a);
    clock.run(60_000);
    const question = (id: number) => ({
      trace: id,
      axis: 'step',
      from: 0,
      size: 10,
      bins: 10,
      rows: [{ lane: 0, deep: false }],
    });
    assert.equal((await line.ask<{ indexed: number }>('timeline/window', question(a.id))).indexed, trace.length);
    service.show(b);
    await assert.rejects(line.ask('timeline/window', question(a.id)), /another trace is shown now/);
    service.show(undefined);
    await assert.rejects(line.ask('timeline/window', question(b.id)), /another trace is shown now/);
  });

  it('keeps the lanes of a trace while another one is shown', () => {
    const { clock, line, service } = start();
    const [a, b] = [shownOf(trace), shownOf(trace)];
    service.show(a);
    clock.run(60_000);
    service.show(b);
    service.show(a);
    assert.equal(line.last<TraceMessage>('timeline/trace').indexed, trace.length);
  });

  it('moves the cursor and tells where it is', async () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace);
    shown.session.onChange(() => service.moved());
    service.show(shown);
    clock.run(60_000);
    const lane = line
      .last<LanesMessage>('timeline/lanes')
      .lanes.find((one) => one.path === 'device/0000:00:03.0/msix/0')!;
    const row = { lane: lane.id, deep: false };
    const go = (to: string, x: number) =>
      line.ask<{ step: number }>('timeline/go', { trace: shown.id, row, axis: 'step', to, x });
    const first = await go('next', 0);
    assert.equal(shown.session.cursor, first.step);
    const second = await go('next', 0);
    assert.ok(second.step > first.step);
    assert.deepEqual(await go('previous', 0), first);
    assert.deepEqual(await go('previous', 0), { step: -1 }, 'there is none before the first');
    assert.equal(shown.session.cursor, first.step);
    assert.deepEqual(await go('nearest', second.step), second);
    const cursor = line.last<CursorMessage>('timeline/cursor');
    assert.equal(cursor.step, second.step);
    assert.equal(cursor.lane, lane.id);
    assert.match(cursor.text, /^tbl\./);
  });

  it('selects objects, and asks for a trace when the user does', () => {
    const { line, service, opened } = start();
    const shown = shownOf(trace);
    service.show(shown);
    line.tell('timeline/select', { trace: shown.id, path: 'irte/0/20', lane: 0 });
    assert.equal(shown.session.selection, 'irte/0/20');
    line.tell('timeline/select', { trace: shown.id + 1, path: 'irte/0/21', lane: 0 });
    assert.equal(shown.session.selection, 'irte/0/20');
    line.tell('timeline/open', {});
    assert.equal(opened(), 1);
  });

  it('tells the arrangement of lanes once they are complete, and takes that of the page', () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace);
    shown.session.arrangeLanes(['cpu', 'cpu/0']);
    service.show(shown);
    clock.run(60_000);
    const order = line.told
      .map(({ method }) => method)
      .filter((m) => /lanes|layout/.test(m) && m !== 'timeline/hit-lanes');
    assert.equal(order.at(-1), 'timeline/layout');
    const layouts = (): unknown[] => line.told.filter((m) => m.method === 'timeline/layout').map((m) => m.value);
    assert.deepEqual(layouts(), [{ trace: shown.id, lanes: ['cpu', 'cpu/0'] }]);
    line.tell('timeline/arranged', { trace: shown.id, lanes: ['device'] });
    assert.deepEqual(shown.session.lanes, ['device']);
    line.tell('timeline/arranged', { trace: shown.id + 1, lanes: ['cpu'] });
    assert.deepEqual(shown.session.lanes, ['device']);
    service.arranged();
    assert.deepEqual(layouts().at(-1), { trace: shown.id, lanes: ['device'] });
  });

  it('marks the events of a range of the axis, until another trace or another page is shown', async () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    const tell = (range: object | null, id = shown.id): void => line.tell('timeline/range', { trace: id, range });
    tell({ axis: 'step', from: 99.5, to: 20 });
    assert.deepEqual(shown.session.range, { from: 20, to: 99 });
    tell({ axis: 'step', from: 5, to: 9 }, shown.id + 1);
    assert.deepEqual(shown.session.range, { from: 20, to: 99 });
    const [from, to] = [trace.table.time(30), trace.table.time(60)];
    tell({ axis: 'time', from, to });
    const inside = Array.from({ length: trace.length }, (_, step) => step).filter(
      (step) => trace.table.time(step) >= from && trace.table.time(step) <= to,
    );
    assert.deepEqual(shown.session.range, { from: inside[0], to: inside.at(-1) });
    tell({ axis: 'step', from: 7.2, to: 7.8 });
    assert.equal(shown.session.range, undefined, 'no event lies in it');
    tell({ axis: 'step', from: 5, to: 9 });
    tell(null);
    assert.equal(shown.session.range, undefined);
    tell({ axis: 'step', from: 5, to: 9 });
    await line.ask<TraceMessage>('timeline/hello', {});
    assert.equal(shown.session.range, undefined, 'a new page has none marked');
    tell({ axis: 'step', from: 5, to: 9 });
    service.show(undefined);
    assert.equal(shown.session.range, undefined);
  });

  it('says nothing more when it is done with', () => {
    const { clock, line, service } = start();
    service.show(shownOf(trace));
    service.grown();
    service.dispose();
    const before = line.told.length;
    clock.run(60_000);
    assert.equal(line.told.length, before);
  });
});
