// What an invalidation of the interrupt entry cache reaches (VT-d 6.5.2.7: 2^IM entries from an index on), and counts.
import assert from 'node:assert/strict';
import { valueAfter } from '../helpers/told.ts';

const INDICES = [0, 7, 8, 15, 16, 32767, 32768, 65535];
const read = INDICES.map((i) => `irte.read irte/0/${i} value=0x0000000000040001000001000021000d`);
const write = INDICES.map((i) => `irte.write irte/0/${i} value=0x0000000000040001000002000021000d`);

/** The indices of the entries that an invalidation reaches: all were read and then written, and these are not stale any more. */
const reached = (invalidation: string): number[] =>
  INDICES.filter((i) => valueAfter([...read, ...write, invalidation], `irte/0/${i}/stale`) === false);

describe('an invalidation of the interrupt entry cache', () => {
  it('reaches 2^mask entries from its index on', () => {
    assert.deepEqual(reached('iec.inv irte/0/8 global=false index=8 mask=0'), [8]);
    assert.deepEqual(reached('iec.inv irte/0/8 global=false index=8 mask=3'), [8, 15]);
    assert.deepEqual(reached('iec.inv irte/0/0 global=false index=0 mask=3'), [0, 7]);
    assert.deepEqual(reached('iec.inv irte/0/0 global=false index=0 mask=4'), [0, 7, 8, 15]);
    assert.deepEqual(reached('iec.inv irte/0/0 global=false index=0 mask=15'), [0, 7, 8, 15, 16, 32767]);
    assert.deepEqual(reached('iec.inv irte/0/32768 global=false index=32768 mask=15'), [32768, 65535]);
  });

  it('with a mask above 15 (the field has 5 bits) reaches the whole table of 65536 entries', () => {
    for (const mask of [16, 17, 31])
      assert.deepEqual(reached(`iec.inv irte/0/0 global=false index=0 mask=${mask}`), INDICES);
  });

  it('reaches all entries when it is global, whatever its index says', () => {
    assert.deepEqual(reached('iec.inv irte/0 global=true index=0 mask=0'), INDICES);
  });

  it('is counted by the unit, once each', () => {
    const one = 'iec.inv irte/0/8 global=false index=8 mask=0';
    const all = 'iec.inv irte/0 global=true index=0 mask=0';
    assert.equal(valueAfter([...read, one, all, one], 'irte/0/invalidations'), 3);
    assert.equal(valueAfter([...read, one, all, one], 'irte/0/8/invalidations'), 3);
    assert.equal(valueAfter([...read, one, all, one], 'irte/0/7/invalidations'), 1);
  });
});

describe('a fault of a remapping unit', () => {
  it('is counted by its unit, whether it names an entry or not', () => {
    const entry = 'ir.fault irte/0/8 reason=34 sid=0x18 index=8';
    const unit = 'ir.fault irte/0 reason=32';
    // The unit exists once it read an entry.
    assert.equal(valueAfter([...read], 'irte/0/faults'), 0);
    assert.equal(valueAfter([...read, entry], 'irte/0/faults'), 1);
    assert.equal(valueAfter([...read, entry, unit, entry], 'irte/0/faults'), 3);
    assert.equal(valueAfter([...read, entry, 'ir.fault irte/1/0 reason=34'], 'irte/1/faults'), 1);
  });

  it('requests are counted the same way', () => {
    const request = (path: string): string => `ir.request ${path} address=0xfee00298 data=0x0`;
    const events = [request('irte/0/20'), request('irte/0'), request('irte/1/20')];
    assert.equal(valueAfter(events, 'irte/0/requests'), 2);
    assert.equal(valueAfter(events, 'irte/1/requests'), 1);
  });
});
