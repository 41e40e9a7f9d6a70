// Lines between records that a reader takes at once: nothing else may be in them. The search that all other lines go through tells.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { bytesOf } from '../../src/base/bytes.ts';
import { isLikely, LIKELY_FORMS } from '../../src/import/dmesg/messages.ts';
import { DmesgReader } from '../../src/import/dmesg/reader.ts';
import { isSilent } from '../../src/import/dmesg/silent.ts';
import { isEventName } from '../../src/import/event-names.ts';
import { RecordHead } from '../../src/import/ftrace/record.ts';
import { type RecordReader, UNKNOWN_RECORD } from '../../src/import/importer.ts';
import { PerfHead, PerfImporter } from '../../src/import/perf/importer.ts';
import { Finder } from '../../src/import/text/find.ts';
import { type Stream, Streams } from '../../src/import/text/streams.ts';
import { traceInfo } from '../../src/query/info.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import { fixtureBytes, importText, snapshotFixtures, traceFixtures } from '../helpers/fixtures.ts';

/** Lines of a capture that are looked at, spread over it. */
const LINES = 300;
const cases = join(import.meta.dirname, '../fixtures/cases');

/** Lines of all kinds of captures, and of pieces as people paste them. */
function lines(): string[] {
  const files = [
    ...[...traceFixtures(), ...snapshotFixtures()].map((name) => Buffer.from(fixtureBytes(name)).toString()),
    ...readdirSync(cases).map((name) => readFileSync(join(cases, name), 'utf8')),
  ];
  return files.flatMap((text) => {
    const all = text.split('\n');
    const every = Math.max(1, Math.floor(all.length / LINES));
    return all.filter((line, i) => i % every === 0 && line.length < 1000);
  });
}

/** Which lines a reader takes at once; the search must find no record in any of them. */
function taken(reader: RecordReader, texts: readonly string[]): number {
  const seekers = new Streams(new TraceBuilder('test')).seekers();
  const wrong: string[] = [];
  let count = 0;
  for (const text of texts) {
    const bytes = bytesOf(text);
    if (reader.line(bytes, 0, bytes.length) !== 0 || reader.beside?.(bytes, 0, bytes.length) === undefined) continue;
    count++;
    const found = new Finder<Stream>().find(seekers, bytes, 0, bytes.length);
    // A word that looks like the name of an event is none in a log.
    if (found !== undefined && (found.form !== UNKNOWN_RECORD || found.by.evident(found.buf, found.start)))
      wrong.push(text);
  }
  assert.deepEqual(wrong, []);
  return count;
}

