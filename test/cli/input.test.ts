// Every kind of input and of trouble: packed files, standard input, pipes that close, signals, bad usage.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { TraceInfo } from '../../src/query/info.ts';
import { answered, example, irqscope, jsonLines, main, root } from './run.ts';

let dir = '';
const bytes = readFileSync(join(root, example));

/** A file of its own with this content. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** Runs a command that must be refused, in this process; returns its one line for stderr. */
async function refused(...args: string[]): Promise<string> {
  const { line, out } = await answered(args);
  assert.ok(line !== undefined, `${args.join(' ')}: ${out}`);
  assert.equal(out, '');
  assert.doesNotMatch(line, /\n/);
  return line;
}

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'irqscope-cli-'));
});
after(() => rmSync(dir, { recursive: true }));

describe('irqscope reads', () => {
  const withoutFile = (text: string): string => text.replaceAll(/"file":"[^"]*"/g, '');

  it('plain, gzip and zstd files and standard input alike', async () => {
    // Several chunks of a file also when packed: nothing shortens these names.
    const name = (i: number): string => createHash('sha256').update(String(i)).digest('base64url');
    const noise = Array.from({ length: 80_000 }, (_, i) => `1@5.000000:made_up ${name(i)}\n`).join('');
    const text = Buffer.concat([bytes.subarray(0, 300_000), Buffer.from(`\n${noise}`), bytes.subarray(0, 100_000)]);
    assert.ok(zstdCompressSync(text).length > 2.3e6);
    const plain = file('plain', text);
    const expected = await irqscope(['events', plain, '--json']);
    assert.equal(expected.status, 0);
    const sources: [string, Uint8Array?][] = [
      [file('packed-one-way', gzipSync(text))],
      [file('packed-another-way', zstdCompressSync(text))],
      ['-', text],
      ['-', zstdCompressSync(text)],
    ];
    for (const [source, input] of sources) {
      const done = await irqscope(['events', source, '--json'], input);
      assert.equal(done.status, 0, done.err);
      assert.equal(withoutFile(done.out), withoutFile(expected.out), source);
    }
    assert.match(expected.out, new RegExp(`"file":"${plain}"`));
  });

  it('what is left of a file that is cut off, and says so', async () => {
    const cut = file('cut.gz', gzipSync(bytes).subarray(0, 100_000));
    const { status, out } = await irqscope(['info', cut, '--json']);
    assert.equal(status, 0);
    const info = JSON.parse(out) as TraceInfo;
    assert.match(info.problem ?? '', /cut off|EOF/);
    assert.ok(info.events > 1000);
    assert.match((await irqscope(['info', cut])).out, /PROBLEM +the gzip data is /);
  });

  it('logs without stamps', async () => {
    const bare = bytes
      .subarray(0, 20_000)
      .toString()
      .replaceAll(/^\d+@[\d.]+:/gm, '');
    const path = file('bare.log', bare);
    const [first] = jsonLines<{ time: null }>((await irqscope(['events', path, '--json'])).out);
    assert.equal(first!.time, null);
    assert.match(await refused('state', path, '--at', '1.5'), /no time stamps; give a step, line:N or end/);
    assert.equal((await irqscope(['state', path, '--at', 'line:50'])).status, 0);
  });

  it('clocks that count', async () => {
    const record = (time: number, what: string): string => `          <idle>-0       [001] d.h.. ${time}: ${what}\n`;
    const path = file(
      'ticks.txt',
      `# tracer: nop\n#\n${record(17961234567890, 'irq_handler_entry: irq=26 name=nvme0q0')}${record(17961234569999, 'irq_handler_exit: irq=26 ret=handled')}`,
    );
    const running = async (at: string): Promise<string> =>
      (await irqscope(['state', path, '--at', at, '--object', 'irq/26/running', '--json'])).out;
    assert.equal(await running('time:17961234567890'), '1\n');
    assert.equal(await running('time:17961234569998'), '1\n');
    assert.equal(await running('time:17961234569999'), 'null\n');
    assert.match(
      await refused('state', path, '--at', '17961234567890.5'),
      /counts ticks without a fraction; give time:N/,
    );
    assert.match(await refused('state', path, '--at', '17961234567890'), /there is no step 17961234567890/);
  });

  it('names the lines that it could not read', async () => {
    const bad = '30208@1795148664.553841:msix_write_config dev nvme enabled X masked 1';
    const path = file('bad.log', `${bytes.subarray(0, 200).toString().split('\n')[0]}\n${bad}\n1@2.000000:made_up x\n`);
    const { out } = await irqscope(['info', path]);
    assert.match(out, /skipped +1 +33\.3 %/);
    assert.match(out, /unknown by name +1 +33\.3 %\n +made_up +1/);
    assert.ok(out.includes(`  ${path}:2: msix_write_config: `));
    assert.ok(out.includes(`\n      ${bad}\n`));
    const info = JSON.parse((await irqscope(['info', path, '--json'])).out) as TraceInfo;
    assert.equal(info.records, info.understood + 1 + 1);
    assert.deepEqual(info.unknown, { made_up: 1 });
  });

  it('a trace without events', async () => {
    const path = file('nothing.log', '1@1795148648.897582:vtd_context_cache_reset \n');
    assert.equal((await irqscope(['state', path, '--at', 'end', '--json'])).out, '{}\n');
    assert.match((await irqscope(['state', path, '--at', 'end'])).out, /no events, so nothing is known/);
    assert.equal((await irqscope(['events', path, '--json'])).out, '');
    assert.match(await refused('state', path, '--at', '0'), /has no events/);
  });

  it('nothing onto a terminal that would control it', async () => {
    const lines = `1@1795148648.897582:vtd_context_cache_reset \n1@1795148648.897583:pci_cfg_write nv\x1b[31mme 00:03.0 @0x4 <- 0x507\nInvalid write at addr 0x\x1b[31m\x07\n`;
    const path = file('esc.log', lines);
    for (const args of [
      ['info', path],
      ['events', path],
      ['state', path, '--at', 'end'],
    ]) {
      const { out, status } = await irqscope(args);
      assert.equal(status, 0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not appear
      assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\x7f]/);
    }
  });
});

