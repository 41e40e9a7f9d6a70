// The host's end of the list of events, in Node: what it answers where the page asks for rows that are not there.
import assert from 'node:assert/strict';
import type { ListTrace, RowsReply } from '../../src/protocol/events.ts';
import { Peer } from '../../src/protocol/rpc.ts';
import { Session } from '../../src/session/session.ts';
import { EventsService } from '../../src/vscode/events/events-service.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import { told } from '../helpers/told.ts';
import { Clock, Line } from './line.ts';

function start() {
  const clock = new Clock();
  const line = new Line();
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem: (text) => assert.fail(text) });
  const copied: [text: string, rows: number, all: number][] = [];
  const service = new EventsService(peer, {
    ...{ after: clock.after, searcher: new Searcher(clock.after, () => clock.now), problem: assert.fail },
    copy: async (...what) => void copied.push(what),
  });
  const session = new Session(told('note - text=a', 'note - text=b', 'note - text=c'));
  session.grown(true);
  service.show({ id: 7, label: 'a.log', session, load: 'ready' });
  const copy = (from: number, to: number, search = 0): Promise<{ copied: number }> =>
    line.ask('events/copy', { trace: 7, search, from, to });
  return { line, service, copied, copy };
}

describe('list of events, on the host', () => {
  it('puts the rows that are there on the clipboard', async () => {
    const { copy, copied } = start();
    assert.deepEqual(await copy(1, 9), { copied: 2 });
    assert.deepEqual([copied[0]![1], copied[0]![2]], [2, 2]);
    assert.equal(copied[0]![0].split('\n').length, 4, 'headings, two rows and the end of the last line');
  });

  it('leaves the clipboard alone where there is none of them, or the list is another one', async () => {
    const { copy, copied } = start();
    for (const [from, to, search] of [
      [3, 9, 0],
      [2, 1, 0],
      [0, 1, 4],
    ] as const)
      assert.deepEqual(await copy(from, to, search), { copied: 0 });
    assert.deepEqual(copied, []);
  });

  it('says of which file the trace is missing, and whether it comes', async () => {
    const { line, service } = start();
    service.show(undefined, { name: 'run.tar', loading: true });
    const state = (): unknown => {
      const { id, status, name } = line.last<ListTrace>('events/trace');
      return [id, status, name];
    };
    assert.deepEqual(state(), [0, 'loading', 'run.tar']);
    service.show(undefined, { name: 'run.tar', loading: false });
    assert.deepEqual(state(), [0, 'none', 'run.tar']);
    service.show(undefined);
    assert.deepEqual(state(), [0, 'none', '']);
    const reply = await line.ask<RowsReply>('events/rows', { trace: 7, from: 0, count: 5 });
    assert.deepEqual(reply.rows, []);
  });
});
