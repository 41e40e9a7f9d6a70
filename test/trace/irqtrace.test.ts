// The trace file: what is written reads back as the same events, on captures and on arbitrary events.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { bytesOf, textOf } from '../../src/base/bytes.ts';
import { ImportRun } from '../../src/import/run.ts';
import { pathTypes } from '../../src/model/paths.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { viewEvent } from '../../src/query/events.ts';
import { pathValue, stateTree } from '../../src/query/state.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import { objectOf, packArguments } from '../../src/trace/plain.ts';
import type { Trace } from '../../src/trace/trace.ts';

const root = resolve(import.meta.dirname, '../..');

function imported(bytes: Uint8Array): Trace {
  const run = new ImportRun('test');
  run.push(bytes);
  return run.end();
}

const written = (trace: Trace): string => [...irqtraceBytes(trace)].map((chunk) => textOf(chunk)).join('');

function events(trace: Trace): unknown[] {
  return Array.from({ length: trace.length }, (_, step) => ({ ...viewEvent(trace, step), source: undefined }));
}

describe('.irqtrace', () => {
  it('the example capture reads back with the same events and the same state', () => {
    const trace = imported(readFileSync(join(root, 'examples/x86-vtd-qemu.log')));
    const again = imported(bytesOf(written(trace)));
    assert.ok(trace.length > 30_000);
    assert.equal(again.first.format, 'irqtrace');
    assert.equal(again.first.problem, undefined);
    assert.equal(again.first.accounting.skipped.size, 0);
    assert.deepEqual(events(again), events(trace));
    assert.deepEqual(stateTree(again.head), stateTree(trace.head));
  });

  it('arbitrary events read back the same', () => {
    const kinds = vocabulary.filter((k) => k.name !== 'other');
    const paths = pathTypes.map(([pattern]) => pattern);
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    const segment = fc.oneof(fc.nat(300).map(String), fc.constantFrom('0000:00:03.0', '0x10', 'dmar0', 'VECTOR'));
    const event = fc.record({
      kind: fc.nat(kinds.length - 1),
      path: fc.nat(paths.length - 1),
      segments: fc.array(segment, { minLength: 6, maxLength: 6 }),
      words: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 24, maxLength: 24 }),
      texts: fc.array(text, { minLength: 4, maxLength: 4 }),
      time: fc.option(fc.nat(2_000_000_000)),
      cpu: fc.integer({ min: -1, max: 300 }),
      task: text,
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (list) => {
        const out = new TraceBuilder('test');
        out.source.time = { base: 5n, ticks: false, digits: 9 };
        for (const [i, e] of list.entries()) {
          const kind = kinds[e.kind]!;
          let next = 0;
          const path = paths[e.path]!.replaceAll('*', () => e.segments[next++]!);
          const fields: Record<string, string | number | boolean> = {};
          let word = 0;
          for (const arg of kind.args) {
            const value = e.words[word++]!;
            if (arg.optional && value % 3 === 0) continue;
            if (arg.type === 's') fields[arg.name] = e.texts[word % 4]!;
            else if (arg.type === 'o') fields[arg.name] = path;
            else if (arg.type === 'flag') fields[arg.name] = value % 2 === 0;
            else if (arg.type === 'i') fields[arg.name] = value | 0;
            else fields[arg.name] = `0x${(BigInt(value) << (arg.words > 1 ? 17n : 0n)).toString(16)}`;
          }
          out.begin(i + 1, i);
          out.time = e.time ?? Number.NaN;
          out.cpu = e.cpu;
          out.setTaskText(e.task);
          assert.equal(packArguments(out.world, kind, fields), undefined);
          out.emit(kind.written, objectOf(out.world, path));
        }
        const { trace } = out;
        const text1 = written(trace);
        const again = imported(bytesOf(text1));
        assert.deepEqual([...again.first.accounting.skipped], []);
        assert.deepEqual(events(again), events(trace));
        assert.equal(written(again), text1);
      }),
      { numRuns: 200 },
    );
  });

  it('a header line ends where its carriage returns begin, and is read in time however many stand in it', function () {
    this.timeout(10_000);
    const many = '\r'.repeat(1_000_000);
    const trace = imported(bytesOf(`#irqtrace 1\n#note x\r\r\n#note ${many}y\n1.5 - - irq.mask irq/7 masked=true\n`));
    assert.deepEqual(trace.first.header, ['note x', `note ${many}y`]);
    assert.equal(trace.length, 1);
  });

  it('keeps kinds and arguments of a newer version, and writes them back', () => {
    const lines = [
      '#irqtrace 7',
      '#clock seconds digits=6 mono',
      '1.000001 cpu0 - quantum.flip device/0000:00:03.0 phase=0x3 why="not yet known"',
      '1.000002 - - irq.mask irq/7 masked=true colour=blue why="a \\"b\\" c"',
    ];
    const trace = imported(bytesOf(`${lines.join('\n')}\n`));
    assert.deepEqual(
      events(trace).map((e) => (e as { kind: string }).kind),
      ['other', 'irq.mask'],
    );
    assert.deepEqual(viewEvent(trace, 0).fields, { name: 'quantum.flip', text: 'phase=0x3 why="not yet known"' });
    assert.deepEqual(viewEvent(trace, 1).fields, { masked: true, colour: 'blue', why: 'a "b" c' });
    assert.deepEqual(Object.fromEntries(trace.first.accounting.unknown), { 'quantum.flip': 1 });
    assert.equal(trace.first.accounting.understood, 1);
    assert.equal(pathValue(trace.head, 'irq/7/masked'), true);
    assert.match(trace.first.variant, /version 7/);
    assert.equal(written(trace), `${lines.join('\n').replace('#irqtrace 7', '#irqtrace 1')}\n`);
  });

  it('reads arbitrary arguments of a newer version and writes the same bytes', () => {
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'hasOwnProperty', 'constructor', 'toString', 'name', 'text', 'kind', '-', '#', '"'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((s) => !/[\s=]/.test(s)),
    );
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((s) => JSON.stringify(s)),
      fc.constantFrom(
        '"x\\n9.0 - - irq.mask irq/9 masked=true"',
        '7',
        '',
        '0x',
        '-',
        'a=b',
        '#',
        '"\\u001b[31m"',
        '"\\ud800"',
      ),
    );
    const kind = fc.constantFrom('quantum.flip', 'irq.mask', '__proto__', 'hasOwnProperty', 'other');
    const line = fc.record({ kind, args: fc.array(fc.tuple(name, value), { maxLength: 5 }) });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 10 }), (list) => {
        const lines = list.map(({ kind, args }) => {
          const own = args.filter(([n]) => n !== 'masked').map(([n, v]) => ` ${n}=${v}`);
          return `1.5 - - ${kind} irq/7${kind === 'irq.mask' ? ' masked=true' : ''}${own.join('')}`;
        });
        const first = imported(bytesOf(`#irqtrace 1\n${lines.join('\n')}\n`));
        assert.deepEqual([...first.first.accounting.skipped], []);
        assert.equal(first.length, list.length);
        const text = written(first);
        assert.equal(text.split('\n').slice(2).join('\n'), `${lines.join('\n')}\n`.replaceAll('1.5 ', '1.500000 '));
        const again = imported(bytesOf(text));
        assert.equal(written(again), text);
        assert.deepEqual(events(again), events(first));
        assert.equal(pathValue(first.head, 'irq/9') ?? null, null);
        for (const [step, { kind, args }] of list.entries()) {
          if (kind !== 'irq.mask') continue;
          const { fields } = viewEvent(first, step);
          for (const [n, v] of new Map(args.filter(([n]) => n !== 'masked'))) {
            assert.ok(Object.hasOwn(fields, n), n);
            if (v.startsWith('"')) assert.equal(fields[n], JSON.parse(v));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the digits of stamps that are finer than the header says, and times before 0', () => {
    const trace = imported(
      bytesOf('#irqtrace 1\n#clock seconds digits=3 x\n-0.000000010 - - mark - text=a\n2.5 - - mark - text=b\n'),
    );
    assert.deepEqual(
      [0, 1].map((step) => viewEvent(trace, step).time),
      ['-0.000000010', '2.500000000'],
    );
    assert.equal(written(imported(bytesOf(written(trace)))), written(trace));
  });

  it('writes the same bytes again where stamps are far apart', () => {
    const stamps = ['0.000000001', '18446744073709551.999999999', '12345678.123456789', '-', '1.000000007'];
    const lines = stamps.map((t) => `${t} - - mark cpu/0 text=a`);
    const text = written(imported(bytesOf(`#irqtrace 1\n#clock seconds digits=9 x\n${lines.join('\n')}\n`)));
    assert.equal(written(imported(bytesOf(text))), text);
  });

  it('skips and counts what no trace can hold', () => {
    const deep = Array.from({ length: 20_000 }, () => 'a').join('/');
    const bad = [
      `1.0 - - mark ${deep} text=a`,
      `1.0 - - quantum.flip ${deep}`,
      `1.0 - - mark "${deep}" text=a`,
      `1.0 - - route.set kvm/0/route/5 device=a vector=1 entry=${deep}`,
      `${'9'.repeat(400)}.0 - - mark cpu/0 text=a`,
      '1.0 cpu32768 - mark cpu/0 text=a',
      '1.0 cpu99999999999999999999 - mark cpu/0 text=a',
      '1.0 - - mark cpu/0 text="a',
      '1.0 - - quantum.flip cpu/0 text="\\x"',
      '1.0 - - mark cpu/0 text="\\x"',
    ];
    const good = ['1.0 cpu32767 - mark cpu/0 text=a  ', '1.5 - - mark cpu/0 text=b'];
    const trace = imported(bytesOf(`#irqtrace 1\n${[...bad, ...good].join('\n')}\n`));
    const { skipped, understood, records } = trace.first.accounting;
    assert.equal(trace.length, good.length);
    assert.equal(understood, good.length);
    assert.equal(records, bad.length + good.length);
    assert.equal(
      [...skipped.values()].reduce((a, b) => a + b, 0),
      bad.length,
    );
    for (const reason of skipped.keys()) assert.ok(reason.length < 200, reason);
  });

  it('says what is wrong with a line and keeps the others', () => {
    const trace = imported(
      bytesOf(
        [
          '#irqtrace 1',
          '1.0 - - irq.mask irq/7 masked=perhaps',
          'nonsense',
          '1.0 - - tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x1ffffffffffffffff',
          '1.0 - - tbl.write device/0000:00:03.0/msix/0 size=4 value=0x0',
          '2.0 - - tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x0',
        ].join('\r\n'),
      ),
    );
    assert.equal(trace.length, 1);
    assert.deepEqual(Object.fromEntries(trace.first.accounting.skipped), {
      'irq.mask: masked=perhaps is no flag (true or false)': 1,
      'not an event line: expected time, cpu, task, kind, object, arguments': 1,
      'tbl.write: value=0x1ffffffffffffffff is no 64-bit hexadecimal number': 1,
      'tbl.write needs offset': 1,
    });
  });
});
