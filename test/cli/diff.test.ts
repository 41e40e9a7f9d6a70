// `irqscope diff`: what scripts rely on, and what the text says.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answered, example, jsonLines } from './run.ts';

interface Row {
  at: { a: number | null; b: number | null };
  kind: string;
  object: string;
  field: string | null;
  a: unknown;
  b: unknown;
}

const head = '#irqtrace 1\n#clock seconds digits=6 "test"\n';
const good = [
  '0.000001 - - vec.setup irq/41 legacy=false ret=0',
  '0.000002 - - irq.identify irq/41 device=0000:00:04.0 hwirq=0 domain=PCI-MSIX-0000:00:04.0',
  '0.000003 - - vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
  '0.000004 - - tbl.write device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x0',
  '0.000010 - - dev.raise device/0000:00:04.0/msix/0 vector=0',
  '0.000012 cpu1 - irq.entry irq/41 name=eth0',
  '0.000013 cpu1 - irq.exit irq/41 handled=true',
];
// Under another number, on another vector; its handler comes later and is the last event.
const bad = good
  .map((line) => line.replace('irq/41', 'irq/43').replace('vector=33', 'vector=35').replace('0.000012', '0.000019'))
  .slice(0, -1);

describe('irqscope diff', () => {
  let folder = '';
  const file = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-diff-'));
    writeFileSync(file('good.irqtrace'), `${head}${good.join('\n')}\n`);
    writeFileSync(file('bad.irqtrace'), `${head}${bad.join('\n')}\n`);
  });
  after(() => rmSync(folder, { recursive: true }));

  const diff = (...args: string[]) => answered(['diff', file('good.irqtrace'), file('bad.irqtrace'), ...args]);

  it('answers in JSON with these keys, the first divergence first, and with status 1', async () => {
    const { status, out } = await diff('--json');
    assert.equal(status, 1);
    assert.deepEqual(jsonLines<Row>(out), [
      { at: { a: 2, b: 2 }, kind: 'changed', object: 'irq/41', field: 'vector', a: 33, b: 35 },
      { at: { a: 6, b: null }, kind: 'only-a', object: 'irq/41', field: null, a: 'irq.exit handled=true', b: null },
    ]);
  });

  it('adds counts and times with --counts', async () => {
    const { out } = await diff('--json', '--counts');
    // The raise and the handler of A are 2 µs apart, those of B 9 µs.
    const row = { at: { a: null, b: null }, kind: 'changed', object: 'device/0000:00:04.0/msix/0' };
    assert.deepEqual(
      jsonLines<Row>(out).slice(2),
      ['p50', 'p99', 'max'].map((key) => ({ ...row, field: `latency.${key}`, a: '0.000002', b: '0.000009' })),
    );
  });

  it('counts and times do not set the exit status, and ticks give no seconds', async () => {
    const slow = good.map((line) => line.replace('0.000012', '0.000013'));
    writeFileSync(file('slow.irqtrace'), `${head}${slow.join('\n')}\n`);
    const { status, out } = await answered([
      'diff',
      file('good.irqtrace'),
      file('slow.irqtrace'),
      '--json',
      '--counts',
    ]);
    assert.equal(status, 0);
    // 3 µs in place of 2 µs, and nothing else.
    assert.deepEqual(
      jsonLines<Row>(out).map(({ field, a, b }) => [field, a, b]),
      ['p50', 'p99', 'max'].map((key) => [`latency.${key}`, '0.000002', '0.000003']),
    );
    const ticks = (lines: readonly string[]): string =>
      `#irqtrace 1\n#clock ticks digits=0 "test"\n${lines.map((l) => l.replace(/^0\.0*/, '')).join('\n')}\n`;
    writeFileSync(file('ticks-a.irqtrace'), ticks(good));
    writeFileSync(file('ticks-b.irqtrace'), ticks(slow));
    const args = ['diff', file('ticks-a.irqtrace'), file('ticks-b.irqtrace')];
    assert.deepEqual(await answered([...args, '--json', '--counts']), { status: 0, out: '' });
    // The text names the unit.
    assert.match((await answered(args)).out, /eth0 +2 ticks +3 ticks/);
  });

  it('makes no difference of a count that only one trace can tell: null, in the text a question mark', async () => {
    // What a device model records, and what a kernel does.
    const machine = good.filter((line) => /tbl\.write|dev\.raise/.test(line));
    const kernel = good.filter((line) => !machine.includes(line));
    writeFileSync(file('machine.irqtrace'), `${head}${machine.join('\n')}\n`);
    writeFileSync(file('kernel.irqtrace'), `${head}${kernel.join('\n')}\n`);
    const args = ['diff', file('kernel.irqtrace'), file('machine.irqtrace')];
    const { out } = await answered([...args, '--json', '--counts']);
    const object = 'device/0000:00:04.0/msix/0';
    const at = { a: null, b: null };
    const counts = jsonLines<Row>(out).filter((row) => row.at.a === null && row.at.b === null);
    assert.deepEqual(
      counts.filter((row) => row.object === object || row.object === 'irq/41'),
      [
        { at, kind: 'only-b', object, field: 'raises', a: null, b: 1 },
        { at, kind: 'only-a', object: 'irq/41', field: 'handled', a: 1, b: null },
      ],
    );
    const text = await answered(args);
    assert.match(text.out, /\n {2}counts: .*handled 1 -> \?/);
    assert.match(text.out, /\n {2}counts: .*raises \? -> 1/);
    assert.doesNotMatch(text.out, /-> 0|0 ->/);
  });

  it('says in its help that counts and times do not set the exit status', async () => {
    const { out } = await answered(['diff', '--help']);
    assert.match(out, /--counts (?:.*\n)+?.*they do not\s+set the exit status\b/);
  });

  it('says in text what is the same under another number, the first divergence, and all others', async () => {
    const { status, out } = await diff();
    assert.equal(status, 1);
    assert.match(out, /compared: 4 events are the same, 1 changed, 1 only in A, 0 only in B\n/);
    assert.match(out, /another number \(A is B\)\n {2}irq\/41 +is +irq\/43 +device\/0000:00:04\.0\/msix\/0, eth0\n/);
    assert.match(
      out,
      /first divergence, set-up: .*\n {2}A {2}step 2, .*good\.irqtrace:5: vec\.update irq\/41 vector=33/,
    );
    assert.match(
      out,
      /\n {2}B {2}step 2, .*bad\.irqtrace:5: vec\.update irq\/43 vector=35 .*\n {5}vector {2}33 -> 35\n/,
    );
    assert.match(out, / 6 +- +running +only-a +irq\/41 +irq\.exit handled=true\n/);
    assert.match(out, /msix\/0, eth0 +2 µs +9 µs/);
  });

  it('finds nothing between a trace and itself, with status 0', async () => {
    for (const args of [
      [example, example],
      [file('bad.irqtrace'), file('bad.irqtrace')],
    ]) {
      assert.deepEqual(await answered(['diff', ...args, '--json']), { status: 0, out: '' });
      const { status, out } = await answered(['diff', ...args]);
      assert.equal(status, 0);
      assert.match(out, /\nno differences\n$/);
    }
  });

  it('compares two states of one trace, and of two', async () => {
    const one = await answered(['diff', example, example, '--at-a', 'line:4722', '--at-b', 'line:4723', '--json']);
    assert.equal(one.status, 1);
    const changes = jsonLines<Row>(one.out);
    assert.ok(changes.length > 0);
    for (const row of changes) {
      assert.deepEqual(Object.keys(row), ['at', 'kind', 'object', 'field', 'a', 'b']);
      assert.equal(row.at.b, row.at.a! + 1);
    }
    const { status, out } = await diff('--at-a', '5', '--at-b', 'end', '--json');
    assert.equal(status, 1);
    const rows = jsonLines<Row>(out);
    assert.deepEqual(
      rows.filter(({ object }) => object === 'irq/41'),
      [{ at: { a: 5, b: 5 }, kind: 'changed', object: 'irq/41', field: 'vector', a: 33, b: 35 }],
    );
    const text = await diff('--at-b', '3');
    assert.match(text.out, /^A .*state after step 6: irq\.exit.*\nB .*state after step 3: tbl\.write/);
    assert.match(text.out, /\nirq\/41\/handled +1 -> 0\n/);
  });

  it('shows every difference with --all, and otherwise those that say the same once', async () => {
    const many = Array.from({ length: 50 }, (_, i) => `0.0001${10 + i} cpu1 - irq.entry irq/41 name=eth0`);
    writeFileSync(file('many.irqtrace'), `${head}${[...good, ...many].join('\n')}\n`);
    const args = ['diff', file('many.irqtrace'), file('good.irqtrace')];
    const { out } = await answered(args);
    assert.match(out, /\n +7 +- +50 +running +only-a +irq\/41 +irq\.entry name=eth0\n {2}counts: handled 51 -> 1\n/);
    const all = await answered([...args, '--all']);
    assert.equal(all.out.split('\n').filter((line) => /only-a +irq\/41/.test(line)).length, 50);
  });

  it('refuses what it cannot do', async () => {
    const refusals: readonly (readonly [args: string[], line: RegExp])[] = [
      [['diff', example], /two files, A and B; see irqscope diff --help$/],
      [['diff', '-', '-'], /only one of A and B can be standard input/],
      [['diff', example, example, '--at-a', 'x'], /--at-a x is no place in a trace/],
      [['diff', example, file('none')], /none: no such file/],
    ];
    for (const [args, line] of refusals) {
      const done = await answered(args);
      assert.equal(done.status, 2);
      assert.match(done.line ?? '', line);
    }
  });

  it('tells in its help how traces are aligned', async () => {
    const { out } = await answered(['diff', '--help']);
    for (const word of ['function and index', 'name of its', 'phase', 'Not compared'])
      assert.ok(out.includes(word), word);
    for (const line of out.split('\n')) assert.ok(line.length <= 120, line);
  });
});
