import assert from 'node:assert/strict';
import fc from 'fast-check';
import { captures, Pattern } from '../../src/import/pattern.ts';

type Token = { readonly name: string; readonly type: string } | { readonly text: string } | { readonly maybe: Token[] };

const show = (tokens: readonly Token[]): string =>
  tokens.map((t) => ('text' in t ? t.text : 'maybe' in t ? `«${show(t.maybe)}»` : `{${t.name}:${t.type}}`)).join('');

const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A regular expression that means the same. Every part is taken at once and never given back, as the bytes are read. */
function regexOf(tokens: readonly Token[], open: boolean): RegExp {
  let groups = 0;
  const atomic = (inner: string): string => {
    const name = `g${groups++}`;
    return `(?=(?<${name}>${inner}))\\k<${name}>`;
  };
  const part = (list: readonly Token[]): string =>
    list
      .map((t, i) => {
        // As many blanks as there are stand for several, and for those that a format begins with.
        if ('text' in t)
          return quote(t.text)
            .replace(list === tokens && i === 0 ? /^ +/ : /(?!)/, () => atomic(' *'))
            .replace(/ {2,}/g, () => atomic(' +'));
        if ('maybe' in t) return atomic(`${part(t.maybe)}|`);
        const next = list[i + 1];
        const until = next && 'text' in next ? next.text : undefined;
        return capture(t.name, t.type, until);
      })
      .join('');
  const capture = (name: string, type: string, until: string | undefined): string => {
    const hex = '0[xX][0-9a-fA-F]+|(?!0[xX])[0-9a-fA-F]+';
    const inner: Record<string, string> = {
      u: '-?\\d+',
      d: '-?\\d+',
      x: hex,
      n: '0[xX][0-9a-fA-F]+|(?!0[xX])-?\\d+',
      w: until === undefined ? '[^ ]*' : `[^ ${quote(until[0]!)}]*`,
      s: until === undefined ? '.*' : `(?:(?!${quote(until)}).)*(?=${quote(until)})`,
      r: '.*',
    };
    return atomic(`(?<${name}>${inner[type]})`);
  };
  return new RegExp(`^${part(tokens)}${open ? '' : ' *$'}`, 's');
}

const number = (text: string, type: string): bigint => {
  const hex = type === 'x' || /^0x/i.test(text);
  const negative = text.startsWith('-');
  const value = BigInt(hex && !/^0x/i.test(text) ? `0x${text}` : text.replace('-', ''));
  return BigInt.asUintN(64, negative ? -value : value);
};

const literal = fc.stringMatching(/^[ :=,()@a-f0-9<->[\]]{1,6}$/).map((text) => ({ text }));
const value = fc.constantFrom(
  '0',
  '7',
  '-3',
  '255',
  '0x1f',
  '0xDEADBEEF',
  'ff',
  '18446744073709551615',
  'abc',
  'a b',
  '',
  ' ',
  '0x',
  '(x)',
);

/** A format, and texts that fit it more or less. */
const cases = fc
  .array(fc.oneof(literal, fc.constantFrom('u', 'd', 'x', 'n', 'w', 's', 'r'), fc.constant('maybe' as const)), {
    minLength: 1,
    maxLength: 7,
  })
  .chain((shape) => {
    let name = 0;
    const token = (s: (typeof shape)[number]): Token => {
      if (typeof s !== 'string') return s;
      // Of two captures the first may be there without the second: then neither is.
      if (s === 'maybe')
        return {
          maybe: [
            { text: ' m=' },
            { name: `v${name++}`, type: 'u' },
            { text: ',n=' },
            { name: `v${name++}`, type: 'u' },
          ],
        };
      return { name: `v${name++}`, type: s };
    };
    const joined: Token[] = [];
    for (const s of shape) {
      const t = token(s);
      const last = joined.at(-1);
      // Two texts in a row are one text.
      if (last && 'text' in last && 'text' in t) joined[joined.length - 1] = { text: last.text + t.text };
      else joined.push(t);
    }
    const texts = fc
      .tuple(
        ...joined.map((t) =>
          'text' in t
            ? fc.constant(t.text)
            : 'maybe' in t
              ? fc.constantFrom('', ' m=5,n=6', ' m=5', ' m=5,n=x')
              : value,
        ),
      )
      .map((parts) => (parts as string[]).join(''));
    return fc.record({
      tokens: fc.constant(joined),
      open: fc.boolean(),
      text: fc.oneof(
        texts,
        texts.map((t) => `${t}  `),
        texts.map((t) => `${t} x`),
        texts.map((t) => t.slice(0, -1)),
        fc.string(),
      ),
    });
  });

describe('a pattern', () => {
  it('matches what an equivalent regular expression matches, and captures the same', () => {
    let matched = 0;
    fc.assert(
      fc.property(cases, ({ tokens, open, text }) => {
        const format = show(tokens) + (open ? '…' : '');
        const pattern = new Pattern(format);
        const expected = regexOf(tokens, open).exec(text);
        const bytes = new TextEncoder().encode(`9${text}9`);
        const found = pattern.match(bytes, 1, bytes.length - 1);
        assert.equal(found, expected !== null, `${format} on ${JSON.stringify(text)}`);
        if (!expected) return;
        matched++;
        const types = new Map([...format.matchAll(/\{(\w+):(\w)\}/g)].map((m) => [m[1]!, m[2]!]));
        const slots = pattern.slot as Record<string, number>;
        for (const [name, type] of types) {
          const held: string | undefined = expected.groups?.[name];
          const slot = slots[name]!;
          assert.equal(captures.got[slot] === 1, held !== undefined, `${format}: ${name} of ${JSON.stringify(text)}`);
          if (held === undefined) continue;
          if ('wsr'.includes(type)) {
            const got = new TextDecoder().decode(bytes.subarray(captures.start[slot]!, captures.end[slot]!));
            // The rest of a line ends in front of the blanks behind it.
            assert.equal(got, type === 'r' ? held.replace(/ +$/, '') : held, `${format}: ${name}`);
          } else {
            const got = (BigInt(captures.hi[slot]!) << 32n) | BigInt(captures.lo[slot]!);
            assert.equal(got, number(held, type), `${format}: ${name}`);
          }
        }
      }),
      { numRuns: 4000 },
    );
    assert.ok(matched > 400, `only ${matched} texts matched`);
  });
});

describe('a name of several words', () => {
  const pattern = new Pattern('dev {dev:m} enabled {on:u}');
  const read = (line: string): readonly [string, number] | undefined => {
    const bytes = new TextEncoder().encode(line);
    if (!pattern.match(bytes, 0, bytes.length)) return undefined;
    const { dev, on } = pattern.slot;
    const text = new TextDecoder().decode(bytes.subarray(captures.start[dev]!, captures.end[dev]!));
    return [text, captures.lo[on]!];
  };

  it('ends where the rest of the pattern fits', () => {
    assert.deepEqual(read('dev nvme enabled 1'), ['nvme', 1]);
    assert.deepEqual(read('dev ICH9 SMB enabled 0'), ['ICH9 SMB', 0]);
    assert.deepEqual(read('dev a  b enabled enabled 1'), ['a  b enabled', 1]);
  });

  it('is none where the rest fits nowhere', () => {
    for (const line of ['dev ', 'dev  enabled 1', 'dev nvme', 'dev nvme enabled', 'dev nvme enabled x', 'dev a b c'])
      assert.equal(read(line), undefined, line);
  });
});
