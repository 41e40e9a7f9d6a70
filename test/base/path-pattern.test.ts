import assert from 'node:assert/strict';
import fc from 'fast-check';
import { patient } from '../../scripts/test/patience.ts';
import {
  firstSegment,
  fitsPattern,
  isAtOrBelow,
  lastSegment,
  PathTable,
  pathMatcher,
  segmentsOf,
  textMatcher,
} from '../../src/base/path-pattern.ts';

describe('path patterns', () => {
  it('patterns agree with regular expressions', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, pattern, fc.boolean(), (of, glob, path) => {
        const below = path && glob.endsWith('/**');
        const source = (below ? glob.slice(0, -3) : glob)
          .replaceAll('.', '\\.')
          .replaceAll(/\*+/g, (stars) => (path && stars.length === 1 ? '[^/]*' : '.*'));
        const expected = new RegExp(`^${source}${below ? '(/.*)?' : ''}$`).test(of);
        assert.equal((path ? pathMatcher : textMatcher)(glob)(of), expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('patterns take no more time than they must', () => {
    const started = performance.now();
    assert.equal(textMatcher(`${'*a'.repeat(40)}b`)('a'.repeat(2000)), false);
    assert.ok(performance.now() - started < patient(1000));
  });

  it('a table finds the first pattern that fits, segment by segment', () => {
    const table = new PathTable([
      ['irte/*', 'unit'],
      ['irte/amdvi-*/*', 'amd'],
      ['irte/*/*', 'vtd'],
    ]);
    assert.equal(table.find('irte/dmar0'), 'unit');
    assert.equal(table.find('irte/amdvi-0x18/3'), 'amd');
    assert.equal(table.find('irte/dmar0/3'), 'vtd');
    assert.equal(table.find('irte'), undefined);
    assert.equal(table.find('irte//3'), undefined, 'a star is no empty segment');
    assert.equal(table.find('irte/dmar0/3/4'), undefined);
  });

  it('a point in a pattern is a point', () => {
    assert.equal(fitsPattern('device/0000:00:03.0/msi', 'device/0000:00:03.0/msi'), true);
    assert.equal(fitsPattern('device/0000:00:03x0/msi', 'device/0000:00:03.0/msi'), false);
  });

  it('takes paths apart', () => {
    assert.deepEqual(segmentsOf('/irq//41/'), ['irq', '41']);
    assert.equal(firstSegment('irq/41'), 'irq');
    assert.equal(firstSegment('irq'), 'irq');
    assert.equal(lastSegment('cpu/0/vector/33'), '33');
    assert.equal(lastSegment('irq'), 'irq');
  });

  it('an object and what is below it, not what only begins with the same letters', () => {
    assert.equal(isAtOrBelow('irq/4', 'irq/4'), true);
    assert.equal(isAtOrBelow('irq/4/x', 'irq/4'), true);
    assert.equal(isAtOrBelow('irq/41', 'irq/4'), false);
    assert.equal(isAtOrBelow('irq', 'irq/4'), false);
  });
});
