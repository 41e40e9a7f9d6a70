// The arrangement of lanes: what the user opened and closed goes to the session, and comes back from it.
import assert from 'node:assert/strict';
import type { LaneMessage } from '../../src/protocol/timeline.ts';
import { Rows } from '../../webview/rows.ts';

let next = 0;
function lane(path: string, parent?: LaneMessage): LaneMessage {
  const label = path.slice(path.lastIndexOf('/') + 1);
  return { id: next++, parent: parent?.id ?? -1, path, side: '', twin: -1, label, detail: '', events: 1, layers: [] };
}

function someLanes(): LaneMessage[] {
  const device = lane('device');
  const nvme = lane('device/0000:00:03.0', device);
  const cpus = lane('cpu');
  const cpu0 = lane('cpu/0', cpus);
  const below = [lane('device/0000:00:03.0/msix/0', nvme), lane('cpu/0/vector/33', cpu0)];
  return [device, nvme, below[0]!, lane('device/0000:00:04.0', device), cpus, cpu0, below[1]!];
}

const paths = (rows: Rows): string[] => rows.rows.map((row) => row.lane.path);

describe('lanes', () => {
  it('are arranged as they were, by the paths that were shown', () => {
    const before = new Rows();
    before.setLanes(someLanes());
    assert.equal(before.layout, undefined, 'the user has arranged nothing');
    before.turn(before.byPath('device/0000:00:03.0')!, false);
    before.turn(before.byPath('cpu/0')!, true);
    const shown = paths(before);
    before.setFilter('vector');
    assert.deepEqual(before.layout, shown, 'words in the box do not count');
    const after = new Rows();
    after.setLanes(someLanes());
    after.arrangeLike(shown);
    assert.deepEqual(paths(after), shown);
    // A trace with other lanes keeps those as they begin.
    after.turnAll(true);
    after.arrangeLike(['elsewhere']);
    assert.equal(after.rows.length, 7);
  });
});
