// Mutated `.irqtrace` files: lines, words and arguments changed. What was read is saved, and what was saved reads the same.
import assert from 'node:assert/strict';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, traceFixtures } from '../../helpers/fixtures.ts';
import { randomWords } from '../../model/random.ts';
import { checkAccounting, checkState, importMutant } from './fuzz-captures.ts';
import type { Trial } from './fuzz-kinds.ts';

type Rng = (below: number) => number;

const HOSTILE = [
  '__proto__',
  'hasOwnProperty',
  'constructor',
  '',
  '-',
  '#',
  '"',
  '""',
  '"\\n1.0 - - irq.mask irq/1 masked=true"',
  '"\\ud800"',
  '"\\u0000\\u001b[31m\\u202e"',
  '"a b"',
  '\u00a0',
  '\u2028',
  '\ufeff',
  'é漢',
  '9'.repeat(400),
  `0x${'f'.repeat(40)}`,
  'cpu40000',
  'irq/1',
  'guest:irq/1',
  ':/',
  '//',
  'a/'.repeat(3000),
  '-1.5',
  '1e9',
  'other',
  'mark',
  'tbl.write',
  'x=y',
];

const bytes = (chunks: Iterable<Uint8Array>): Buffer => Buffer.concat([...chunks].map((chunk) => Buffer.from(chunk)));

/** Lines of a saved capture, with its header. */
function linesOf(trace: Trace, rng: Rng): string[] {
  const text = bytes(irqtraceBytes(trace, [], 1 + rng(3000))).toString();
  const lines = text.split('\n').slice(0, -1);
  const at = rng(lines.length);
  return [...lines.slice(0, 2), ...lines.slice(Math.max(2, at), at + 1 + rng(120))];
}

const mutations: Readonly<Record<string, (lines: string[], rng: Rng) => void>> = {
  'a word replaced': (lines, rng) => {
    const i = rng(lines.length);
    const words = lines[i]!.split(' ');
    words[rng(words.length)] = HOSTILE[rng(HOSTILE.length)]!;
    lines[i] = words.join(' ');
  },
  'a value replaced': (lines, rng) => {
    const i = rng(lines.length);
    const values = lines[i]!.split('=');
    const n = 1 + rng(values.length);
    lines[i] = values.map((v, k) => (k === n ? v.replace(/^\S*/, HOSTILE[rng(HOSTILE.length)]!) : v)).join('=');
  },
  'an argument added': (lines, rng) => {
    lines[rng(lines.length)] += ` ${HOSTILE[rng(HOSTILE.length)]}=${HOSTILE[rng(HOSTILE.length)]}`;
  },
  'arguments of another line': (lines, rng) => {
    const other = lines[rng(lines.length)]!.split(' ').slice(5).join(' ');
    const i = rng(lines.length);
    lines[i] = `${lines[i]!.split(' ').slice(0, 5).join(' ')} ${other}`;
  },
  'a word doubled or dropped': (lines, rng) => {
    const i = rng(lines.length);
    const words = lines[i]!.split(' ');
    const at = rng(words.length);
    words.splice(at, rng(2), ...(rng(2) ? [words[at]!, words[at]!] : []));
    lines[i] = words.join(' ');
  },
  'a header line': (lines, rng) => {
    const names = [
      'irqtrace 2',
      'clock ticks digits=0 x',
      'clock seconds digits=9 "a b"',
      'clock seconds digits=3 \u202e',
      'seed 1',
      'x  ',
    ];
    lines.splice(rng(lines.length), 0, `#${names[rng(names.length)]}`);
  },
  'lines swapped': (lines, rng) => {
    const [a, b] = [rng(lines.length), rng(lines.length)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  },
  'a line cut': (lines, rng) => {
    const i = rng(lines.length);
    lines[i] = lines[i]!.slice(0, rng(lines[i]!.length + 1));
  },
  'a character changed': (lines, rng) => {
    const i = rng(lines.length);
    const at = rng(lines[i]!.length + 1);
    lines[i] = lines[i]!.slice(0, at) + String.fromCharCode(rng(rng(2) ? 128 : 0x3000)) + lines[i]!.slice(at + 1);
  },
};
const names = Object.keys(mutations);

/** A mutated trace file. */
export function fuzzIrqtrace(seed: number): Trial {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const fixtures = traceFixtures();
  const name = fixtures[rng(fixtures.length)]!;
  const lines = linesOf(fixtureTrace(name), rng);
  let story = `${name} as .irqtrace`;
  for (let n = 1 + rng(8); n > 0; n--) {
    const mutation = names[rng(names.length)]!;
    mutations[mutation]!(lines, rng);
    story += `, ${mutation}`;
  }
  const input = Buffer.from(`#irqtrace 1\n${lines.join(rng(5) === 0 ? '\r\n' : '\n')}${rng(3) ? '\n' : ''}`);
  return {
    story,
    run: () => {
      const trace = importMutant(input, 1 + rng(5000));
      if (trace === undefined) return { read: false, events: 0 };
      checkAccounting(trace);
      checkState(trace, next);
      const header = trace.first.header ?? [];
      const saved = bytes(irqtraceBytes(trace, header));
      const again = importMutant(saved, 1 + rng(5000))!;
      assert.equal(again.length, trace.length, 'events of the saved trace');
      assert.equal(again.first.accounting.skipped.size, 0, `skipped: ${[...again.first.accounting.skipped.keys()]}`);
      assert.equal(bytes(irqtraceBytes(again, again.first.header ?? [])).toString(), saved.toString(), 'saved again');
      return { read: true, events: trace.length };
    },
  };
}
