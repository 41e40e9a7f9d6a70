// Which sources tell of one machine, and what the machines are called.
import assert from 'node:assert/strict';
import { type Member, systemsOf, type Tie } from '../../../src/import/join/systems.ts';

const KERNEL: Member = {
  named: undefined,
  vantage: 'kernel',
  folder: '',
  span: undefined,
  emulated: false,
  hosts: false,
  hosted: false,
};
const HOST: Member = { ...KERNEL, hosts: true };
const MACHINE: Member = {
  named: undefined,
  vantage: 'hardware',
  folder: '',
  span: undefined,
  emulated: true,
  hosts: false,
  hosted: false,
};
const GUEST: Member = { ...MACHINE, hosted: true };
const tie = (a: number, relation: Tie['relation'], b: number, support = 9): Tie => ({ a, b, relation, support });

describe('systems of joined sources', () => {
  it('a log of an emulated machine and the kernel inside it are one system without a name', () => {
    assert.deepEqual(systemsOf([KERNEL, MACHINE], []), ['', '']);
    assert.deepEqual(systemsOf([MACHINE, KERNEL], [tie(0, 'same', 1)]), ['', '']);
  });

  it('a kernel with KVM events and the log of a machine that KVM runs are host and guest, in any order', () => {
    assert.deepEqual(systemsOf([HOST, GUEST], []), ['host', 'guest']);
    assert.deepEqual(systemsOf([GUEST, HOST], [tie(0, 'runs-in', 1)]), ['guest', 'host']);
    assert.deepEqual(systemsOf([HOST, KERNEL], [tie(0, 'hosts', 1)]), ['host', 'guest']);
  });

  it('a kernel with KVM events in a machine that no KVM runs is its kernel', () => {
    assert.deepEqual(systemsOf([HOST, MACHINE], []), ['', '']);
  });

  it('what nothing shows goes with what lies in the same folder', () => {
    const at = (member: Member, folder: string): Member => ({ ...member, folder });
    const members = [at(HOST, 'x/host'), at(KERNEL, 'x/vm'), at(KERNEL, 'x/vm/before')];
    assert.deepEqual(systemsOf(members, [tie(0, 'hosts', 1)]), ['host', 'guest', 'guest']);
  });

  it('are l1 and l2 where the host is emulated itself', () => {
    const ties = [tie(0, 'hosts', 1), tie(0, 'same', 2)];
    assert.deepEqual(systemsOf([HOST, GUEST, MACHINE], ties), ['l1', 'l2', 'l1']);
  });

  it('two guests of one host get names of their own', () => {
    assert.deepEqual(systemsOf([HOST, KERNEL, KERNEL], [tie(0, 'hosts', 1), tie(0, 'hosts', 2)]), [
      'host',
      'guest',
      'guest2',
    ]);
  });

  it('guests that ran one after the other on one host are one system; those that ran together are not', () => {
    const ran = (from: number, to: number): Member => ({ ...GUEST, span: [from, to] });
    const ties = [tie(0, 'hosts', 1), tie(0, 'hosts', 2)];
    assert.deepEqual(systemsOf([HOST, ran(0, 5), ran(6, 9)], ties), ['host', 'guest', 'guest']);
    assert.deepEqual(systemsOf([HOST, ran(0, 5), ran(4, 9)], ties), ['host', 'guest', 'guest2']);
  });

  it('names that the user gave hold, also against what the sources show', () => {
    const [a, b] = [
      { ...KERNEL, named: 'a' },
      { ...MACHINE, named: 'b' },
    ];
    assert.deepEqual(systemsOf([a, b], [tie(0, 'same', 1)]), ['a', 'b']);
    assert.deepEqual(systemsOf([{ ...KERNEL, named: 'board' }, MACHINE], []), ['board', 'board']);
    assert.deepEqual(systemsOf([HOST, { ...GUEST, named: 'vm' }], [tie(0, 'hosts', 1)]), ['host', 'vm']);
  });
});
