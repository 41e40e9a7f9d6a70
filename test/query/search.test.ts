import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { FilterError } from '../../src/query/filter/ast.ts';
import { Search } from '../../src/query/filter/search.ts';
import { problemOf, waysOn } from '../../src/query/filter/typing.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';
import { told } from '../helpers/told.ts';
import { bundled, run } from '../sim/run.ts';

const stepsOf = (trace: Trace, fits: (step: number) => boolean): number[] =>
  Array.from({ length: trace.length }, (_, step) => step).filter(fits);

const hitsOf = ({ hits }: Search): number[] => Array.from({ length: hits.size }, (_, i) => hits.at(i));

describe('a search for events', () => {
  it('finds each that fits, in slices', () => {
    const { trace } = run(bundled('queues-10000'), { seed: 1 });
    assert.ok(trace.length > 20_000, String(trace.length));
    const search = new Search(trace, 'kind == queue.return && after(kind == queue.state, 1000s, same)');
    let slices = 1;
    for (; search.advance(1000); slices++) assert.equal(search.done, slices * 1000);
    assert.equal(slices, Math.ceil(trace.length / 1000));
    const seen = new Set<number>();
    const wanted: number[] = [];
    for (let step = 0; step < trace.length; step++) {
      const { name } = trace.table.kind(step);
      const object = trace.table.object(step);
      if (name === 'queue.return' && seen.has(object)) wanted.push(step);
      if (name === 'queue.state') seen.add(object);
    }
    assert.ok(wanted.length > 10);
    assert.deepEqual(hitsOf(search), wanted);
  });

  it('leads to the next and the previous hit, round and round, and not before it knows them', () => {
    const trace = fixtureTrace('x86-vtd/qemu.log');
    const search = new Search(trace, 'kind == send');
    const sends = stepsOf(trace, (step) => trace.table.kind(step).name === 'send');
    assert.ok(sends.length > 5);
    assert.equal(search.neighbour(-1, 'next'), undefined);
    search.advance(sends[1]! + 1);
    assert.equal(search.neighbour(-1, 'next'), sends[0]);
    assert.equal(search.neighbour(sends[0]!, 'next'), sends[1]);
    assert.equal(search.neighbour(sends[1]!, 'next'), undefined, 'what follows was not looked at');
    assert.equal(search.neighbour(sends[1]!, 'previous'), sends[0]);
    assert.equal(search.neighbour(sends[0]!, 'previous'), undefined, 'the last one is not known');
    assert.equal(search.neighbour(trace.length - 1, 'previous'), undefined, 'it has not come that far');
    while (search.advance(500));
    assert.equal(search.neighbour(sends.at(-1)!, 'next'), sends[0]);
    assert.equal(search.neighbour(sends[0]!, 'previous'), sends.at(-1));
    assert.equal(search.neighbour(-1, 'previous'), sends.at(-1));
    const none = new Search(trace, 'step < 0');
    while (none.advance(5000));
    assert.equal(none.neighbour(10, 'next'), -1);
    assert.equal(none.neighbour(10, 'previous'), -1);
  });

  it('goes on when the trace has grown', () => {
    const run = new ImportRun('test');
    let line = 0;
    const grow = (lines: number): void => {
      const text = Array.from(
        { length: lines },
        () => `1.${String(10 * line++).padStart(6, '0')} - - irq.entry irq/7 name=eth0\n`,
      );
      run.push(new TextEncoder().encode(text.join('')));
      run.settle();
    };
    run.push(new TextEncoder().encode('#irqtrace 1\n#clock seconds digits=6\n'));
    run.settle();
    const search = new Search(run.trace, 'dt > 5us && time > 0.9');
    assert.equal(search.advance(10), false);
    assert.equal(search.done, 0);
    grow(3);
    assert.equal(search.complete, false);
    assert.equal(search.advance(10), false);
    assert.deepEqual(hitsOf(search), [1, 2]);
    grow(1);
    search.advance(10);
    assert.deepEqual(hitsOf(search), [1, 2, 3]);
  });

  it('is refused for a text that is no filter', () => {
    assert.throws(() => new Search(told('irq.entry irq/7 name=eth0'), 'vectr == 33'), FilterError);
  });
});

describe('a filter that is being typed', () => {
  const trace = fixtureTrace('x86-vtd/qemu.log');

  it('is wrong at a place, or only not at its end', () => {
    assert.equal(problemOf('kind == send'), null);
    assert.deepEqual(problemOf('kind == sned'), {
      at: 8,
      message: 'there is no event kind sned; did you mean send?',
      missing: false,
    });
    const { at, missing, message } = problemOf('kind ')!;
    assert.deepEqual([at, missing], [5, true]);
    assert.match(message, /expected a comparison/);
    assert.equal(problemOf('kind == send && ')?.missing, true);
    assert.equal(problemOf('kind == send ) ')?.missing, false);
  });

  it('can go on, but not with what stands there already', () => {
    const ways = (text: string): string[] => waysOn(text, text.length, trace).map((way) => way.text);
    assert.ok(ways('kin').includes('kind'));
    assert.ok(!ways('kind').includes('kind'));
    assert.ok(ways('kind ').includes('=='));
    assert.ok(ways('kind == sen').includes('send'));
    assert.deepEqual(
      ways('kind == send').filter((way) => way === 'send'),
      [],
    );
    const [first] = waysOn('kind == sen && step > 4', 11, trace);
    assert.deepEqual([first!.text, first!.from, first!.to], ['send', 8, 11]);
  });
});
