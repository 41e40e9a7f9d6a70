// The rule about identities of an IMSIC, on traces that break it and on ones that do not.
import assert from 'node:assert/strict';
import { found, made, verdict } from '../made.ts';

const FN = '0000:00:09.0';
const on = (id: string): string => `1 imsic.enable cpu/${id} enabled=true`;
const pend = (at: number, id: string, more = ''): string => `${at} imsic.pend cpu/${id} pending=true ${more}`;
const own = (irq: number, cpu: number, identity: number, device: string): string =>
  `1 imsic.vector irq/${irq} cpu=${cpu} identity=${identity}\n1 irq.identify irq/${irq} device=${device}`;
const LATE = '20000 imsic.enable cpu/7/imsic/1 enabled=true';

describe('R26', () => {
  it('a message for an identity that no irq has and nobody claims', () => {
    const rest = `${on('0/imsic/2')}\n${own(24, 0, 2, FN)}\n${pend(10, '3/imsic/3')}\n${LATE}`;
    assert.deepEqual(found(made(`1 imsic.enable cpu/3/imsic/3 enabled=false\n${rest}`), 'R26'), [
      '4 cpu/3/imsic/3: a message arrived for identity 3 at hart 3, which no irq has',
    ]);
    // Of one that was enabled before a recording began, nothing is told: it may well have an irq.
    assert.equal(verdict(made(rest), 'R26'), 'pass');
  });

  it('what the kernel takes back, or an irq has by then, is none', () => {
    for (const end of [
      '15 imsic.pend cpu/3/imsic/3 pending=false',
      '15 imsic.claim cpu/3/imsic/3',
      '15 imsic.enable cpu/3/imsic/3 enabled=true',
      '15 imsic.vector irq/24 cpu=3 identity=3',
    ])
      assert.equal(verdict(made(`${on('0/imsic/2')}\n${pend(10, '3/imsic/3')}\n${end}\n${LATE}`), 'R26'), 'pass', end);
  });

  it('what pends at the old hart of a move when the kernel ends that, and where an irq is freed', () => {
    const begin = `${on('0/imsic/2')}\n${own(24, 0, 2, FN)}\n${pend(10, '0/imsic/2')}`;
    const freed = '15 imsic.enable cpu/0/imsic/2 enabled=false\n16 imsic.free irq/24 cpu=0 identity=2 moved=true';
    assert.deepEqual(found(made(`${begin}\n${freed}\n${LATE}`), 'R26'), [
      '3 cpu/0/imsic/2: a message arrived for identity 2 at hart 0, which no irq has',
    ]);
    const back = '15 imsic.pend cpu/0/imsic/2 pending=false';
    assert.deepEqual(found(made(`${begin}\n${back}\n${freed}\n${LATE}`), 'R26'), []);
    // Free first, then clear the bit in eie: the order does not matter.
    const turned = freed.split('\n').reverse().join('\n');
    assert.equal(found(made(`${begin}\n${turned}\n${LATE}`), 'R26').length, 1);
  });

  it('shortly before the end of the trace it may still be taken back', () => {
    const trace = made(`${on('0/imsic/2')}\n${pend(19_000, '3/imsic/3')}\n${LATE}`);
    assert.deepEqual(found(trace, 'R26'), []);
  });

  it('a masked irq keeps its identity: nothing is lost', () => {
    const masked = `1 imsic.enable cpu/0/imsic/2 enabled=false\n${own(24, 0, 2, FN)}\n${pend(10, '0/imsic/2')}\n${LATE}`;
    assert.equal(verdict(made(masked), 'R26'), 'pass');
  });

  it('a message of one function runs the handler of another', () => {
    const claim = (device: string): string =>
      `${on('0/imsic/2')}\n${own(24, 0, 2, device)}\n9 send device/${FN}/msi address=0x28000000 data=0x2 size=4 cause=5\n${pend(10, '0/imsic/2', 'cause=5')}\n11 imsic.claim cpu/0/imsic/2`;
    assert.deepEqual(found(made(claim('0000:00:02.0')), 'R26'), [
      '5 cpu/0/imsic/2: a message of 0000:00:09.0 ran the handler of irq 24 of 0000:00:02.0',
    ]);
    assert.equal(verdict(made(claim(FN)), 'R26'), 'pass');
  });
});
