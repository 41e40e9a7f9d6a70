// The rule about event channels of Xen, on traces that break it and on ones that do not.
import assert from 'node:assert/strict';
import { found, made, verdict } from '../made.ts';

const PORT = 'xen/0/evtchn/1';
const TAKE = `2 xen.take xen/0/evtchn/9`;
const late = `30000 xen.mask xen/0/evtchn/9 masked=false`;

describe('R22', () => {
  it('an event at a port that stays masked, and every one that merges with it, is one finding', () => {
    const trace = made(`1 xen.mask ${PORT} masked=true\n${TAKE}\n10 xen.pend ${PORT}\n15000 xen.pend ${PORT}\n${late}`);
    assert.deepEqual(found(trace, 'R22'), [
      `2 ${PORT}: an event of event channel 1 of domain 0 is not taken: the port is masked`,
    ]);
  });

  it('an event that is taken within 10 ms, or whose channel is closed, is none', () => {
    for (const end of [`9000 xen.take ${PORT}`, `9000 xen.bind ${PORT} pirq=24 vcpu=0 closed=true`])
      assert.equal(verdict(made(`${TAKE}\n10 xen.pend ${PORT}\n${end}\n${late}`), 'R22'), 'pass', end);
  });

  it('whether a port is masked is not known where no record tells it', () => {
    assert.deepEqual(found(made(`${TAKE}\n10 xen.pend ${PORT}\n${late}`), 'R22'), [
      `1 ${PORT}: an event of event channel 1 of domain 0 is not taken`,
    ]);
  });
});
