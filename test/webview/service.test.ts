// The host's end of the timeline: work in slices, not too many messages, and no answers about another trace.
import assert from 'node:assert/strict';
import type { MessengerAPI, NotificationHandler, RequestHandler } from 'vscode-messenger-common';
import { CancellationTokenImpl } from 'vscode-messenger-common';
import { Peer } from '../../src/protocol/rpc.ts';
import type {
  CursorMessage,
  DifferencesMessage,
  FindingsMessage,
  FoundMessage,
  LanesMessage,
  PathMessage,
  TraceMessage,
} from '../../src/protocol/timeline.ts';
import { MOST_FOUND } from '../../src/protocol/timeline.ts';
import type { Place } from '../../src/query/diff/places.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { type ShownTrace, TimelineService } from '../../src/vscode/timeline-service.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';

/** A clock that stands still until it is told to go on, and jumps from one thing to do to the next. */
class Clock {
  now = 0;
  #next = 0;
  #tasks: { at: number; order: number; then: () => void }[] = [];

  after = (ms: number, then: () => void): (() => void) => {
    const task = { at: this.now + ms, order: this.#next++, then };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  };

  /** Does all that is due within some milliseconds. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [task] = this.#tasks.sort((a, b) => a.at - b.at || a.order - b.order);
      if (!task || task.at > end) break;
      this.#tasks.shift();
      this.now = Math.max(this.now, task.at);
      task.then();
    }
    this.now = end;
  }
}

class Line implements MessengerAPI {
  readonly told: { method: string; value: unknown }[] = [];
  readonly #handlers = new Map<string, RequestHandler<unknown, unknown>>();
  readonly #listeners = new Map<string, NotificationHandler<unknown>>();

  sendRequest<R>(): Promise<R> {
    return Promise.reject(new Error('the host asks nothing'));
  }

  sendNotification(type: { method: string }, _to: unknown, value?: unknown): void {
    this.told.push({ method: type.method, value });
  }

  onRequest<P, R>(type: { method: string }, handler: RequestHandler<P, R>): void {
    this.#handlers.set(type.method, handler as RequestHandler<unknown, unknown>);
  }

  onNotification<P>(type: { method: string }, handler: NotificationHandler<P>): void {
    this.#listeners.set(type.method, handler as NotificationHandler<unknown>);
  }

  async ask<R>(method: string, value: unknown): Promise<R> {
    return (await this.#handlers.get(method)!(value, { type: 'extension' }, new CancellationTokenImpl())) as R;
  }

  tell(method: string, value: unknown): void {
    void this.#listeners.get(method)!(value, { type: 'extension' });
  }

  last<T>(method: string): T {
    return (this.told.filter((m) => m.method === method).at(-1)?.value ?? assert.fail(`no ${method}`)) as T;
  }

  count(method: string): number {
    return this.told.filter((m) => m.method === method).length;
  }
}

let ids = 0;
const shownOf = (trace: Trace, load: ShownTrace['load'] = 'ready'): ShownTrace => {
  const session = new Session(trace);
  return { id: ++ids, label: `trace ${ids}`, session, load, progress: load === 'loading' ? 0.5 : 1, error: undefined };
};

function start(
  places: readonly Place[] = [],
  found: readonly { readonly step: number; readonly severity: 'error' | 'info' }[] = [],
): {
  clock: Clock;
  line: Line;
  service: TimelineService;
  opened: () => number;
} {
  const clock = new Clock();
  const line = new Line();
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem: (text) => assert.fail(text) });
  let opened = 0;
  // Each look at the clock finds it a millisecond later: eight slices of events in one go.
  const now = (): number => clock.now++;
  const service = new TimelineService(peer, {
    ...{ after: clock.after, now, open: () => opened++ },
    differences: () => places,
    findings: () => found,
  });
  return { clock, line, service, opened: () => opened };
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

  it('tells where findings are, in the lanes of their events', () => {
    const { clock, line, service } = start(
      [],
      [
        { step: 30, severity: 'error' },
        { step: trace.length, severity: 'info' },
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
      [['error', 30, trace.world.path(trace.table.object(30))]],
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

  it('tells which events were found, those nearest to the cursor where there are very many', () => {
    const { clock, line, service } = start();
    const shown = shownOf(trace);
    service.show(shown);
    clock.run(60_000);
    assert.deepEqual(line.last<FoundMessage>('timeline/found'), { trace: shown.id, places: [] });
    shown.session.showFound({ filter: 'step == 30 || step == 31', steps: [30, 31, trace.length + 5] });
    service.searched();
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
    shown.session.showFound({ filter: 'step >= 0', steps: all });
    service.searched();
    for (const at of [0, all.length - 1]) {
      shown.session.move({ to: 'step', step: at });
      service.moved();
      const found = line.last<FoundMessage>('timeline/found').places.map(({ step }) => step);
      assert.equal(found.length, MOST_FOUND);
      assert.ok(found.includes(at));
    }
    shown.session.showFound(undefined);
    service.searched();
    assert.deepEqual(line.last<FoundMessage>('timeline/found').places, []);
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
    line.tell('timeline/select', { trace: shown.id, path: 'irte/0/20' });
    assert.equal(shown.session.selection, 'irte/0/20');
    line.tell('timeline/select', { trace: shown.id + 1, path: 'irte/0/21' });
    assert.equal(shown.session.selection, 'irte/0/20');
    line.tell('timeline/open', {});
    assert.equal(opened(), 1);
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