describe('lines that a reader takes between its records', () => {
  it('kernel log: no record of any format, also where a program prints into the log', () => {
    const all = lines().flatMap((line) => [line, `[   12.345678] ${line.trimStart()}`, `<6>[   12.345678] ${line}`]);
    assert.ok(taken(new DmesgReader(new TraceBuilder('test')), all) > 1000);
  });

  it('kernel log: what the bytes of a line show is what the search and the patterns find', () => {
    const reader = new DmesgReader(new TraceBuilder('test'));
    const texts = lines().map((line) => line.trimStart());
    const word = fc.oneof(
      fc.constantFrom(...LIKELY_FORMS.map(([, bytes]) => bytes)),
      fc.constantFrom(
        'data',
        'bits',
        'cpus',
        ' cpu 3',
        'ata1',
        'its@',
        '[3] ',
        '-3 4',
        '+ ',
        'a: ',
        ':',
        '  ',
        'x_y ',
        'vfio_intx_enable ',
        '@',
        '0x',
      ),
      fc.constantFrom(
        'suppressed',
        'Linux version 6.1',
        'messages dropped',
        'host kernel: ',
        'SMI: ',
        '7.123456: a: ',
        '[mem 0x1-0x2]',
      ),
      fc.stringMatching(/^[ -~]{1,8}$/),
    );
    const made = fc.sample(fc.array(word, { minLength: 1, maxLength: 6 }), { numRuns: 20_000, seed: 5 });
    const mixed = made.map((words, i) => {
      const text = words.join(i % 3 === 0 ? '' : ' ');
      return i % 2 === 0 ? text : text.toUpperCase();
    });
    const seekers = new Streams(new TraceBuilder('test')).seekers();
    let count = 0;
    for (const text of [...texts, ...mixed]) {
      const bytes = bytesOf(`[   12.345678] ${text}`);
      if (!isSilent(bytes, 15, bytes.length, isEventName)) continue;
      count++;
      assert.equal(isLikely(text.trimEnd()), false, text);
      assert.equal(reader.line(bytes, 0, bytes.length), 0, text);
      assert.equal(reader.beside(bytes, 0, bytes.length), 'kernel log', text);
      const found = new Finder<Stream>().find(seekers, bytes, 0, bytes.length);
      assert.ok(found === undefined || found.form === UNKNOWN_RECORD, text);
    }
    assert.ok(count > 1000, `${count} lines`);
  });

  it('kernel log: each form of a message has the bytes that are looked for', () => {
    for (const [form, bytes] of LIKELY_FORMS) {
      const plain = form.replaceAll(/\\b|[$^]|\[<\$|\?/g, '').replaceAll('\\', '');
      assert.ok(plain.toLowerCase().includes(bytes), `${form}: ${bytes}`);
    }
  });

  it('perf script: addresses and symbols, with and without a module', () => {
    const address = '\tffffffffb9d91f9f';
    const all = lines().flatMap((line) => [
      line,
      `\t${line}`,
      `${address} ${line}`,
      `${address} ${line.split(' ').at(-1)}`,
    ]);
    assert.ok(taken(new PerfImporter(new TraceBuilder('test')), all) > 1000);
    const record = 'swapper       0 [000]   135.288431:         irq:softirq_raise: vec=9 [action=RCU]';
    const text = [
      record,
      '\tffffffffb9d91f9f __raise_softirq_irqoff+0x6f ([kernel.kallsyms])',
      '\tffffffffb9d9229e raise_softirq',
      '\tffffffffb9e8d699',
      '',
      record,
    ];
    const { understood, others } = traceInfo(importText(`${text.join('\n')}\n`));
    assert.deepEqual([understood, others], [2, { 'stack trace': 3, blank: 1 }]);
  });
});

describe('heads of trace-cmd report -l', () => {
  const word = fc.constantFrom('<idle>', 'sh', 'CPU 0/KVM', 'a-1', 'x-12 b', 'kworker/u8:1-ev', 'irq/30-nvme0q1', 'a');
  const number = fc.constantFrom('0', '7', '12', '2199', '');
  const blanks = fc.constantFrom(' ', '    ', '');
  const flags = fc.constantFrom('d.h.', '....', 'dNh1.', 'd.', '', '4...', 'dnh1.....b', '.N.2x');
  const time = fc.constantFrom('59.137291', '12.3456789', '1.123456789', '59', '.5', '59.1372911');
  const name = fc.constantFrom('irq_handler_entry', 'sys_enter', '', 'a-b');
  const mark = fc.constantFrom(': ', ':', ' ');

  it('are read in place as the pattern reads them that finds them anywhere', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.tuple(blanks, word, number, blanks, number, flags, blanks, time, mark, blanks, name, mark),
        ([a, comm, pid, b, cpu, flag, c, stamp, colon, d, event, end]) => {
          const bytes = bytesOf(`${a}${comm}-${pid}${b}${cpu}${flag}${c}${stamp}${colon}${d}${event}${end}x=1`);
          const [place, anywhere] = [new RecordHead(), new RecordHead()];
          if (!place.glued(bytes, 0, bytes.length)) return;
          found++;
          assert.equal(
            anywhere.bare(bytes, 0, bytes.length, () => true),
            true,
          );
          assert.deepEqual({ ...place }, { ...anywhere });
        },
      ),
      { numRuns: 20_000 },
    );
    assert.ok(found > 100, `${found} heads`);
  });
});

