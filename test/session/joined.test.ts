// A file that holds several sources becomes one trace when it has been read to its end: events get other steps then. What was shown of the first
// source before, while the file was read, follows them.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { Search } from '../../src/query/filter/search.ts';
import { stateTree } from '../../src/query/state.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';

const lines = (name: string, count: number): string[] =>
  new TextDecoder().decode(fixtureBytes(name)).split('\n').slice(0, count);
/** The log of a machine, and below it what its kernel traced: the events of both lie between one another. */
const TEXT = `${[...lines('x86-vtd/qemu.log', 6000), '', ...lines('x86-vtd/ftrace.txt', 6000)].join('\n')}\n`;

/** The file, of which the bytes were read and not the end. */
function begun(): { readonly run: ImportRun; readonly trace: Trace; readonly session: Session } {
  const run = new ImportRun('mail.txt');
  run.push(new TextEncoder().encode(TEXT));
  const session = new Session(run.trace);
  assert.equal(run.trace.sources.length, 1);
  assert.ok(run.trace.length > 1000);
  return { run, trace: run.trace, session };
}

/** Where an event stands in the file. */
const lineOf = (trace: Trace, step: number): number => trace.table.line(step);

describe('a file of several sources, while it is read and afterwards', () => {
  it('has events between one another', () => {
    const trace = begun().run.end();
    assert.ok(trace.sources.length > 1);
    const order = Array.from({ length: trace.length }, (_, step) => trace.sourceOf(step));
    assert.ok(order.indexOf(1) < order.lastIndexOf(0));
  });

  it('the cursor stays at its event, and the state is that of the cursor', () => {
    for (const at of [-1, 300, 900]) {
      const { run, trace, session } = begun();
      if (at >= 0) session.move({ to: 'step', step: at });
      const line = at < 0 ? -1 : lineOf(trace, at);
      run.end();
      session.grown(true);
      if (at < 0) {
        assert.equal(session.cursor, -1);
        continue;
      }
      assert.equal(lineOf(trace, session.cursor), line);
      assert.deepEqual(stateTree(session.state), stateTree(trace.stateAt(session.cursor)));
      session.move({ to: 'next' });
      assert.deepEqual(stateTree(session.state), stateTree(trace.stateAt(session.cursor)));
    }
  });

  it('so it is where the user goes on before they are told of it', () => {
    const { run, trace, session } = begun();
    session.move({ to: 'step', step: 300 });
    const line = lineOf(trace, 300);
    run.end();
    session.move({ to: 'next' });
    assert.equal(lineOf(trace, session.cursor - 1), line);
    assert.deepEqual(stateTree(session.state), stateTree(trace.stateAt(session.cursor)));
  });

  it('checkpoints, the range and the path stay at their events', () => {
    const { run, trace, session } = begun();
    const [first, last] = [310, 420];
    session.stops.setCheckpoint('mine', first);
    session.mark({ from: first, to: last });
    const step = Array.from({ length: trace.length }, (_, i) => i).find((i) => !('refused' in session.showPath(i)))!;
    const stood = [first, last, step].map((at) => lineOf(trace, at));
    const hop = lineOf(trace, session.path!.hops[0]!.step);
    run.end();
    session.grown(true);
    const { from, to } = session.range!;
    assert.deepEqual([lineOf(trace, from), lineOf(trace, to)], stood.slice(0, 2));
    assert.equal(lineOf(trace, session.stops.checkpoints[0]!.step), stood[0]);
    assert.ok(session.path!.hops.some((one) => lineOf(trace, one.step) === hop));
  });

  it('lanes and searches of before say that they are of before; a search begins again', async () => {
    const { run, trace, session } = begun();
    const searcher = new Searcher(
      (ms, then) => {
        const timer = setTimeout(then, ms);
        return () => clearTimeout(timer);
      },
      () => performance.now(),
    );
    const index = new LaneIndex(trace);
    index.advance();
    await searcher.look(session, 'kind == irq.entry');
    await searcher.ended(session);
    assert.equal(session.search?.hits.size, 0, 'the machine tells of no handlers');
    run.end();
    assert.ok(index.stale && session.search.stale);
    session.grown(true);
    searcher.grown(session);
    await new Promise((done) => setTimeout(done, 20));
    await searcher.ended(session);
    const entries = Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name === 'irq.entry');
    assert.equal(session.search?.hits.size, entries.filter(Boolean).length);
    assert.ok(session.search.hits.size > 0 && !new Search(trace, 'kind == send').stale);
    searcher.dispose();
  });

  it('a cursor that runs along while the sources are put together shows the state of the last event in the end', () => {
    const run = new ImportRun('machine.log');
    run.push(fixtureBytes('x86-vtd/qemu.log'));
    const trace = run.end();
    const kernel = new ImportRun('kernel.txt', { world: trace.world, system: '' });
    kernel.push(fixtureBytes('x86-vtd/ftrace.txt'));
    const other = kernel.end().first;
    const session = new Session(trace);
    session.move({ to: 'last' });
    const looking = new Session(trace);
    looking.move({ to: 'step', step: 40_000 });
    const line = lineOf(trace, 40_000);
    let slices = 0;
    for (const _ of trace.joining(other)) {
      slices++;
      for (const one of [session, looking]) one.grown(false);
      session.move({ to: 'last' });
      assert.equal(session.cursor, trace.length - 1);
      assert.deepEqual(stateTree(session.state), stateTree(trace.stateAt(session.cursor)));
    }
    assert.ok(slices > 0, 'it is done in slices');
    for (const one of [session, looking]) one.grown(true);
    session.move({ to: 'last' });
    assert.equal(session.cursor, trace.table.length - 1);
    assert.deepEqual(stateTree(session.state), stateTree(trace.stateAt(session.cursor)));
    assert.equal(lineOf(trace, looking.cursor), line);
    assert.deepEqual(stateTree(looking.state), stateTree(trace.stateAt(looking.cursor)));
  });
});