describe('irqscope refuses', () => {
  it('what it cannot read, and says what to do', async () => {
    const empty = file('empty', '');
    assert.equal(await refused('info', empty), `irqscope: ${empty}: the file is empty`);
    const garbage = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff);
    assert.match(
      await refused('info', file('garbage', garbage)),
      /: this is binary data .*; expected .*QEMU trace log/,
    );
    assert.match(await refused('events', file('text', 'hello\nworld\n')), /no line of it is a trace record; expected/);
    assert.match(await refused('info', join(dir, 'nowhere')), /nowhere: no such file$/);
    assert.match(
      await refused('info', file('broken.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 255, 255))),
      /broken\.gz: .*gzip/,
    );
    const secret = file('secret', 'x');
    chmodSync(secret, 0);
    if (process.getuid?.() !== 0) assert.match(await refused('info', secret), /no permission to read it/);
  });

  it('with status 2 and one line on stderr', async () => {
    const { status, out, err } = await irqscope(['state', example, '--at', 'line:1']);
    assert.equal(status, 2);
    assert.equal(out, '');
    assert.match(err, /^examples\/x86-vtd-qemu\.log:1: [^\n]+\n$/);
    assert.deepEqual(await irqscope(['infos']), {
      status: 2,
      out: '',
      err: 'irqscope: there is no command infos; did you mean info?\n',
    });
  });

  it('one file of several, and answers for the others', async () => {
    const { status, out, err } = await irqscope(['info', '--json', example, join(dir, 'nowhere')]);
    assert.equal(status, 2);
    assert.match(err, /^irqscope: .*nowhere: no such file\n$/);
    assert.deepEqual(
      (JSON.parse(out) as TraceInfo[]).map((info) => info.file),
      [example],
    );
  });

  it('calls that it does not understand', async () => {
    const cases: [string[], RegExp][] = [
      [[], /^irqscope: no command; irqscope --help lists them$/],
      [['frobnicate'], /there is no command frobnicate; there are info, events/],
      [['stat', example], /there is no command stat; did you mean state\?/],
      [['--json', 'info'], /options follow the command/],
      [['info'], /info needs a FILE; see irqscope info --help/],
      [['info', '--jsn', example], /no option --jsn; did you mean --json\?/],
      [['events', example, example], /events needs one FILE/],
      [['events', example, '--from'], /--from needs a value/],
      [['events', example, '--from', 'yesterday'], /--from yesterday is no place in a trace; give a step/],
      [['events', example, '--from', 'line:0'], /line:0 is no place/],
      [
        ['events', example, '--filter', 'kind == tbl.write &&'],
        /^irqscope: --filter, column 21: expected a name.*found the end$/,
      ],
      [['events', example, '--filter', 'vectr > 3'], /--filter, column 1: .*did you mean `vector`\?/],
      [['state', example], /state needs --at: a step/],
      [['state', example, '--at', '34.5.6'], /is no place in a trace/],
      [['state', example, '--at', '99999999'], /there is no step 99999999; the trace has steps 0 to \d+$/],
      [['state', example, '--at', '-1.5'], /the first event is later than -1\.5, at 1795148648\.926722$/],
      [['state', example, '--at', '-1'], /--at -1 is no place in a trace/],
      [['info', ''], /^irqscope: the name of FILE is empty$/],
      [['state', example, '--at', '1.5'], /the first event is later than 1\.5, at 1795148648\.926722$/],
      [
        ['state', example, '--at', 'line:1'],
        /^examples\/x86-vtd-qemu\.log:1: there is no event at or before this line; the first one stands on line 3$/,
      ],
      [['history', example], /history needs a FILE and a PATH/],
    ];
    for (const [args, message] of cases) assert.match(await refused(...args), message);
  });

  it('paths that the trace never names, with paths that exist', async () => {
    const cases: [string, RegExp][] = [
      ['device/0000:00:03.0/msix/9', /device\/0000:00:03\.0\/msix has 0, 1, 2, 3, 4, 5$/],
      ['device/0000:00:03.1', /did you mean device\/0000:00:03\.0/],
      ['device/nvme/msix/0', /did you mean device\/0000:00:03\.0\/msix\/0\?/],
      ['devcie/0000:00:03.0', /did you mean device\?/],
      ['device/0000:00:03.0/msix/0/contrl', /did you mean device\/0000:00:03\.0\/msix\/0\/control\?/],
      ['device/0000:00:03.0/msix/0/control.maks', /the fields of control are mask, stLower, stUpper$/],
      ['device/0000:00:03.0/msix/0/control.constructor', /the fields of control are mask/],
      ['device/0000:00:03.0/msix/0/writes.x', /writes has no fields$/],
      [
        'device/0000:00:03.0/msix/0/control/mask',
        /written with a point: device\/0000:00:03\.0\/msix\/0\/control\.mask$/,
      ],
      ['irq/26', /never names irq\/26; it has device, /],
      ['', /an empty path/],
    ];
    for (const [path, message] of cases) {
      assert.match(await refused('history', example, path), message);
      assert.match(await refused('state', example, '--at', 'end', '--object', path, '--json'), message);
    }
  });
});

describe('irqscope helps', () => {
  it('in general, with a command, and with its version', async () => {
    const general = await irqscope(['--help']);
    assert.equal(general.status, 0);
    for (const word of ['info', 'events', 'state', 'history', '--json', 'Exit status'])
      assert.ok(general.out.includes(word), word);
    assert.equal((await irqscope(['help'])).out, general.out);
    for (const command of ['info', 'events', 'state', 'history', 'interrupts', 'path', 'stats']) {
      const { status, out } = await irqscope([command, '--help']);
      assert.equal(status, 0);
      assert.match(out, new RegExp(`^Usage: irqscope ${command} FILE`));
      assert.match(out, /\nOptions:\n.*--json.*\nExamples:\n/s);
      assert.equal((await irqscope(['help', command])).out, out);
      for (const line of out.split('\n')) assert.ok(line.length <= 120, line);
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await irqscope(['--version'])).out, `${version}\n`);
  });
});

describe('irqscope ends', () => {
  /** Starts a command whose answer is long, and waits for the first of it; no more of it is read. */
  async function begun(args: readonly string[]) {
    const child = spawn(process.execPath, [main, ...args], { cwd: root });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<number | string | null>((done) => {
      child.on('close', (status, signal) => done(status ?? signal));
    });
    await new Promise((done) => child.stdout.once('readable', done));
    return { child, ended, err: () => err };
  }

  it('quietly when its reader goes away', async () => {
    const { child, ended, err } = await begun(['events', example, '--json']);
    child.stdout.destroy();
    assert.equal(await ended, 0);
    assert.equal(err(), '');
  });

  it('with 130 on Ctrl-C, without a stack trace', async () => {
    const { child, ended, err } = await begun(['events', example, '--json']);
    child.kill('SIGINT');
    child.stdout.resume();
    assert.equal(await ended, 130);
    assert.equal(err(), '');
  });
});
