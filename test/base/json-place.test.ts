// Where a value stands in the text of a JSON document.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type DocumentPath, faultPlace, placeIn } from '../../src/base/json-place.ts';

const TEXT = `{ "a": [1, {"k\\"ey": "x, ]}\\\\"}, []],
  "b": {"a": true, "c": null} }`;

/** The text at the place of a path. */
const at = (path: DocumentPath, key = false): string => {
  const { from, to } = placeIn(TEXT, path, key);
  return TEXT.slice(from, to);
};

describe('places in a JSON document', () => {
  it('are those of values and of keys, with what lies before them stepped over', () => {
    assert.equal(at(['a', 0]), '1');
    assert.equal(at(['a', 1]), '{"k\\"ey": "x, ]}\\\\"}');
    assert.equal(at(['a', 1, 'k"ey']), '"x, ]}\\\\"');
    assert.equal(at(['a', 1, 'k"ey'], true), '"k\\"ey"');
    assert.equal(at(['b', 'a']), 'true');
    assert.equal(at(['b', 'c'], true), '"c"');
    assert.equal(placeIn(TEXT, ['b', 'a']).from, TEXT.indexOf('true'));
  });

  it('of what is not there are those of what should hold it', () => {
    const opening = (path: DocumentPath, sign: string, index: number): void =>
      assert.deepEqual([at(path), placeIn(TEXT, path).from], [sign, index]);
    opening(['z'], '{', 0);
    opening(['a', 9], '[', TEXT.indexOf('['));
    opening(['b', 'z', 'y'], '{', TEXT.lastIndexOf('{'));
    opening([], '{', 0);
    assert.deepEqual(placeIn('', ['a']), { from: 0, to: 0 });
  });

  it('are found for every value of every document', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2), (json, indent) => {
        const document = JSON.parse(json) as unknown;
        const text = JSON.stringify(document, null, indent);
        const visit = (value: unknown, path: DocumentPath): void => {
          if (path.length > 0) {
            const { from, to } = placeIn(text, path);
            assert.deepEqual(JSON.parse(text.slice(from, to)), value);
          }
          if (Array.isArray(value)) for (const [i, one] of value.entries()) visit(one, [...path, i]);
          else if (typeof value === 'object' && value !== null)
            for (const [key, one] of Object.entries(value)) visit(one, [...path, key]);
        };
        visit(document, []);
      }),
    );
  });

  it('of a fault is where the runtime tells it, or the end', () => {
    const fault = (text: string) => {
      try {
        JSON.parse(text);
      } catch (error) {
        return text.slice(faultPlace(text, String(error)).from).slice(0, 1);
      }
      return assert.fail('it is JSON');
    };
    assert.equal(fault('{"a": 1,, "b": 2}'), ',');
    assert.equal(fault('{"a": [1, 2\n'), '2');
    assert.equal(fault(''), '');
  });
});
