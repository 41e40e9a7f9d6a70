// Operations on a function that no other suite drives.
import assert from 'node:assert/strict';
import { pathValue } from '../../src/query/state.ts';
import type { Operation } from '../../src/sim/operation.ts';
import { events, run } from './run.ts';

const DEVICE = 'device/0000:03:00.0';
const document = { devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }] };

function done(...operations: Operation[]) {
  const simulation = run(document);
  const from = simulation.trace.length;
  const problems = operations.map((operation) => simulation.perform(operation));
  return { problems, events: events(simulation, from), state: simulation.machine.state };
}

describe('operations on a function', () => {
  it('config.write changes what software may change: Message Control at 0x62 loses Enable, keeps the table size', () => {
    const { problems, state } = done({ op: 'config.write', object: DEVICE, offset: 0x62, size: 2, value: '0x0' });
    assert.deepEqual(problems, [undefined]);
    const cap = pathValue(state, `${DEVICE}/msixcap`) as Record<string, unknown>;
    assert.deepEqual([cap['enable'], cap['size']], [false, 2]);
  });

  it('config.write is refused where it is not aligned', () => {
    const { problems, events: made } = done({ op: 'config.write', object: DEVICE, offset: 5, size: 2, value: 0 });
    assert.match(problems[0] ?? '', /aligned/);
    assert.deepEqual(made, []);
  });

  it('pba.write is undefined (U3) and changes no pending bit', () => {
    const { events: made, state } = done({ op: 'pba.write', object: DEVICE, value: '0x3' });
    assert.deepEqual(
      made.map((e) => [e.kind, e.fields['rule']]),
      [
        ['pba.write', undefined],
        ['illegal', 'U3'],
      ],
    );
    const entry = pathValue(state, `${DEVICE}/msix/1`) as Record<string, unknown>;
    assert.notEqual(entry['pending'], true);
  });
});
