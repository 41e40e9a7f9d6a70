// Lines of text in strings of JSON: what JSON.parse says of a string is right.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JsonLines, withoutNesting } from '../../../src/import/text/json-lines.ts';
import { importText } from '../../helpers/fixtures.ts';
import { texts, wholly } from '../samples.ts';

/** The lines that are taken, each with its number in the source. */
function linesOf(source: string, chunk = source.length * 3): [string, number][] {
  const lines: [string, number][] = [];
  const json = new JsonLines((buf, start, end, line) => {
    lines.push([Buffer.from(buf.subarray(start, end)).toString(), line]);
  });
  const bytes = Buffer.from(source);
  for (let at = 0; at < bytes.length; at += chunk) json.push(bytes.subarray(at, at + chunk));
  json.end();
  return lines;
}

describe('lines in strings of JSON', () => {
  it('are those that JSON.parse gives, whatever the characters and the chunks are', () => {
    const unit = fc.constantFrom('a', '"', '\\', '/', '\t', 'é', '€', '😀', '\ud83d', '\ude00', '\u0001');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (text, chunk) => {
        // Every character as an escape of its own, and as JSON.stringify writes it.
        const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
        const escaped = `"${units.map((code) => `\\u${code.toString(16).padStart(4, '0')}`).join('')}"`;
        for (const json of [escaped, JSON.stringify(text)])
          assert.deepEqual(linesOf(json, chunk), [[Buffer.from(JSON.parse(json)).toString(), 1]]);
      }),
      { numRuns: 300 },
    );
  });

  it('half a pair of UTF-16 is joined with no other text', () => {
    assert.deepEqual(linesOf('"\\ud83dx\\ude00"'), [['\ufffdx\ufffd', 1]]);
    assert.deepEqual(linesOf('"\\ud83d","four\\ude00"'), [
      ['\ufffd', 1],
      ['four\ufffd', 1],
    ]);
  });

  it('what begins like \\u and lacks digits stands for itself, and what ends it is no part of it', () => {
    assert.deepEqual(linesOf('"C:\\users"\n"C:\\ua"\n"second\\n"\n"\\u12\nthird"'), [
      ['C:\\users', 1],
      ['C:\\ua', 2],
      ['second', 3],
      ['\\u12', 4],
      ['third', 5],
    ]);
    assert.deepEqual(linesOf('"\\u00\\u0041"'), [['\\u00A', 1]]);
  });

  it('a line end that is written as \\u000a ends a line, too', () => {
    const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
    const text = 'first\nsecond\r\nthird';
    const escaped = `"${[...text].map((one) => unit(one.charCodeAt(0))).join('')}"`;
    assert.equal(JSON.parse(escaped), text);
    assert.deepEqual(
      linesOf(escaped).map(([line]) => line),
      ['first', 'second', 'third'],
    );
  });

  it('strings within strings are read to any depth', () => {
    const lines = ['a "quoted" \\ line', 'second', 'third'];
    let nested = JSON.stringify({ log: lines.join('\n') });
    for (let deep = 1; deep <= 6; deep++) {
      const found = Buffer.from(withoutNesting(Buffer.from(nested)))
        .toString()
        .split('\n');
      assert.deepEqual(
        found.filter((line) => lines.includes(line)),
        lines,
        `${deep} deep`,
      );
      nested = JSON.stringify({ body: nested });
    }
    // Brackets without end, and a string that is cut in an escape.
    for (const text of [`${'['.repeat(100_000)}\\n`, '{"\\', '["\\u00', '{"a":"\\"b\\', '{"a":"\\u12'])
      assert.ok(withoutNesting(Buffer.from(text)).length <= text.length);
  });

  it('a log whose first line is no record is read whole, however deep it is nested', () => {
    const log = [
      'CPU:0 [LOST 5261 EVENTS]',
      '          <idle>-0       [000] d.h1.     4.860122: irq_handler_entry: irq=33 name=nvme0q1',
      '          <idle>-0       [000] d.h1.     4.860125: irq_handler_exit: irq=33 ret=handled',
      '',
    ].join('\n');
    const { events } = wholly(log);
    assert.equal(events.length, 3);
    let nested = log;
    for (let deep = 1; deep <= 4; deep++) {
      nested = JSON.stringify({ log: nested });
      assert.deepEqual(texts(importText(nested)), events, `${deep} deep`);
    }
  });
});
