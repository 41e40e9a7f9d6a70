// Mutants of trimmed captures: bytes flipped, lines cut, joined, repeated, swapped, numbers made absurd, sources joined, packed
// data cut and damaged. All from one number.
import { gzipSync } from 'node:zlib';
import { fixtureBytes, traceFixtures } from '../../helpers/fixtures.ts';
import { randomWords } from '../../model/random.ts';

/** A mutant, and what was done to it in words. */
export interface Mutant {
  readonly bytes: Uint8Array;
  readonly story: string;
  /** What was unpacked may end early. */
  readonly packed: boolean;
}

/** A number below another one. */
export type Rng = (below: number) => number;

export const ABSURD = [
  '0',
  '-1',
  '255',
  '256',
  '65536',
  '4294967295',
  '4294967296',
  '18446744073709551615',
  '99999999999999999999999999',
  '0xffffffffffffffff',
  '0xfffffffffffffffffffffff',
  '0x',
  '1e9',
  '٣',
  '',
  '9'.repeat(400),
  '-1.5',
];

/** Names that programs trip over, and forms of paths and of other records. */
export const HOSTILE = [
  '__proto__',
  'hasOwnProperty',
  'constructor',
  'toString',
  'a/'.repeat(20_000),
  '/',
  ':',
  'guest:irq/1',
  '\u001b[31m',
  '\u202e',
  'irq_handler_entry:',
  'irq=1',
  'name=',
  'msix_write_config',
  '(pid',
  '0000:00:03.0',
  '0000:ff:1f.7',
  '[000]',
  '<...>-1',
  'CPU:0 [LOST 1 EVENTS]',
  '=====',
  '> ',
  '[    0.000001] ',
  '[Thu Oct 22 08:54:51 2020] ',
  '6,1,9999999999999999,-;',
  '{"MESSAGE":"',
  'DMAR: [INTR-REMAP] Request device [',
  ' 99999999999 callbacks suppressed',
];

const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A window of a fixture, a few dozen to a few hundred lines. */
export function slice(rng: Rng, names: readonly string[] = traceFixtures()): { bytes: Uint8Array; name: string } {
  const name = names[rng(names.length)]!;
  const whole = fixtureBytes(name);
  const size = 500 + rng(rng(4) === 0 ? 60_000 : 8000);
  const start = rng(3) === 0 ? 0 : Math.max(0, whole.indexOf(10, rng(Math.max(1, whole.length - size))) + 1);
  return { bytes: new Uint8Array(whole.subarray(start, start + size)), name };
}

const linesOf = (bytes: Uint8Array): Uint8Array[] => {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const stop = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(at, stop));
    at = stop;
  }
  return lines;
};