describe('heads of records one after another', () => {
  const task = fc.constantFrom(
    '  <idle>-0    ',
    'CPU 0/KVM-7',
    '          <idle>-0      ',
    '  a [1] b-77',
    '   x [0-9 (77)',
    '[003] sh-1',
  );
  const process = fc.constantFrom('', '(     12) ', '(-----) ', '(12) ');
  const column = fc.constantFrom('[000]', '[012]', '[1]', '[000', '000]', '[000]-0x1');
  const flags = fc.constantFrom('d..1.', 'd.h2.', '....', '', 'd.', 'dNh1.2222');
  const time = fc.constantFrom(
    '  59.137291: ',
    '59.137292:',
    '60.1: ',
    '7.123: 5: ',
    '7.12345:6: ',
    '59.1372911: ',
    '9: ',
    '59.13729: ',
  );
  const name = fc.constantFrom('irq_handler_entry: irq=1 name=x', 'a', '', '1: b: c');

  it('are read as each is alone, where they begin like the one before, too', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.tuple(fc.array(task, { minLength: 1, maxLength: 2 }), fc.array(column, { minLength: 1, maxLength: 2 })),
        fc.array(fc.tuple(fc.nat(1), process, fc.nat(1), flags, time, name), { minLength: 2, maxLength: 6 }),
        ([tasks, columns], records) => {
          const again = new RecordHead();
          for (const [t, own, c, flag, stamp, text] of records) {
            const front = `${tasks[t % tasks.length]} ${own}${columns[c % columns.length]} ${flag} `;
            // A piece of a larger buffer, in which more stands behind the line.
            const bytes = bytesOf(`..${front}${stamp}${text}:123456: `);
            const end = bytes.length - ':123456: '.length;
            const alone = new RecordHead();
            const is = alone.normal(bytes, 2, end);
            assert.equal(again.normal(bytes, 2, end), is, front);
            if (!is) continue;
            found++;
            assert.deepEqual({ ...again }, { ...alone });
          }
        },
      ),
      { numRuns: 5000 },
    );
    assert.ok(found > 1000, `${found} heads`);
  });

  it('of perf script, too', () => {
    const comm = fc.constantFrom(
      '         swapper',
      '   CPU 0/KVM',
      'VM: 4 [0 ]',
      ' a 5 [001] 1.123456: x:y: b',
      'é',
      '',
      '\tx',
    );
    const pid = fc.constantFrom('     0 ', ' 699876', ' 7/8 ', ' -1 ', '');
    const cpu = fc.constantFrom('[000]', '[1]', '[01', '012]');
    const behind = fc.constantFrom('   ', ' d.h2. ', ' ', '', ' 1234567890 ', ' ab ');
    const when = fc.constantFrom(
      '130.702609: ',
      '1.123456789: ',
      '1.1234567: ',
      '1.123: ',
      '12345678901.123456: ',
      '5: ',
      '.123456: ',
    );
    const name = fc.constantFrom(
      'irq:softirq_raise: vec=9',
      ' 1 irq:a: x',
      '4 irq:a:',
      'a-b:c: ',
      '3irq:x: ',
      'irq:softirq',
      'irq: x: ',
      'é:x: ',
    );
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(comm, pid, cpu), { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(2), behind, when, name), { minLength: 2, maxLength: 8 }),
        (fronts, records) => {
          const again = new PerfHead();
          const [one, other] = [new TraceBuilder('test'), new TraceBuilder('test')];
          for (const [n, flags, time, text] of records) {
            const line = `${fronts[n % fronts.length]!.join('')}${flags}${time}${text}`;
            const bytes = bytesOf(`..${line}:x:`);
            const alone = new PerfHead();
            const is = alone.normal(bytes, 2, bytes.length - 3);
            assert.equal(again.normal(bytes, 2, bytes.length - 3), is, line);
            if (!is) continue;
            found++;
            assert.deepEqual({ ...again }, { ...alone }, line);
            for (const [head, out] of [
              [again, one],
              [alone, other],
            ] as const) {
              out.begin(1, 0);
              head.setTask(out);
            }
            assert.equal(one.world.strings.text(one.task), other.world.strings.text(other.task), line);
          }
        },
      ),
      { numRuns: 1500 },
    );
    assert.ok(found > 1000, `${found} heads`);
  });
});
