// `--out`: the old file stays until the new one is whole, whatever happens; what the system refuses is told in one line.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { irqscope, main, root, run } from './run.ts';

const cases = resolve(root, 'test/fixtures/cases');
/** Goes on for minutes of model time: enough to be stopped in the middle. */
const long = {
  title: 'long',
  description: 'd',
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 4 }],
  workload: [{ at: '1ms', op: 'device.raise', object: 'device/0000:03:00.0/msix/0', every: '10us', times: 9_000_000 }],
};

describe('--out', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-out-'));
    writeFileSync(at('long.scenario.json'), JSON.stringify(long));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const files = (): string[] => readdirSync(folder).filter((name) => name !== 'long.scenario.json');

  it('keeps the mode of the old file, and follows a link', async () => {
    mkdirSync(at('real'));
    writeFileSync(at('real/file'), 'old');
    chmodSync(at('real/file'), 0o640);
    symlinkSync('real/file', at('link'));
    assert.equal((await irqscope(['simulate', 'first-run', '--out', at('link')])).status, 0);
    assert.ok(lstatSync(at('link')).isSymbolicLink());
    assert.match(readFileSync(at('real/file'), 'utf8'), /^#irqtrace 1\n/);
    assert.equal(statSync(at('real/file')).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(at('real')), ['file']);
  });

  it('makes the file that a link names', async () => {
    mkdirSync(at('real'));
    symlinkSync(join('real', 'new'), at('link'));
    assert.equal((await irqscope(['simulate', 'first-run', '--out', at('link')])).status, 0);
    assert.ok(lstatSync(at('link')).isSymbolicLink());
    assert.match(readFileSync(at('real/new'), 'utf8'), /^#irqtrace 1\n/);
  });

  it('may be the input', async () => {
    await irqscope(['simulate', 'first-run', '--out', at('a.irqtrace')]);
    const before = readFileSync(at('a.irqtrace'));
    const { status, err } = await irqscope(['simulate', at('a.irqtrace'), '--out', at('a.irqtrace')]);
    assert.deepEqual([status, err], [0, '']);
    assert.ok(readFileSync(at('a.irqtrace')).equals(before));
  });

  it('stays as it was when the run fails', async () => {
    writeFileSync(at('old'), 'old');
    for (const name of ['late-error', 'time-400-digits']) {
      const { status, err } = await irqscope(['simulate', join(cases, `${name}.scenario.json`), '--out', at('old')]);
      assert.equal(status, 2);
      assert.match(err, /^[^\n]+\n$/);
      assert.doesNotMatch(err, /internal error/);
    }
    assert.equal(readFileSync(at('old'), 'utf8'), 'old');
    assert.deepEqual(files(), ['old']);
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    it(`stays as it was after ${signal}`, async function () {
      this.timeout(60_000);
      writeFileSync(at('old'), 'old');
      const child = spawn(process.execPath, [main, 'simulate', at('long.scenario.json'), '--out', at('old')], {
        cwd: root,
      });
      const ended = new Promise<number | null>((done) => child.on('close', done));
      while (files().length === 1) await new Promise((done) => setTimeout(done, 20));
      child.kill(signal);
      assert.equal(await ended, status);
      assert.equal(readFileSync(at('old'), 'utf8'), 'old');
      assert.deepEqual(files(), ['old']);
    });

  it('stays as it was when the disk refuses more, told in one line', async function () {
    if (process.platform === 'win32') this.skip();
    this.timeout(60_000);
    writeFileSync(at('old'), 'old');
    const script = 'ulimit -f 8; exec "$@"';
    const args = ['simulate', at('long.scenario.json'), '--events', '100000', '--out', at('old')];
    const { status, err } = await run('/bin/sh', ['-c', script, 'sh', process.execPath, main, ...args]);
    assert.equal(status, 2, err);
    assert.equal(err, `irqscope: ${at('old')}: the file would be larger than allowed\n`);
    assert.equal(readFileSync(at('old'), 'utf8'), 'old');
    assert.deepEqual(files(), ['old']);
  });

  it('of a place where nothing can be written is refused in one line', async () => {
    mkdirSync(at('folder'));
    const refused: [string, RegExp][] = [
      [at('missing/file'), /there is no such directory$/],
      [at('long.scenario.json/file'), /there is no such directory$/],
      [at('folder'), /this is a directory/],
      [`${at('folder')}/`, /this is a directory/],
      [at('x'.repeat(300)), /the name is too long$/],
      ['', /--out needs the name of a file$/],
    ];
    if (existsSync('/dev/full')) refused.push(['/dev/full', /^irqscope: \/dev\/full: no space is left on the device$/]);
    if (existsSync('/proc/version')) refused.push(['/proc/nothing', /^irqscope: \/proc\/nothing: [^\n]+$/]);
    if (process.getuid?.() !== 0) {
      chmodSync(at('folder'), 0o500);
      refused.push([at('folder/file'), /no permission to write there$/]);
    }
    for (const [name, why] of refused) {
      const { status, err } = await irqscope(['simulate', 'first-run', '--out', name]);
      assert.equal(status, 2, name);
      assert.match(err, /^irqscope: [^\n]+\n$/);
      assert.match(err.trimEnd(), why);
    }
    assert.deepEqual(files(), ['folder']);
  });

  it('is written directly where it is no regular file', async function () {
    if (!existsSync('/dev/stdout')) this.skip();
    const script = '"$0" "$1" simulate first-run --out /dev/stdout | cat';
    assert.match((await run('/bin/sh', ['-c', script, process.execPath, main])).out, /^#irqtrace 1\n/);
    assert.equal((await irqscope(['simulate', 'first-run', '--out', '/dev/null'])).status, 0);
    assert.ok(statSync('/dev/null').isCharacterDevice());
  });
});

describe('standard output', () => {
  it('on a full disk is told in one line', async function () {
    if (!existsSync('/dev/full')) this.skip();
    for (const args of ['scenarios', 'simulate first-run --out -', 'info examples/x86-vtd-qemu.log --json']) {
      const { status, err } = await run('/bin/sh', ['-c', `"$0" "$1" ${args} > /dev/full`, process.execPath, main]);
      assert.deepEqual([status, err], [2, 'irqscope: standard output: no space is left on the device\n'], args);
    }
  });
});
