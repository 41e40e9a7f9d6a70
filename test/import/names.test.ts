// Names of events, looked up by their bytes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytesOf } from '../../src/base/bytes.ts';
import { isNameByte, NameTable } from '../../src/import/names.ts';

describe('a table of names', () => {
  it('finds every name by its bytes and no other', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z_0-9]{1,12}$/), { maxLength: 300 }),
        fc.stringMatching(/^[a-z_0-9]{0,13}$/),
        (names, other) => {
          const table = new NameTable(names);
          for (const [i, name] of [...names.entries(), [names.indexOf(other), other] as const]) {
            const bytes = new TextEncoder().encode(`_${name}_`);
            assert.equal(table.find(bytes, 1, bytes.length - 1), i, name);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reads the name that stands at a place, as far as it goes, and tells where it ends', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z_0-9]{1,12}$/), { maxLength: 300 }),
        fc.stringMatching(/^[a-z_0-9]{0,13}$/),
        fc.constantFrom('', ' ', ':', '-x', '\0', 'é'),
        (names, other, behind) => {
          const table = new NameTable(names);
          for (const name of [...names, other]) {
            const bytes = bytesOf(`?${name}${behind}`);
            assert.equal(table.read(bytes, 1, bytes.length), names.indexOf(name), name);
            assert.equal(table.end, 1 + name.length, name);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('tells whether a name stands at a place, also one that goes on', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-c]{1,9}$/), { minLength: 1, maxLength: 60 }),
        fc.stringMatching(/^[a-c]{0,12}$/),
        (names, text) => {
          const table = new NameTable(names);
          const bytes = bytesOf(`b${text}`);
          for (const [i, name] of names.entries())
            assert.equal(table.isAt(i, bytes, 1, bytes.length), text.startsWith(name) ? 1 + name.length : 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('bytes of names are letters, digits and the underscore', () => {
    for (let byte = 0; byte < 256; byte++)
      assert.equal(isNameByte(byte), byte < 128 && /\w/.test(String.fromCharCode(byte)), String(byte));
  });
});
