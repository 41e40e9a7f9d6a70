import assert from 'node:assert/strict';
import { count, counted, noun } from '../../src/base/counted.ts';

describe('counted', () => {
  it('writes one thing in the singular and every other number in the plural', () => {
    assert.equal(counted(0, 'event'), '0 events');
    assert.equal(counted(1, 'event'), '1 event');
    assert.equal(counted(2, 'event'), '2 events');
    assert.equal(counted(1, 'entry', 'entries'), '1 entry');
    assert.equal(counted(512, 'entry', 'entries'), '512 entries');
    assert.equal(noun(1, 'gap'), 'gap');
    assert.equal(noun(11, 'gap'), 'gaps');
  });

  it('separates thousands', () => {
    assert.equal(count(34_806), '34,806');
    assert.equal(counted(1_234_567, 'line'), '1,234,567 lines');
  });
});
