// What the user does not want to be told of.
import assert from 'node:assert/strict';
import {
  hiding,
  isBroad,
  isSuppressed,
  readSuppressions,
  withoutSuppression,
  withSuppression,
} from '../../src/check/user/suppressions.ts';

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

  it('are taken out again: those that hide the finding, and nothing else of the file', () => {
    const others = [
      { reason: 'a stress test', rule: 'F80' },
      { ...finding, file: 'other.log' },
    ];
    const document = { $schema: 'x.json', suppressed: [others[0], finding, others[1]] };
    for (const [indent, eol] of [
      ['  ', '\n'],
      ['\t', '\n'],
      ['    ', '\r\n'],
      ['', '\n'],
    ] as const) {
      const written = (value: object): string => JSON.stringify(value, null, indent).replaceAll('\n', eol);
      const text = written(document);
      const left = written({ $schema: 'x.json', suppressed: others });
      assert.equal(withoutSuppression(text, finding), left);
      assert.equal(withoutSuppression(`\uFEFF${text}${eol}`, finding), `\uFEFF${left}${eol}`);
      // What is added leaves the rest as it is, too.
      const more = { rule: 'F02', object: 'device/0000:03:00.0' };
      assert.equal(withSuppression(text, more), written({ ...document, suppressed: [...document.suppressed, more] }));
    }
    assert.equal(withoutSuppression(JSON.stringify({ suppressed: others }), finding), undefined);
    assert.throws(() => withoutSuppression('{', finding), /no JSON/);
  });

  it('know whether they hide other findings, too', () => {
    const broad = [{ rule: 'F01' }, { rule: 'F01', object: finding.object }, { rule: 'F01', file: finding.file }];
    assert.deepEqual(hiding([finding, ...broad, { rule: 'F02' }], finding), [finding, ...broad]);
    assert.deepEqual([finding, ...broad].map(isBroad), [false, true, true, true]);
  });

  it('are not written over a file that is none', () => {
    assert.equal(typeof readSuppressions('{"suppressed": [{"object": 1}]}'), 'string');
    assert.throws(() => withSuppression('{', finding), /no JSON/);
  });
});
