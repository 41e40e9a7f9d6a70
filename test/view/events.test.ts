import assert from 'node:assert/strict';
import { Search } from '../../src/query/filter/search.ts';
import { ListedEvents, rowsText, widestTime } from '../../src/view/events/rows.ts';
import { fixtureTrace, importText } from '../helpers/fixtures.ts';
import { told } from '../helpers/told.ts';

const found = (trace: ReturnType<typeof told>, filter: string): ListedEvents => {
  const search = new Search(trace, filter);
  while (search.advance(1000));
  return new ListedEvents(trace, search);
};

describe('rows of the list of events', () => {
  const trace = told(
    'irq.entry irq/7 name=eth0',
    'irq.exit irq/7 handled=true',
    'irq.entry irq/8 name=nvme0q1',
    'irq.entry irq/7 name=eth0',
  );

  it('tell step, time, kind, object and arguments, and how long after which event', () => {
    const all = new ListedEvents(trace, undefined);
    assert.equal(all.length, 4);
    const [first, second] = all.rows(0, 2);
    assert.deepEqual(first, {
      ...{ step: 0, time: '1.000000', dt: '', gap: '', cpu: '', kind: 'irq.entry', object: 'irq/7', text: 'name=eth0' },
    });
    assert.deepEqual([second!.dt, second!.gap], ['1 µs', '1 µs']);
    const some = found(trace, 'object == irq/7');
    assert.equal(some.length, 3);
    const rows = some.rows(0, 10);
    assert.deepEqual(
      rows.map(({ step, dt, gap }) => [step, dt, gap]),
      [
        [0, '', ''],
        [1, '1 µs', '1 µs'],
        // One microsecond after the event before, which is not listed, and two after the row above.
        [3, '1 µs', '2 µs'],
      ],
    );
    assert.deepEqual(some.rows(2, 5), rows.slice(2), 'the row above counts also where it is not asked for');
    for (const [from, count] of [
      [3, 5],
      [99, 1],
    ] as const)
      assert.deepEqual(some.rows(from, count), []);
  });

  it('have room for their times where the last event has none', () => {
    const log = fixtureTrace('arm64-a/qemu.log');
    const [last] = new ListedEvents(log, undefined).rows(log.length - 1, 1);
    assert.equal(last!.time, '');
    assert.equal(widestTime(log).length, '1795149274.335347'.length);
    assert.equal(widestTime(trace), '1.000003');
  });

  it('know where a step is among them', () => {
    const some = found(trace, 'object == irq/7');
    assert.deepEqual(
      [-1, 0, 1, 2, 3, 4].map((step) => some.rowOf(step)),
      [
        { row: 0, exact: false },
        { row: 0, exact: true },
        { row: 1, exact: true },
        { row: 2, exact: false },
        { row: 2, exact: true },
        { row: 3, exact: false },
      ],
    );
    const all = new ListedEvents(trace, undefined);
    assert.deepEqual(all.rowOf(-1), { row: 0, exact: false });
    assert.deepEqual(all.rowOf(3), { row: 3, exact: true });
    assert.deepEqual([some.stepAt(2), some.stepAt(3), all.stepAt(4), all.stepAt(-1)], [3, -1, -1, -1]);
  });

  it('say nothing of times that the trace does not tell', () => {
    const plain = fixtureTrace('arm64-gicv2m/qemu.log');
    const rows = new ListedEvents(plain, undefined).rows(0, 20);
    assert.equal(rows.length, 20);
    for (const row of rows) assert.deepEqual([row.time, row.dt, row.gap], ['', '', '']);
    const ticks = importText(
      '#irqtrace 1\n#clock ticks digits=0 counter\n100 - - irq.entry irq/7 name=a\n130 - - irq.entry irq/7 name=a\n',
    );
    assert.deepEqual(
      new ListedEvents(ticks, undefined).rows(0, 2).map(({ time, dt }) => [time, dt]),
      [
        ['100', ''],
        ['130', '30'],
      ],
    );
  });

  it('are copied as lines with aligned columns', () => {
    const rows = new ListedEvents(trace, undefined).rows(1, 2);
    assert.equal(
      rowsText(rows, false),
      [
        'step      time    dt  cpu  event      object  arguments',
        '   1  1.000001  1 µs       irq.exit   irq/7   handled=true',
        '   2  1.000002  1 µs       irq.entry  irq/8   name=nvme0q1',
        '',
      ].join('\n'),
    );
    assert.match(rowsText(found(trace, 'object == irq/7').rows(2, 1), true), /since row above.*\n.* 2 µs/);
  });
});
