// The rows of the view Delivery Path.
import assert from 'node:assert/strict';
import { pathAt } from '../../src/query/delivery/path.ts';
import { pathRows, pathTitle } from '../../src/view/path-rows.ts';
import { bundled, run } from '../sim/run.ts';

describe('rows of a delivery path', () => {
  it('how it ends, then its hops with the time between them', () => {
    const { trace } = run(bundled('chain-basic'));
    // Cause 1: raised at 100 µs, accepted 300 ns later, taken 400 ns after that (events of docs/cli.md's scenario).
    let step = 0;
    while (trace.table.kind(step).name !== 'dev.raise') step++;
    const path = pathAt(trace, step)!;
    const rows = pathRows(path);
    assert.equal(pathTitle(path), 'device/0000:03:00.0/msix/0');
    assert.deepEqual(
      rows.map((row) => [row.kind, row.label, row.description]),
      [
        ['outcome', 'delivered', ''],
        ['hop', 'cause', 'device/0000:03:00.0/msix/0'],
        ['hop', 'message', '+0 ns  device/0000:03:00.0/msix/0'],
        ['hop', 'accept', '+300 ns  cpu/0/vector/32'],
        ['hop', 'inject', '+400 ns  cpu/0/vector/32'],
        // The flow of edge-triggered interrupts ends them first.
        ['hop', 'eoi', '+0 ns  cpu/0/vector/32'],
        ['hop', 'handler', '+300 ns  irq/24'],
        ['hop', 'handler', '+1.200 µs  irq/24'],
      ],
    );
    assert.ok(rows.slice(1).every((row) => row.step !== undefined));
  });

  it('where it was lost, with the reason', () => {
    const { trace } = run(bundled('its-basic'));
    let step = trace.length - 1;
    while (trace.table.kind(step).name !== 'dev.raise') step--;
    const [outcome] = pathRows(pathAt(trace, step)!);
    assert.equal(outcome!.label, 'not delivered');
    assert.equal(outcome!.icon, 'error');
    assert.match(outcome!.description, /EventID is not mapped/);
  });
});
