// The host's end of the timeline where a trace is put together from several sources, or cannot be sorted into lanes.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { Peer } from '../../src/protocol/rpc.ts';
import type { LanesMessage, TraceMessage } from '../../src/protocol/timeline.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import type { ShownTrace } from '../../src/vscode/timeline/messages.ts';
import { TimelineService } from '../../src/vscode/timeline/service.ts';
import { fixtureBytes, fixtureTrace } from '../helpers/fixtures.ts';
import { Clock, Line } from './line.ts';

let ids = 0;
const shownOf = (trace: Trace, load: ShownTrace['load'] = 'ready'): ShownTrace => {
  const session = new Session(trace);
  return { id: ++ids, label: `trace ${ids}`, session, load, progress: 1, error: undefined };
};

function start() {
  const clock = new Clock();
  const line = new Line();
  const problems: string[] = [];
  const problem = (text: string): void => void problems.push(text);
  const peer = new Peer(line, { type: 'extension' }, { after: clock.after, problem });
  const now = (): number => clock.now++;
  const service = new TimelineService(peer, {
    ...{ after: clock.after, now, searcher: new Searcher(clock.after, now), problem, open: () => {} },
  });
  return { clock, line, service, problems };
}

describe('timeline service', () => {
  const trace = fixtureTrace('x86-vtd/qemu.log');

  it('sorts again when another source joins, whose events lie between the others', async () => {
    const { clock, line, service } = start();
    const run = new ImportRun('mail.txt');
    const part = (name: string): string =>
      new TextDecoder().decode(fixtureBytes(name)).split('\n').slice(0, 6000).join('\n');
    run.push(new TextEncoder().encode(`${part('x86-vtd/qemu.log')}\n\n${part('x86-vtd/ftrace.txt')}\n`));
    const shown = shownOf(run.trace, 'loading');
    service.show(shown);
    clock.run(60_000);
    const before = line.last<TraceMessage>('timeline/trace');
    assert.deepEqual([before.sources, before.indexed], [1, run.trace.length]);
    const whole = run.end();
    service.grown();
    clock.run(60_000);
    const after = line.last<TraceMessage>('timeline/trace');
    assert.deepEqual([after.sources, after.indexed], [whole.sources.length, whole.length]);
    const fresh = new LaneIndex(whole);
    fresh.advance();
    const eventsOf = (lanes: readonly { readonly path: string; readonly events: number }[]): unknown =>
      lanes.map(({ path, events }) => `${path} ${events}`);
    assert.deepEqual(eventsOf(line.last<LanesMessage>('timeline/lanes').lanes), eventsOf(fresh.tree.list(whole.head)));
  });

  it('a trace whose lanes cannot be made is told of, and does not keep others from being shown', () => {
    const { clock, line, service, problems } = start();
    const broken = new Proxy(trace, {
      get: (target, name) => {
        if (name === 'log') throw new Error('no log is there');
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    service.show(shownOf(broken));
    clock.run(2000);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /no log is there/);
    service.show(shownOf(trace));
    clock.run(60_000);
    assert.equal(line.last<TraceMessage>('timeline/trace').indexed, trace.length);
    assert.equal(problems.length, 1);
  });
});
