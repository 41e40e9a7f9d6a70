// `convert DIR --to parquet` as a user calls it: a folder of captures becomes a lake.
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { type Row, rowsOf } from '../helpers/parquet.ts';
import { tarOf } from '../helpers/tar.ts';
import { answered, example, irqscope, root } from './run.ts';

/** A short trace with two interrupts of one host. */
const TRACE = `#irqtrace 1
#clock seconds digits=6 "model time"
0.000010 cpu0 - irq.entry irq/5 name=eth0
0.000020 cpu0 - irq.exit irq/5 handled=true
`;

interface Summary {
  readonly lake: string;
  readonly written: string[];
  readonly unchanged: string[];
  readonly failed: { readonly trace: string; readonly problem: string }[];
  readonly unread: { readonly trace: string; readonly problem: string }[];
}

describe('irqscope convert DIR --to parquet', () => {
  let folder = '';
  const at = (...names: string[]): string => join(folder, ...names);
  const put = (name: string, bytes: string | Uint8Array): void => {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), bytes);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-lake-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a conversion of the folder `captures` in processes of its own. */
  async function lakeOf(
    ...options: string[]
  ): Promise<Summary & { readonly status: number | null; readonly err: string }> {
    const args = ['convert', at('captures'), '--to', 'parquet', '--out', at('lake'), '--json', ...options];
    const { status, out, err } = await irqscope(args);
    assert.ok(out !== '', err);
    return { ...(JSON.parse(out) as Summary), status, err };
  }

  /** The rows of a table of the lake, of all days. */
  async function table(name: string): Promise<Row[]> {
    const files = existsSync(at('lake', name)) ? readdirSync(at('lake', name), { recursive: true }).map(String) : [];
    const all: Row[] = [];
    for (const file of files.sort())
      if (file.endsWith('.parquet'))
        for (const row of await rowsOf(at('lake', name, file))) all.push({ day: dirname(file), ...row });
    return all;
  }

  it('makes one trace of each file, archive, session and folder of the kit, with what is known of the host', async () => {
    const kit = JSON.stringify({
      kit: 1,
      version: '0.1.0',
      kernel: '6.12.9-test',
      clocks: [
        { snapshot: 0, at: 'begin', realtime: '1795780800.5', until: '1795780800.6', uptime: '3.2', trace: null },
      ],
    });
    put('captures/rack 1/a.irqtrace', TRACE);
    put('captures/rack 1/b.irqtrace.gz', gzipSync(TRACE));
    put('captures/unpacked/kit.json', kit);
    put('captures/unpacked/trace', TRACE);
    put(
      'captures/packed.tar.gz',
      gzipSync(
        tarOf([
          { name: 'c/kit.json', data: kit },
          { name: 'c/trace', data: TRACE },
        ]),
      ),
    );
    put('captures/two.irqsession', JSON.stringify({ irqsession: 1, sources: [{ file: 'rack 1/a.irqtrace' }] }));
    put('captures/notes.txt', 'what we saw on Monday\n');
    put('captures/.hidden', TRACE);
    put('captures/manifest.csv', 'date,trace,owner,host\n2026-11-23,rack 1/b.irqtrace.gz,"Lee, K.",alpha\n');
    const { status, written, failed, unread, err } = await lakeOf();
    assert.deepEqual([status, failed, err], [0, [], '']);
    assert.deepEqual(written, ['packed.tar.gz', 'rack 1/b.irqtrace.gz', 'two.irqsession', 'unpacked']);
    assert.deepEqual(
      unread.map(({ trace }) => trace),
      ['notes.txt'],
    );
    assert.match(unread[0]!.problem, /^no line of it is a trace record/);
    const traces = await table('traces');
    assert.deepEqual(
      traces.map(({ day, trace, host, kernel, week, events }) => [day, trace, host, kernel, week, Number(events)]),
      [
        ['date=2026-11-23', 'rack 1/b.irqtrace.gz', 'alpha', null, '2026-W48', 2],
        // 1795780800 is 12:00 UTC on that day.
        ['date=2026-11-27', 'packed.tar.gz', null, '6.12.9-test', '2026-W48', 2],
        ['date=2026-11-27', 'unpacked', null, '6.12.9-test', '2026-W48', 2],
        ['date=__HIVE_DEFAULT_PARTITION__', 'two.irqsession', null, null, null, 2],
      ],
    );
    for (const name of ['events', 'interrupts'])
      assert.deepEqual(new Set((await table(name)).map(({ trace }) => trace)), new Set(written), name);
  });

  it('a manifest that lists a part of a session file is told so', async () => {
    put('captures/a.irqtrace', TRACE);
    put('captures/two.irqsession', JSON.stringify({ irqsession: 1, sources: [{ file: 'a.irqtrace' }] }));
    put('captures/manifest.csv', 'trace,host\na.irqtrace,alpha\n');
    const { written, failed } = await lakeOf();
    assert.deepEqual(written, ['two.irqsession']);
    assert.deepEqual(
      failed.map(({ trace }) => trace),
      ['a.irqtrace'],
    );
    assert.match(failed[0]!.problem, /manifest\.csv lists it, and a session file in .*captures lists it, too$/);
  });

  it('takes the kernel of a trace.dat from the file', async () => {
    put('captures/x.dat', fixtureBytes('x86-vtd/trace.dat'));
    assert.equal((await lakeOf()).status, 0);
    const [row] = await table('traces');
    // `strings trace.dat | grep Linux` shows it.
    assert.match(String(row?.['kernel']), /^\d+\.\d+\.\d+/);
    assert.ok(Buffer.from(fixtureBytes('x86-vtd/trace.dat')).includes(String(row?.['kernel'])));
  });

  it('takes the kernel of text from its header', async () => {
    // Headers as kernel/trace/trace.c (print_trace_header) and tools/perf/util/header.c (print_osrelease) print them.
    put(
      'captures/latency.txt',
      '# tracer: irqsoff\n#\n# irqsoff latency trace v1.1.5 on 5.10.0-28-amd64\n# ---------\n  <idle>-0  1d.h.  5us : irq_handler_entry: irq=41 name=nvme0q1\n',
    );
    put(
      'captures/perf.txt',
      '# ========\n# os release : 6.12.107+deb13-amd64\n# ========\n#\nswapper     0 [001]   12.000001: irq:irq_handler_entry: irq=41 name=nvme0q1\n',
    );
    assert.equal((await lakeOf()).status, 0);
    assert.deepEqual(
      (await table('traces')).map(({ trace, kernel }) => [trace, kernel]),
      [
        ['latency.txt', '5.10.0-28-amd64'],
        ['perf.txt', '6.12.107+deb13-amd64'],
      ],
    );
  });

  it('lists what cannot be read, and writes the others', async () => {
    put('captures/good.irqtrace', TRACE);
    put('captures/cut.irqtrace.gz', gzipSync(Buffer.from(TRACE.repeat(50))).subarray(0, 14));
    put('captures/listed.txt', 'no trace at all\n');
    put('captures/manifest.csv', 'trace,host\nlisted.txt,beta\ngone.tar,gamma\n');
    const { status, written, failed, unread, err } = await lakeOf();
    assert.equal(status, 2);
    assert.deepEqual([written, unread], [['good.irqtrace'], []]);
    assert.deepEqual(
      failed.map(({ trace }) => trace),
      ['gone.tar', 'cut.irqtrace.gz', 'listed.txt'],
    );
    for (const { trace, problem } of failed) assert.ok(err.includes(`irqscope: ${trace}: ${problem}\n`), err);
    assert.match(failed[0]!.problem, /manifest\.csv lists it/);
    assert.match(failed[1]!.problem, /gzip/);
    // With the file mended, the next run writes it and nothing else.
    put('captures/cut.irqtrace.gz', gzipSync(TRACE));
    const again = await lakeOf();
    assert.deepEqual([again.written, again.unchanged], [['cut.irqtrace.gz'], ['good.irqtrace']]);
  });

  it('says so when no file is a trace', async () => {
    put('captures/notes.txt', 'what we saw on Monday\n');
    const { status, unread, err } = await lakeOf();
    assert.deepEqual([status, unread.length], [2, 1]);
    assert.match(err, /captures: none of its 1 files is a trace\n$/);
    mkdirSync(at('empty'));
    const { line } = await answered(['convert', at('empty'), '--to', 'parquet', '--out', at('lake')]);
    assert.match(line ?? '', /empty: there is no file in it$/);
  });

  it('writes again what changed, and takes away what an earlier run wrote of it', async () => {
    put('captures/a.irqtrace', TRACE);
    put('captures/b.irqtrace', TRACE);
    assert.deepEqual((await lakeOf('--prefix', 'w/')).written, ['w/a.irqtrace', 'w/b.irqtrace']);
    const before = readdirSync(at('lake'), { recursive: true }).map(String).sort();
    const second = await lakeOf('--prefix', 'w/');
    assert.deepEqual([second.written, second.unchanged, second.status], [[], ['w/a.irqtrace', 'w/b.irqtrace'], 0]);
    assert.deepEqual(readdirSync(at('lake'), { recursive: true }).map(String).sort(), before);
    // A manifest gives one of them a date, the other one grows.
    put('manifest.csv', 'trace,date\na.irqtrace,2026-11-23\n');
    writeFileSync(at('captures/b.irqtrace'), `${TRACE}0.000030 cpu0 - irq.entry irq/5 name=eth0\n`);
    const third = await lakeOf('--prefix', 'w/', '--manifest', at('manifest.csv'));
    assert.deepEqual(third.written, ['w/a.irqtrace', 'w/b.irqtrace']);
    assert.deepEqual(
      (await table('traces')).map(({ day, trace, events }) => [day, trace, Number(events)]),
      [
        ['date=2026-11-23', 'w/a.irqtrace', 2],
        ['date=__HIVE_DEFAULT_PARTITION__', 'w/b.irqtrace', 3],
      ],
    );
    assert.equal((await table('events')).length, 5);
    // A file of a table that is gone is written again; another change time is another file.
    rmSync(at('lake', 'events', 'date=2026-11-23'), { recursive: true });
    utimesSync(at('captures/b.irqtrace'), 1, 1);
    const fourth = await lakeOf('--prefix', 'w/', '--manifest', at('manifest.csv'));
    assert.deepEqual(fourth.written, ['w/a.irqtrace', 'w/b.irqtrace']);
  });

  it('divides the work by the names alone: each capture is in exactly one shard', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `h${i}.irqtrace`);
    for (const name of names) put(`captures/${name}`, TRACE);
    const shards = [await lakeOf('--shard', '1/2'), await lakeOf('--shard', '2/2', '--jobs', '1')];
    assert.deepEqual(shards.flatMap(({ written }) => written).sort(), names);
    assert.ok(
      shards.every(({ written }) => written.length > 0),
      'each shard has some',
    );
    // With more captures, those that were there stay in their shard.
    put('captures/g.irqtrace', TRACE);
    const again = await lakeOf('--shard', '1/2');
    assert.deepEqual(again.unchanged, shards[0]!.written);
    assert.equal((await table('traces')).length, names.length + again.written.length);
  });

  it('leaves a lake as it was when a table cannot be written, and shows no half file', async () => {
    put('captures/a.irqtrace', TRACE);
    assert.equal((await lakeOf()).status, 0);
    const path = at('lake', 'events', 'date=__HIVE_DEFAULT_PARTITION__');
    const [file] = readdirSync(path);
    const before = readFileSync(join(path, file!));
    // The table `latencies` cannot be written: there is a file in the place of its folder.
    rmSync(at('lake', 'latencies'), { recursive: true });
    put('lake/latencies', '');
    writeFileSync(at('captures/a.irqtrace'), `${TRACE}0.000030 cpu0 - irq.entry irq/5 name=eth0\n`);
    const { status, failed } = await lakeOf();
    assert.equal(status, 2);
    assert.match(failed[0]!.problem, /there is a file in its place/);
    assert.ok(readFileSync(join(path, file!)).equals(before));
    assert.deepEqual(readdirSync(path), [file]);
    assert.ok(!readdirSync(at('lake'), { recursive: true }).some((name) => String(name).endsWith('.part')));
  });

  it('takes one capture with --as, as a batch engine calls it', async () => {
    cpSync(join(root, example), at('q.log'));
    const args = [
      'convert',
      at('q.log'),
      '--to',
      'parquet',
      '--out',
      at('lake'),
      '--as',
      'rack/7',
      '--host',
      'delta',
      '--kernel',
      '6.1',
    ];
    assert.deepEqual(await answered(args), { status: 0, out: '' });
    const [row] = await table('traces');
    // The first stamp of the log is 1795148648, which is that day.
    assert.deepEqual(
      [row?.['day'], row?.['trace'], row?.['host'], row?.['kernel']],
      ['date=2026-11-20', 'rack/7', 'delta', '6.1'],
    );
  });

  it('follows links to files, and not those to folders', async () => {
    put('elsewhere/a.irqtrace', TRACE);
    put('captures/b.irqtrace', TRACE);
    symlinkSync(at('elsewhere/a.irqtrace'), at('captures/a.irqtrace'));
    symlinkSync(at('elsewhere'), at('captures/folder'));
    assert.deepEqual((await lakeOf()).written, ['a.irqtrace', 'b.irqtrace']);
  });

  it('refuses what makes no sense, in one line', async () => {
    put('captures/a.irqtrace', TRACE);
    put('file', 'x');
    const lake = ['--to', 'parquet', '--out', at('lake')];
    const cases: [string[], RegExp][] = [
      [[at('captures'), ...lake, '--table', 'events'], /--table is for one file/],
      [[at('captures'), ...lake, '--with', 'x'], /--with is for one trace/],
      [[at('captures'), ...lake, '--shard', '4/3'], /expected I\/N, such as 3\/16/],
      [[at('captures'), ...lake, '--jobs', '0'], /expected a number from 1/],
      [[at('captures'), '--to', 'parquet', '--out', '-'], /a lake is a folder/],
      [[at('captures'), '--to', 'parquet', '--out', at('captures')], /the captures lie in this folder/],
      [[at('captures'), '--to', 'parquet', '--out', folder], /the captures lie in this folder/],
      [[at('captures'), ...lake, '--manifest', at('none.csv')], /none\.csv: no such file/],
      [[at('captures/a.irqtrace'), ...lake, '--shard', '1/2'], /--shard is for a folder of captures/],
      [[at('captures/a.irqtrace'), ...lake, '--host', 'x'], /--host is for a capture that goes into a lake/],
      [[at('captures/a.irqtrace'), ...lake, '--as', 'x', '--date', '2026-02-30'], /expected a day such as/],
      [[at('captures/a.irqtrace'), ...lake, '--table', 'event'], /did you mean events\?/],
      [
        [at('captures/a.irqtrace'), '--to', 'csv', '--out', at('x'), '--table', 'events'],
        /--table is for --to parquet/,
      ],
      [
        [at('captures/a.irqtrace'), '--to', 'parquet', '--out', at('file'), '--as', 'x'],
        /there is a file in its place/,
      ],
    ];
    for (const [args, expected] of cases) {
      const { status, line = '' } = await answered(['convert', ...args]);
      assert.equal(status, 2);
      assert.match(line, expected);
    }
    const manifests: [string, RegExp][] = [
      ['host,date\n', /m\.csv:1: expected a first line with the columns/],
      ['trace,host\n\na,b\nc\n', /m\.csv:4: expected 2 values/],
      [
        'trace,date\n"a\nb",23.11.2026\n',
        /m\.csv:2: expected a day such as 2026-11-23 in the column date, found 23\.11\.2026/,
      ],
      ['trace\na\n./a\n', /m\.csv:3: a is listed twice/],
    ];
    for (const [text, expected] of manifests) {
      put('m.csv', text);
      const { line = '' } = await answered(['convert', at('captures'), ...lake, '--manifest', at('m.csv')]);
      assert.match(line, expected);
    }
    assert.ok(!existsSync(at('lake')) || !statSync(at('lake')).isFile());
  });
});