/** Each takes bytes and gives changed ones. */
const mutations: Readonly<Record<string, (bytes: Uint8Array, rng: Rng) => Uint8Array>> = {
  'bits flipped': (bytes, rng) => {
    const out = bytes.slice();
    for (let n = 1 + rng(20); n > 0; n--) out[rng(out.length)]! ^= 1 << rng(8);
    return out;
  },
  'bytes replaced': (bytes, rng) => {
    const out = bytes.slice();
    for (let n = 1 + rng(40); n > 0; n--) out[rng(out.length)] = rng(256);
    return out;
  },
  'separators changed': (bytes, rng) => {
    const out = bytes.slice();
    const signs = ' :@[](){}=,.-+>\'"\0\r\n\t#';
    for (let n = 1 + rng(20); n > 0; n--) out[rng(out.length)] = signs.charCodeAt(rng(signs.length));
    return out;
  },
  'a piece cut out': (bytes, rng) => {
    const at = rng(bytes.length);
    return join([bytes.subarray(0, at), bytes.subarray(at + rng(3000))]);
  },
  'cut off': (bytes, rng) => bytes.subarray(0, rng(bytes.length)),
  'the beginning lost': (bytes, rng) => bytes.subarray(rng(bytes.length)),
  'noise put in': (bytes, rng) => {
    const at = rng(bytes.length);
    const noise = Uint8Array.from({ length: rng(300) }, () => rng(256));
    return join([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
  'lines joined': (bytes, rng) => {
    const out = bytes.slice();
    for (let n = 1 + rng(10); n > 0; n--) {
      const at = out.indexOf(10, rng(out.length));
      if (at >= 0) out[at] = 32;
    }
    return out;
  },
  'lines swapped': (bytes, rng) => {
    const lines = linesOf(bytes);
    for (let n = 1 + rng(10); n > 0; n--) {
      const [a, b] = [rng(lines.length), rng(lines.length)];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
    }
    return join(lines);
  },
  'lines repeated': (bytes, rng) => {
    const lines = linesOf(bytes);
    const at = rng(lines.length);
    const some = lines.slice(at, at + 1 + rng(5));
    return join([...lines.slice(0, at), ...Array.from({ length: rng(30) }, () => some).flat(), ...lines.slice(at)]);
  },
  'lines left out': (bytes, rng) => join(linesOf(bytes).filter(() => rng(5) > 0)),
  'lines cut': (bytes, rng) =>
    join(linesOf(bytes).flatMap((l) => (rng(12) === 0 ? [l.subarray(0, rng(l.length)), Uint8Array.of(10)] : [l]))),
  'the order reversed': (bytes) => join(linesOf(bytes).reverse()),
  'numbers absurd': (bytes, rng) => {
    const text = Buffer.from(bytes).toString('latin1');
    const every = 5 + rng(100);
    const changed = text.replace(/0x[0-9a-f]+|\d+/g, (n) => (rng(every) === 0 ? ABSURD[rng(ABSURD.length)]! : n));
    return new TextEncoder().encode(changed);
  },
  'words replaced': (bytes, rng) => {
    const text = Buffer.from(bytes).toString('latin1');
    const every = 5 + rng(200);
    const changed = text.replace(/[A-Za-z_][\w-]*/g, (w) => (rng(every) === 0 ? HOSTILE[rng(HOSTILE.length)]! : w));
    return new TextEncoder().encode(changed);
  },
  'arguments of other records': (bytes, rng) => {
    const lines = Buffer.from(bytes).toString('latin1').split('\n');
    const every = 3 + rng(20);
    // An argument is what stands behind a blank; the head of a line stays.
    const changed = lines.map((line) => {
      if (rng(every) > 0) return line;
      const [words, others] = [line.split(' '), lines[rng(lines.length)]!.split(' ')];
      const at = rng(words.length);
      return [...words.slice(0, at), ...others.slice(Math.min(others.length, at + rng(2)))].join(' ');
    });
    return new TextEncoder().encode(changed.join('\n'));
  },
  'words doubled or dropped': (bytes, rng) => {
    const text = Buffer.from(bytes).toString('latin1');
    const every = 5 + rng(100);
    return new TextEncoder().encode(text.replace(/ \S+/g, (w) => (rng(every) > 0 ? w : rng(2) === 0 ? '' : w + w)));
  },
  'another source behind': (bytes, rng) => join([bytes, slice(rng).bytes]),
  'CR LF': (bytes) => new TextEncoder().encode(Buffer.from(bytes).toString('latin1').replaceAll('\n', '\r\n')),
  'NUL bytes': (bytes, rng) => {
    const at = rng(bytes.length);
    return join([bytes.subarray(0, at), new Uint8Array(rng(5000)), bytes.subarray(at)]);
  },
};
const names = Object.keys(mutations);

/** Changes a text one to four times; says what was done. */
export function mutate(from: Uint8Array, rng: Rng): { readonly bytes: Uint8Array; readonly story: string } {
  let bytes = new Uint8Array(from);
  let story = '';
  for (let n = 1 + rng(4); n > 0 && bytes.length > 0; n--) {
    const mutation = names[rng(names.length)]!;
    bytes = new Uint8Array(mutations[mutation]!(bytes, rng));
    story += `, ${mutation}`;
  }
  return { bytes, story };
}

/** The mutant of a number; `of`: of which fixtures. */
export function mutantOf(seed: number, of: readonly string[] = traceFixtures()): Mutant {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const { bytes: from, name } = slice(rng, of);
  const { bytes, story: changes } = mutate(from, rng);
  const story = `${name}${changes}`;
  if (rng(12) > 0) return { bytes, story, packed: false };
  const packed = new Uint8Array(gzipSync(bytes, { level: 1 + rng(9) }));
  const damage = rng(3);
  if (damage === 0)
    return { bytes: packed.subarray(0, rng(packed.length)), story: `${story}, gzip cut off`, packed: true };
  if (damage === 1) for (let n = 1 + rng(4); n > 0; n--) packed[rng(packed.length)]! ^= 1 << rng(8);
  return { bytes: packed, story: `${story}, gzip${damage === 1 ? ' damaged' : ''}`, packed: true };
}
