// What the user does not want to be told of.
import assert from 'node:assert/strict';
import { isSuppressed, readSuppressions, withSuppression } from '../../src/check/user/suppressions.ts';

const finding = { rule: 'F01', object: 'device/0000:03:00.0/msix/1', file: 'logs/vm.log' };

describe('suppressions', () => {
  it('hold for the rule, the object and the file that they name, and for all where they name none', () => {
    assert.equal(isSuppressed([finding], finding), true);
    assert.equal(isSuppressed([{ rule: 'F01' }], finding), true);
    assert.equal(isSuppressed([], finding), false);
    for (const other of [{ rule: 'F03' }, { object: 'device/0000:03:00.0/msix/2' }, { file: 'vm.log' }])
      assert.equal(isSuppressed([finding], { ...finding, ...other }), false);
  });

  it('are added to those that the file holds', () => {
    const one = withSuppression(undefined, finding);
    const two = withSuppression(one, { rule: 'F80', reason: 'a stress test' });
    assert.deepEqual(readSuppressions(two), [finding, { rule: 'F80', reason: 'a stress test' }]);
  });

  it('are not written over a file that is none', () => {
    assert.equal(typeof readSuppressions('{"suppressed": [{"object": 1}]}'), 'string');
    assert.throws(() => withSuppression('{', finding), /no JSON/);
  });
});
