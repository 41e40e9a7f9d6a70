// The host's end of a box for filters: searches in slices that can be stopped, hits that are gone to as soon as they are known.
import assert from 'node:assert/strict';
import type { SearchMessage, Typed } from '../../src/protocol/query.ts';
import { Peer } from '../../src/protocol/rpc.ts';
import { FilterError } from '../../src/query/filter/ast.ts';
import { Session } from '../../src/session/session.ts';
import { QueryService } from '../../src/vscode/events/query-service.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';
import { Clock, Line } from './line.ts';

const trace = fixtureTrace('x86-vtd/qemu.log');
/** Steps of the events of a kind. */
const stepsOf = (kind: string): number[] =>
  Array.from({ length: trace.length }, (_, step) => step).filter((step) => trace.table.kind(step).name === kind);
const SENDS = stepsOf('send');

function start() {
  const clock = new Clock();
  const line = new Line();
  const problems: string[] = [];
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem: (text) => problems.push(text) });
  // Each look at the clock finds it five milliseconds later: two slices of events in one go.
  const now = (): number => (clock.now += 5);
  const searcher = new Searcher(clock.after, now);
  const session = new Session(trace);
  const service = new QueryService(peer, searcher, (text) => problems.push(text));
  session.onChange((what) => {
    if (what === 'search') service.searched();
    if (what === 'cursor') service.tell();
  });
  service.show({ id: 7, sessions: [session] });
  const state = (): SearchMessage => line.last<SearchMessage>('query/search');
  /** What was sent is taken, and what is waiting to be loaded comes. */
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 20));
  const tell = async (method: string, value: object): Promise<void> => {
    line.tell(`query/${method}`, { trace: 7, ...value });
    await settle();
  };
  return { clock, line, searcher, session, service, problems, state, tell };
}

describe('a box for filters, on the host', () => {
  it('says what is wrong with a text and how it can go on', async () => {
    const { line } = start();
    const ask = (text: string, column = text.length): Promise<Typed> =>
      line.ask<Typed>('query/typed', { trace: 7, text, column });
    assert.deepEqual((await ask('kind == tbl.wirte')).problem, {
      at: 8,
      message: 'there is no event kind tbl.wirte; did you mean tbl.write, pba.write?',
      missing: false,
    });
    const { problem, completions } = await ask('object == device/0000:00:03.0/msix/');
    assert.equal(problem, null);
    assert.ok(
      completions.some(({ text }) => text === 'device/0000:00:03.0/msix/0'),
      'objects of this trace',
    );
    assert.equal((await ask('kind == send', 99)).problem, null, 'a column beyond the end is the end');
    await assert.rejects(line.ask('query/typed', { trace: 8, text: '', column: 0 }), /another trace is shown now/);
    await assert.rejects(line.ask('query/typed', { trace: 7, text: 'x'.repeat(5000), column: 0 }), /query\/typed/);
  });

  it('looks for events in slices, and tells how far it is', async () => {
    const { clock, tell, state, session } = start();
    await tell('look', { filter: ' kind == send ' });
    const first = state();
    assert.deepEqual([first.filter, first.state, first.total], ['kind == send', 'running', trace.length]);
    assert.ok(first.done < trace.length / 3, `${first.done} in the first slice`);
    clock.run(60_000);
    const last = state();
    assert.deepEqual([last.state, last.hits, last.done, last.at], ['done', SENDS.length, trace.length, -1]);
    session.move({ to: 'step', step: SENDS[3]! });
    assert.equal(state().at, 3);
    await tell('look', { filter: '' });
    assert.deepEqual([state().state, state().filter, state().hits], ['none', '', 0]);
    assert.equal(session.search, undefined);
  });

  it('takes another filter in the middle of a search', async () => {
    const { clock, tell, state } = start();
    await tell('look', { filter: 'kind == send' });
    const { id } = state();
    await tell('look', { filter: 'kind == irte.read' });
    clock.run(60_000);
    const { state: end, hits, id: next } = state();
    assert.deepEqual([end, hits], ['done', stepsOf('irte.read').length]);
    assert.notEqual(next, id);
  });

  it('stops, keeps what it found, and goes on when a hit is wanted that it does not know', async () => {
    const { clock, tell, state, session } = start();
    await tell('look', { filter: 'kind == send' });
    await tell('stop', {});
    const { state: stopped, done, hits } = state();
    assert.equal(stopped, 'stopped');
    clock.run(60_000);
    assert.deepEqual([state().done, state().hits], [done, hits]);
    assert.ok(hits < SENDS.length);
    // The last one before the first event is the last of all.
    await tell('hit', { to: 'previous' });
    assert.equal(session.cursor, -1);
    clock.run(60_000);
    assert.equal(session.cursor, SENDS.at(-1));
    assert.equal(state().state, 'done');
  });

  it('goes from hit to hit, and round', async () => {
    const { clock, tell, state, session } = start();
    await tell('look', { filter: 'kind == send' });
    // The first hit is known long before the end.
    await tell('hit', { to: 'next' });
    assert.deepEqual([session.cursor, state().state], [SENDS[0], 'running']);
    await tell('hit', { to: 'next' });
    assert.deepEqual([session.cursor, state().at], [SENDS[1], 1]);
    await tell('hit', { to: 'previous' });
    assert.equal(session.cursor, SENDS[0]);
    await tell('hit', { to: 'previous' });
    assert.equal(session.cursor, SENDS[0], 'the last one is not known yet');
    clock.run(60_000);
    assert.equal(session.cursor, SENDS.at(-1));
    await tell('hit', { to: 'next' });
    assert.equal(session.cursor, SENDS[0]);
  });

  it('does nothing for another trace, for a text that is no filter, and without a search', async () => {
    const { clock, tell, session, problems, line } = start();
    await tell('hit', { to: 'next' });
    await tell('stop', {});
    line.tell('query/look', { trace: 8, filter: 'kind == send' });
    await tell('look', { filter: 'kind == sned' });
    clock.run(60_000);
    assert.equal(session.search, undefined);
    assert.equal(session.cursor, -1);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /no event kind sned/);
  });
});

describe('searches', () => {
  it('end for those who wait, also when they are stopped or give way', async () => {
    const { clock, searcher, session } = start();
    await searcher.ended(session);
    await searcher.look(session, 'kind == send');
    let ended = 0;
    const wait = (): void => void searcher.ended(session).then(() => ended++);
    const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 5));
    wait();
    await soon();
    assert.equal(ended, 0);
    searcher.stop(session);
    await soon();
    assert.equal(ended, 1);
    searcher.resume(session);
    wait();
    await searcher.look(session, 'kind == irte.read');
    await soon();
    assert.equal(ended, 2);
    wait();
    clock.run(60_000);
    await soon();
    assert.equal(ended, 3);
    assert.equal(searcher.running(session), false);
    await assert.rejects(searcher.look(session, 'kind =='), FilterError);
    assert.equal(session.search?.text, 'kind == irte.read');
    searcher.forget(session);
    assert.equal(searcher.numberOf(session), 0);
  });

  it('a search that fails is over for those who wait for it', async () => {
    const { clock, searcher, session, state } = start();
    await searcher.look(session, 'kind == send');
    const { search } = session;
    Object.assign(search!, {
      advance: () => {
        throw new Error('it cannot be told');
      },
    });
    const ended = searcher.ended(session);
    assert.throws(() => clock.run(60_000), /it cannot be told/);
    await ended;
    assert.equal(searcher.running(session), false);
    assert.equal(state().state, 'stopped');
  });
});
