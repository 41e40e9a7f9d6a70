// Of files that hold the same records only the fullest is read.
import assert from 'node:assert/strict';
import { duplicatesOf } from '../../../src/import/files/duplicates.ts';
import { fixtureBytes, fixtureLines, importBytes, importText } from '../../helpers/fixtures.ts';

const FTRACE = 'x86-vtd/ftrace.txt';
const text = (lines: readonly { readonly text: string }[]): string => `${lines.map((l) => l.text).join('\n')}\n`;

describe('copies of a recording', () => {
  const whole = importBytes(fixtureBytes(FTRACE));

  it('a part that was filtered out of it, in any order of the files', () => {
    const part = importText(
      text(fixtureLines(FTRACE).filter(({ text: t }) => t.startsWith('#') || / irq_\w+: /.test(t))),
    );
    assert.ok(part.length > 100 && part.length < whole.length);
    assert.deepEqual(duplicatesOf([whole, part]), [undefined, 0]);
    assert.deepEqual(duplicatesOf([part, whole]), [1, undefined]);
  });

  it('the same with other digits in the stamps', () => {
    const nano = importText(
      text(fixtureLines(FTRACE)).replaceAll(/(\d+\.\d{6}): /g, (_, time: string) => `${time}${time.at(-1)}12: `),
    );
    assert.equal(duplicatesOf([whole, nano]).filter((of) => of !== undefined).length, 1);
  });

  it('not one of another time, nor of another machine', () => {
    const later = importText(
      text(fixtureLines(FTRACE)).replaceAll(
        / (\d+)(\.\d{6}): /g,
        (_, s: string, rest: string) => ` ${Number(s) + 7}${rest}: `,
      ),
    );
    assert.deepEqual(duplicatesOf([whole, later]), [undefined, undefined]);
    assert.deepEqual(duplicatesOf([whole, importBytes(fixtureBytes('x86-vtd/qemu.log'))]), [undefined, undefined]);
  });
});
