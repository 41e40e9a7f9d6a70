// The rows of the timeline: which lanes are open, and which the box leaves.
import assert from 'node:assert/strict';
import type { LaneMessage } from '../../src/protocol/timeline.ts';
import { Rows } from '../../webview/rows.ts';
import { lane, someLanes } from './some-lanes.ts';

const paths = (rows: Rows): string[] => rows.rows.map((row) => row.lane.path);

describe('rows', () => {
  it('begin with devices open and what is inside others closed', () => {
    const rows = new Rows();
    rows.setLanes(someLanes());
    assert.deepEqual(paths(rows), [
      ...['device', 'device/0000:00:03.0', 'device/0000:00:03.0/msix/0', 'device/0000:00:03.0/msix/1'],
      ...['device/0000:00:04.0', 'cpu', 'cpu/0'],
    ]);
    const cpu0 = rows.rows.at(-1)!;
    assert.deepEqual(
      [cpu0.branch, cpu0.open, cpu0.deep, cpu0.level, cpu0.position, cpu0.siblings],
      [true, false, true, 1, 1, 1],
    );
  });

  it('open and close, one by one and all together', () => {
    const rows = new Rows();
    rows.setLanes(someLanes());
    rows.turn(rows.rows[1]!.lane, false);
    assert.ok(!paths(rows).includes('device/0000:00:03.0/msix/0'));
    rows.turnAll(true);
    assert.equal(rows.rows.length, 8);
    rows.turnAll(false);
    assert.deepEqual(paths(rows), ['device', 'cpu']);
    rows.reveal(rows.byPath('cpu/0/vector/33')!);
    assert.deepEqual(paths(rows), ['device', 'cpu', 'cpu/0', 'cpu/0/vector/33']);
  });

  it('are filtered by name and path, with what stands above them', () => {
    const rows = new Rows();
    rows.setLanes(someLanes());
    rows.setFilter('MSIX/1');
    assert.deepEqual(paths(rows), ['device', 'device/0000:00:03.0', 'device/0000:00:03.0/msix/1']);
    rows.setFilter('nvme');
    assert.equal(rows.rows.length, 4);
    rows.setFilter('vector 33');
    assert.deepEqual(paths(rows), ['cpu', 'cpu/0', 'cpu/0/vector/33']);
    rows.setFilter('nothing like this');
    assert.deepEqual(paths(rows), []);
    rows.setFilter('  ');
    assert.equal(rows.rows.length, 7);
    rows.setFilter('"03.0 nvme"');
    assert.equal(rows.rows.length, 4, 'a text in quotes is one word');
    rows.setFilter('"nvme 03.0"');
    assert.deepEqual(paths(rows), []);
  });

  it('can be some lanes only, with what stands above them, of those that the words leave', () => {
    const rows = new Rows();
    rows.setLanes(someLanes());
    const idOf = (path: string): number => rows.byPath(path)!.id;
    rows.setOnly(new Set([idOf('device/0000:00:03.0/msix/1'), idOf('cpu/0/vector/33')]));
    assert.deepEqual(paths(rows), ['device', 'device/0000:00:03.0', 'device/0000:00:03.0/msix/1', 'cpu', 'cpu/0']);
    rows.setFilter('nvme');
    assert.deepEqual(paths(rows), ['device', 'device/0000:00:03.0', 'device/0000:00:03.0/msix/1']);
    rows.setOnly(new Set());
    assert.deepEqual(paths(rows), []);
    rows.setOnly(undefined);
    assert.equal(rows.rows.length, 4);
  });
});

describe('rows of two traces', () => {
  const twinOf = (of: LaneMessage, path: string): LaneMessage => ({
    ...of,
    id: lane(path, undefined).id,
    path,
    side: 'b',
    twin: of.id,
  });
  function lanes(): LaneMessage[] {
    const irqs = { ...lane('irq', undefined), side: 'a' as const, events: 0 };
    const irq = { ...lane('irq/41', irqs), side: 'a' as const };
    const alone = { ...lane('irq/50', irqs), side: 'b' as const };
    return [irqs, twinOf(irqs, 'irq'), irq, twinOf(irq, 'irq/43'), alone];
  }
  const told = (rows: Rows): string[] =>
    rows.rows.map(({ lane: { side, path }, both, deep, position, siblings }) =>
      [both ? 'both' : side, path, deep ? 'deep' : '', `${position}/${siblings}`]
        .filter((text) => text !== '')
        .join(' '),
    );

  it('stand beside one another, and a group of both is one row while it is open', () => {
    const rows = new Rows();
    rows.setLanes(lanes());
    assert.deepEqual(told(rows), ['both irq 1/1', 'a irq/41 1/3', 'b irq/43 2/3', 'b irq/50 3/3']);
    rows.turn(rows.byPath('irq', 'b')!, false);
    assert.deepEqual(told(rows), ['a irq deep 1/2', 'b irq deep 2/2']);
  });

  it('stay together when they are filtered', () => {
    const rows = new Rows();
    rows.setLanes(lanes());
    rows.setFilter('43');
    assert.deepEqual(told(rows), ['both irq 1/1', 'a irq/41 1/2', 'b irq/43 2/2']);
    rows.setFilter('');
    rows.setOnly(new Set([rows.byPath('irq/43')!.id]));
    assert.deepEqual(told(rows), ['both irq 1/1', 'a irq/41 1/2', 'b irq/43 2/2']);
  });

  it('lead up to the row of their own trace', () => {
    const rows = new Rows();
    rows.setLanes(lanes());
    assert.equal(rows.above(rows.byPath('irq/43')!.id), rows.byPath('irq', 'b')!.id);
    assert.equal(rows.above(rows.byPath('irq/41')!.id), rows.byPath('irq', 'a')!.id);
  });
});
