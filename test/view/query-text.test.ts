import assert from 'node:assert/strict';
import { completed, readsAsFilter, wordsOf } from '../../src/view/query-text.ts';

describe('the text of a box for words and filters', () => {
  it('is a filter when it holds a sign of the language', () => {
    for (const text of [
      'kind == send',
      'kind =',
      'dt > 50us',
      'dt<5ms',
      'object ~ 04.0',
      '!masked',
      'masked && handled',
      'a|',
      'vector in 33..40',
      'vector in ',
      '(masked)',
      ' after(handled, 5ms)',
      'state(entry.pending)',
    ])
      assert.equal(readsAsFilter(text), true, text);
  });

  it('is words otherwise, as names of lanes are', () => {
    for (const text of [
      '',
      ' ',
      'nvme',
      '0000:00:03.0 nvme',
      'device/0000:00:03.0/msix/0',
      'vfio-msix[0](0000:00:03.0)',
      'MSI-X 0',
      'masked',
      'kind ',
      'in use',
      'vector in',
      'msix inval',
      'after 5',
    ])
      assert.equal(readsAsFilter(text), false, text);
  });

  it('is words in quotes, whatever signs they hold', () => {
    for (const text of ['"<b>acpi</b>"', "'a == b'", '"a && ']) assert.equal(readsAsFilter(text), false, text);
    assert.deepEqual(wordsOf('"<b>  ACPI"'), ['<b>  acpi']);
    assert.deepEqual(wordsOf("'a b"), ['a b']);
    assert.deepEqual(wordsOf('"'), []);
    assert.deepEqual(wordsOf('  MSI-X  3 '), ['msi-x', '3']);
    assert.deepEqual(wordsOf(' '), []);
  });

  it('goes on with a completion at the caret', () => {
    assert.deepEqual(completed('kin', { text: 'kind', from: 0, to: 3 }), { text: 'kind ', caret: 5 });
    assert.deepEqual(completed('kin == send', { text: 'kind', from: 0, to: 3 }), { text: 'kind == send', caret: 4 });
    assert.deepEqual(completed('ent && a', { text: 'entry.', from: 0, to: 3 }), { text: 'entry. && a', caret: 6 });
    assert.deepEqual(completed('object == dev', { text: 'device/', from: 10, to: 13 }), {
      text: 'object == device/',
      caret: 17,
    });
  });
});
