// Where a caret stands in a JSON document that is being typed: `|` marks it.
import assert from 'node:assert/strict';
import { caretPlace, closedBefore } from '../../src/base/json-caret.ts';

/** Keys and indexes, then `key` or `value`, then the text around the caret in quotation marks. */
function at(marked: string): string {
  const caret = marked.indexOf('|');
  const text = marked.replace('|', '');
  const { path, isKey, text: inside } = caretPlace(text, caret);
  const around = inside === undefined ? '' : ` "${text.slice(inside.from, inside.to)}"`;
  return `${path.join('.')} ${isKey ? 'key' : 'value'}${around}`;
}

describe('the place of a caret in a JSON document', () => {
  it('is told by keys and indexes, with the text around it', () => {
    assert.equal(at('{"workload": [{"op": "a"}, {"object": "dev|ice"}]}'), 'workload.1.object value "device"');
    assert.equal(at('{"workload": [{"object": "|"}]}'), 'workload.0.object value ""');
    assert.equal(at('{"workload": [{"obj|": "x"}]}'), 'workload.0. key "obj"');
    assert.equal(at('{"a": {"b": [1, 2, |3]}}'), 'a.b.2 value');
    assert.equal(at('{"a": 1, "b": [{}, []], |'), 'b key');
    assert.equal(at('|'), ' value');
  });

  it('does not need what is behind it, nor the end of a text', () => {
    assert.equal(at('{"workload": [{"op": "x", "object": "dev|'), 'workload.0.object value "dev"');
    assert.equal(at('{"workload": [{"object": "dev|\n}, {"at": 1}]}'), 'workload.0.object value "dev"');
    assert.equal(at('{"title": "not ended\n"workload": ["|"]'), 'workload.0 value ""');
  });

  it('takes signs and quotation marks within texts as text', () => {
    assert.equal(at(String.raw`{"a\"b": "x, y: {", "c": ["[\\", "|"]}`), 'c.1 value ""');
    assert.equal(at(String.raw`{"wörk": {"a\"b": |1}}`), 'wörk.a"b value');
  });

  it('leaves a document of what stands before the object that is typed', () => {
    const rest = (marked: string): unknown => JSON.parse(closedBefore(marked.replace('|', ''), marked.indexOf('|')));
    const typed = '{"devices": [{"a": "}"}], "workload": [{"at": 1}, {"op": "x", "object": "|"\n{"at": 2}]}';
    assert.deepEqual(rest(typed), { devices: [{ a: '}' }], workload: [{ at: 1 }] });
    assert.deepEqual(rest('{"a": 1, "workload": [{"object": "|'), { a: 1, workload: [] });
  });
});
