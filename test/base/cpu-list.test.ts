// Sets of CPUs as the kernel prints them. Expected: bitmap_print_list and bitmap_print_string of the kernel, computed bit by bit.
import assert from 'node:assert/strict';
import { listOf, listOfMask, numbersOf } from '../../src/base/cpu-list.ts';
import { Random } from '../../src/base/random.ts';

describe('sets of CPUs', () => {
  it('lists', () => {
    assert.deepEqual(numbersOf('0-3,8'), [0, 1, 2, 3, 8]);
    assert.deepEqual(numbersOf(''), []);
    for (const wrong of ['3-1', 'a', '1,', '0-3;8', '0-99999', '-1', '1 2'])
      assert.equal(numbersOf(wrong), undefined, wrong);
    assert.equal(listOf([0, 1, 2, 3, 8, 10, 11]), '0-3,8,10-11');
    assert.equal(listOf([]), '');
  });

  it('masks', () => {
    for (const [mask, list] of [
      ['0', ''],
      ['f', '0-3'],
      ['80000000', '31'],
      ['1,00000000', '32'],
      ['00000001,80000000,00000003', '0-1,63-64'],
    ] as const)
      assert.equal(listOfMask(mask), list, mask);
    for (const wrong of ['', 'g', '1,2', '123456789']) assert.equal(listOfMask(wrong), undefined, wrong);
  });

  it('what is printed is read again', () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round++) {
      const numbers = Array.from({ length: 130 }, (_, n) => n).filter(() => random.chance(0.3));
      const words = [4, 3, 2, 1, 0].map((word) =>
        numbers
          .filter((n) => n >> 5 === word)
          .reduce((sum, n) => sum + 2 ** (n & 31), 0)
          .toString(16)
          .padStart(8, '0'),
      );
      assert.deepEqual(numbersOf(listOf(numbers)), numbers);
      assert.equal(listOfMask(words.join(',')), listOf(numbers));
    }
  });
});
