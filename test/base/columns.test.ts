import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Column, f64Column, WordPool } from '../../src/base/columns.ts';
import { randomWords } from '../model/random.ts';

describe('columns', () => {
  const columns = {
    u8: Uint8Array,
    i16: Int16Array,
    u32: Uint32Array,
    f64: Float64Array,
  } as const;
  for (const [name, Typed] of Object.entries(columns)) {
    it(`${name}: holds what a typed array of that kind holds, across segments`, () => {
      const next = randomWords(name.length);
      const column = new Column((n) => new Typed(n));
      const count = 100_001;
      const plain = new Typed(count);
      for (let i = 0; i < count; i++) {
        const value = name === 'f64' ? next() * 1e7 + 0.25 : next();
        plain[i] = value;
        column.push(value);
      }
      assert.equal(column.length, count);
      for (let i = 0; i < count; i++) if (column.get(i) !== plain[i]) assert.equal(column.get(i), plain[i], `at ${i}`);
      assert.ok(column.bytes >= plain.byteLength);
    });
  }

  it('NaN stays NaN', () => {
    const column = f64Column();
    column.push(Number.NaN);
    assert.ok(Number.isNaN(column.get(0)));
  });
});

describe('a word pool', () => {
  it('gives back every run, in place, however runs fall on segments', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 131_072 })), { maxLength: 60 }),
        fc.integer(),
        (lengths, seed) => {
          const next = randomWords(seed);
          const pool = new WordPool();
          const runs = lengths.map((length) => {
            const words = new Uint32Array(length);
            for (let i = 0; i < length; i += 97) words[i] = next();
            if (length > 0) words[length - 1] = next();
            return { words, start: pool.append(words, 0, length) };
          });
          for (const { words, start } of runs) {
            const segment = pool.segment(start);
            const at = pool.offset(start);
            assert.deepEqual(segment.subarray(at, at + words.length), words);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('copies: writing to the words afterwards changes nothing', () => {
    const pool = new WordPool();
    const words = new Uint32Array([1, 2, 3]);
    const start = pool.append(words, 0, 2);
    words.fill(9);
    const second = pool.append(words, 0, 3);
    assert.deepEqual([...pool.segment(start).subarray(pool.offset(start), pool.offset(start) + 2)], [1, 2]);
    assert.deepEqual([...pool.segment(second).subarray(pool.offset(second), pool.offset(second) + 3)], [9, 9, 9]);
  });
});
