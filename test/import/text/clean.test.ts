// What terminals leave in a line (ECMA-48), also as `cat -v` shows it: `^[` for escape, `^G` for bell. The right texts are what a terminal shows.
import assert from 'node:assert/strict';
import { clean, Watch } from '../../../src/import/text/clean.ts';

function cleaned(text: string): string {
  const bytes = Buffer.from(text);
  return Buffer.from(clean(bytes, 0, bytes.length, new Set(), false) ?? bytes).toString();
}

describe('a line without what a terminal left in it', () => {
  for (const [esc, bell] of [
    ['\u001b', '\u0007'],
    ['^[', '^G'],
  ] as const) {
    it(`a control string ends at the next bell, with escapes as ${JSON.stringify(esc)}`, () => {
      assert.equal(cleaned(`${esc}]0;title${bell}record ${esc}]0;other${bell}of`), 'record of');
    });

    it(`or at a string terminator, with escapes as ${JSON.stringify(esc)}`, () => {
      const link = `${esc}]8;;http://example.org${esc}\\name${esc}]8;;${esc}\\ tail`;
      assert.equal(cleaned(link), 'name tail');
    });
  }

  it('a caret in a control string is a character like others', () => {
    assert.equal(cleaned('\u001b]0;a^b ^ c\u0007record'), 'record');
  });

  it('each backspace takes back one character', () => {
    assert.equal(cleaned('ab\b\bcd'), 'cd');
    assert.equal(cleaned('\b\bab\bc'), 'ac');
    assert.equal(cleaned('x\u{1f600}\by'), 'xy');
  });

  it('of a megabyte is made in time, whatever is left open in it', function () {
    this.timeout(10_000);
    const size = 1 << 20;
    for (const part of ['^[]', '^[]^', '\u001b]', '\u001b[', '^[[', 'a\b', '\b', '^', '&#', '\t<'])
      cleaned(part.repeat(size / part.length));
    for (const first of ['\u001b]', '^[]']) cleaned(first + 'a^'.repeat(size / 2));
  });
});

describe('the watch for escapes', () => {
  it('finds the only one of a buffer, wherever it stands', () => {
    const bytes = Buffer.from('plain text\n'.repeat(3000));
    for (const line of [0, 1, 500, 2999]) {
      const coloured = Uint8Array.from(bytes);
      coloured[line * 11 + 5] = 27;
      const watch = new Watch(false);
      const found = Array.from({ length: 3000 }, (_, i) => watch.inLine(coloured, i * 11, i * 11 + 10));
      assert.deepEqual([found.indexOf(true), found.lastIndexOf(true)], [line, line]);
    }
  });

  it('looks at no byte behind a line that is alone in its buffer', () => {
    const watch = new Watch(true);
    const buffer = Buffer.from('record\u001b[31m & more');
    for (let i = 0; i < 3; i++) assert.equal(watch.inLine(buffer, 0, 6), false);
    assert.equal(watch.inLine(buffer, 0, 7), true);
  });
});
