// Captures that stand as strings in JSON or JavaScript: copied out of a log system, a page or a chat; nested, with every character escaped, cut in
// an escape, with halves of pairs of UTF-16, with quotes and backslashes too many or too few, and of any length.
import assert from 'node:assert/strict';
import { HEAD_BYTES } from '../../../src/import/detect.ts';
import type { TraceInfo } from '../../../src/query/info.ts';
import { randomWords } from '../../model/random.ts';
import { checkAccounting, checkState, importMutant } from './fuzz-captures.ts';
import type { Trial } from './fuzz-kinds.ts';
import { HOSTILE, mutate, type Rng, slice } from './mutate.ts';

const encoder = new TextEncoder();
const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;

/** A text as a string, every so many characters as an escape of Unicode. */
const escaped = (text: string, rng: Rng, every: number): string =>
  `"${[
    ...JSON.stringify(text)
      .slice(1, -1)
      .matchAll(/\\u[\da-f]{4}|\\.|./gsu),
  ]
    .map(([one]) => (one.startsWith('\\') || rng(every) > 0 ? one : [...one].flatMap(unitsOf).join('')))
    .join('')}"`;
const unitsOf = (character: string): string[] =>
  Array.from({ length: character.length }, (_, i) => unit(character.charCodeAt(i)));

/** Ways in which a text stands in a file as strings. The first nine say the same as the text itself. */
const forms: Readonly<Record<string, (text: string, rng: Rng) => string>> = {
  'one string': (text) => JSON.stringify(text),
  'a member': (text) => JSON.stringify({ id: 7, log: text, tail: null }, undefined, 2),
  'some characters as \\u': (text, rng) => escaped(text, rng, 1 + rng(30)),
  'every character as \\u': (text) => `"${[...text].flatMap(unitsOf).join('')}"`,
  'a list of lines': (text) => JSON.stringify(text.split('\n').map((line) => `${line}\n`)),
  'a line each': (text) =>
    text
      .split('\n')
      .map((line, n) => JSON.stringify({ t: n, message: `${line}\n` }))
      .join('\n'),
  'a page': (text) =>
    `<!DOCTYPE html>\n<html><script>\nvar linuxPerfData = ${JSON.stringify(text)};\n</script></html>\n`,
  'continued lines': (text) =>
    `var log = "\\\n${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n\\\n')}";\n`,
  'a string in a string': (text) => JSON.stringify({ body: JSON.stringify({ log: text }) }),
  'four deep': (text, rng) => {
    let nested = text;
    for (let deep = 2 + rng(3); deep > 0; deep--) nested = JSON.stringify({ log: nested });
    return nested;
  },
};
const FORMS = Object.keys(forms);
const SAME = new Set(FORMS.slice(0, 9));

const put = (text: string, at: number, piece: string): string => text.slice(0, at) + piece + text.slice(at);

/** What happens to such a file on its way. */
const damages: Readonly<Record<string, (text: string, rng: Rng) => string>> = {
  'cut off': (text, rng) => text.slice(0, rng(text.length)),
  'cut off in an escape': (text, rng) => {
    const at = text.indexOf('\\', rng(text.length));
    return at < 0 ? text : text.slice(0, at + 1 + rng(5));
  },
  'the beginning lost': (text, rng) => text.slice(rng(text.length)),
  '\\u cut': (text, rng) => {
    let out = text;
    for (let n = 1 + rng(10); n > 0; n--) out = put(out, rng(out.length), unit(rng(0x10000)).slice(0, 1 + rng(5)));
    return out;
  },
  'halves of pairs': (text, rng) => {
    let out = text;
    for (let n = 1 + rng(20); n > 0; n--) out = put(out, rng(out.length), unit(0xd800 + rng(0x800)));
    return out;
  },
  'odd escapes': (text, rng) => {
    const signs = [
      '\\',
      '\\\\',
      '\\\\\\',
      '\\n',
      '\\r\\n',
      '\\0',
      '\\x41',
      '\\u{1f600}',
      '\\U0041',
      '\\q',
      '\\\r\n',
      '\\\n',
      '"',
      "'",
      '\\"',
      '","',
    ];
    let out = text;
    for (let n = 1 + rng(20); n > 0; n--) out = put(out, rng(out.length), signs[rng(signs.length)]!);
    return out;
  },
  'backslashes lost': (text, rng) => text.replace(/\\/g, (sign) => (rng(20) === 0 ? '' : sign)),
  'backslashes doubled': (text, rng) => text.replace(/\\/g, (sign) => (rng(20) === 0 ? '\\\\' : sign)),
  'quotes lost': (text, rng) => text.replace(/"/g, (sign) => (rng(3) === 0 ? '' : sign)),
  'a huge string': (text, rng) => {
    const filling = ['x', '\\\\', '\\u0041', '\\"', '\\ud83d', '\\n', 'irq_handler_entry: irq=1 '][rng(7)]!;
    return put(text, rng(text.length), filling.repeat(rng(rng(8) === 0 ? 400_000 : 20_000)));
  },
  'hostile words': (text, rng) => put(text, rng(text.length), HOSTILE[rng(HOSTILE.length)]!),
  'deep brackets': (text, rng) => ['[', '{"a":'][rng(2)]!.repeat(rng(5000)) + text,
};
const DAMAGES = Object.keys(damages);

/** What was read of a file, but for places in it. */
const told = ({ events, records, understood, unknown, skipped }: TraceInfo): object => ({
  ...{ events, records, understood, unknown, skipped },
});

/** A capture in strings of JSON. */
export function fuzzJson(seed: number): Trial {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const { bytes: whole, name } = slice(rng);
  const isMutated = rng(3) === 0;
  const { bytes: from, story: changes } = isMutated ? mutate(whole, rng) : { bytes: whole, story: '' };
  const plain = Buffer.from(from).toString();
  const form = FORMS[rng(FORMS.length)]!;
  let text = forms[form]!(plain, rng);
  let story = `${name}${changes}, as ${form}`;
  const harm = rng(2) === 0 ? 0 : 1 + rng(3);
  for (let n = harm; n > 0 && text.length > 0; n--) {
    const damage = DAMAGES[rng(DAMAGES.length)]!;
    text = damages[damage]!(text, rng);
    story += `, ${damage}`;
  }
  const bytes = encoder.encode(text);
  return {
    story,
    run: () => {
      const trace = importMutant(bytes, bytes.length + 1);
      // What is said of a file as a whole is decided by its beginning: the first bytes, or the first piece where that is more.
      const again = bytes.length < HEAD_BYTES ? importMutant(bytes, 1 + rng(3000)) : trace;
      assert.equal(again === undefined, trace === undefined, 'read in pieces or not at all');
      if (trace === undefined || again === undefined) return { read: false, events: 0 };
      const info = checkAccounting(trace);
      checkState(trace, next);
      if (again !== trace) assert.deepEqual(told(checkAccounting(again)), told(info), 'in pieces');
      if (harm === 0 && !isMutated && SAME.has(form)) {
        const own = importMutant(from, from.length + 1);
        if (own !== undefined) assert.equal(trace.length, own.length, 'as many events as in the plain text');
      }
      return { read: true, events: trace.length };
    },
  };
}
