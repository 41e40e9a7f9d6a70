// Numbers and pointers in paths, which differ between two runs and mean nothing by themselves.
import assert from 'node:assert/strict';
import { numberIn } from '../../../src/query/diff/numbers.ts';

describe('numbers in paths', () => {
  it('a queue of a virtio device is known by its place among the queues: both pointers differ', () => {
    const one = numberIn('virtio/0x55a560b35a30/0x7f8de4465010')!;
    const other = numberIn('virtio/0x55d0/0x7f10')!;
    assert.deepEqual({ ...one, number: 0 }, { ...other, number: 0 });
    assert.equal(one.number, 0x7f8de4465010);
    assert.equal(other.number, 0x7f10);
    assert.equal(one.what, 'pointer');
    const guest = numberIn('guest:virtio/0x55d0/0x7f10')!;
    assert.notEqual(guest.space, other.space);
  });

  it('what is no pointer stays', () => {
    assert.equal(numberIn('virtio/pci'), undefined);
    assert.equal(numberIn('virtio/0x55d0')!.number, 0x55d0);
  });
});
