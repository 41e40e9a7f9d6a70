// What cannot be explained, and what holds for every value that can be.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { explain, explainable, type Reading } from '../../../src/query/explain/explain.ts';
import { readingText } from '../../../src/view/reading.ts';
import { one, refusal } from './read.ts';

/** Fields that a hwirq has whatever domain is the likeliest: that depends on whether it is written in decimal. */
const told = ({ kind, fields }: Reading): unknown =>
  kind === 'hwirq'
    ? Object.entries(fields).filter(([name]) => /^(perDevice|pciMsi|intelIr|amdIr|gic)/.test(name))
    : fields;

describe('explain: what is refused', () => {
  it('says why in one line', () => {
    const cases: readonly (readonly [string, string | undefined, RegExp])[] = [
      ['', undefined, /no number/],
      ['   ', 'irte', /no number/],
      ['x'.repeat(5000), undefined, /…/],
      [`0x${'f'.repeat(5000)}`, 'irte', /… has more than 128 bits/],
      [`0x${'f'.repeat(5000)}`, undefined, /… is no value/],
      ['hello', undefined, /^hello is no number$/],
      ['0xfee0/0x1/0x2', undefined, /ADDRESS\/DATA/],
      ['0xfee0/', undefined, /ADDRESS\/DATA/],
      ['/5', undefined, /ADDRESS\/DATA/],
      ['0xfee00000', 'vtd', /ADDRESS\/DATA/],
      ['0xfee00000/0x100000000', 'vtd', /32 bits/],
      ['0x10000000000000000/0', 'its', /64 bits/],
      ['0x1234/5', 'vtd', /no message/],
      ['0xfee004b8/0', 'irte', /is a message/],
      ['0x1c080', 'msix-control', /more than 16 bits/],
      ['1 2', 'msix-control', /one number, not 2/],
      ['1 2 3', 'irte', /at most 2 numbers, not 3/],
      [`0x1${'0'.repeat(32)}`, 'irte', /more than 128 bits/],
      ['0x10000000000000000 0', 'irte', /more than 64 bits/],
      ['1 2 3', 'pi-descriptor', /control word or eight words/],
      ['0x8000000000000000', 'hwirq', /no hwirq/],
      ['1', 'mesage', /did you mean message/],
      ['1', 'nothing at all', /there are vtd, /],
    ];
    for (const [text, as, why] of cases) {
      const refused = refusal(text, as);
      assert.match(refused, why, text);
      assert.ok(!refused.includes('\n') && refused.length < 300, text);
    }
  });

  it('no text makes it throw, and what it reads it reads the same from its own value', () => {
    const digits = fc
      .array(fc.constantFrom(...'0123456789abcdefx_/ \'"lowdata:='), { maxLength: 60 })
      .map((c) => c.join(''));
    fc.assert(
      fc.property(
        fc.oneof(digits, fc.string()),
        fc.option(fc.constantFrom(...explainable.map(({ name }) => name))),
        (text, as) => {
          const readings = explain(text, as ?? undefined);
          if ('refused' in readings) return;
          assert.ok(readings.length > 0);
          for (const reading of readings) {
            assert.ok(reading.value.length > 0 && readingText(reading).includes(reading.text));
            const again = explain(reading.value, reading.kind);
            assert.ok(!('refused' in again), `${text}: ${reading.value} as ${reading.kind}`);
            assert.deepEqual(told(again[0]!), told(reading), `${text} as ${reading.kind}`);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('field values lie within their bits, as a shift and a mask of the whole value give them', () => {
    const registers: readonly (readonly [string, number])[] = [
      ['msix-control', 16],
      ['msi-control', 16],
      ['command', 16],
      ['permission', 64],
      ['ims', 32],
      ['irte', 128],
      ['iec', 64],
      ['pi-descriptor', 64],
      ['vector-control', 32],
    ];
    for (const [kind, width] of registers) {
      fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n }), (value) => {
          for (const { bits, value: told } of one(`0x${value.toString(16)}`, kind).rows) {
            const [hi, lo] = bits.split(':').map(Number) as [number, number | undefined];
            if (bits === '') continue;
            const shifted = (value >> BigInt(lo ?? hi)) & ((1n << BigInt(hi - (lo ?? hi) + 1)) - 1n);
            assert.equal(BigInt(told as number | boolean), shifted, `${kind} 0x${value.toString(16)} ${bits}`);
          }
        }),
        { numRuns: 50 },
      );
    }
  });
});
