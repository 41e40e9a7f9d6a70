// How the scripts bring the editor and the browser: at once or not at all, and never as a part of the package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, type Installation, installed } from '../../scripts/host/install.ts';
import { root } from '../../scripts/paths.ts';

describe('what is installed into the cache folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-cache-'));
  const before = process.env.IRQSCOPE_CACHE;
  const told: string[] = [];
  const plain = console.error;
  beforeEach(() => {
    process.env.IRQSCOPE_CACHE = folder;
    told.length = 0;
    console.error = (line: string) => told.push(line);
  });
  afterEach(() => {
    console.error = plain;
    if (before === undefined) delete process.env.IRQSCOPE_CACHE;
    else process.env.IRQSCOPE_CACHE = before;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Two steps; the second leaves the proof, or ends with this code. */
  function thing(name: string, code = 0): Installation {
    const write = (file: string, status: number) => (where: string, log: string) => {
      writeFileSync(log, `${file}\n`, { flag: 'a' });
      if (status === 0) writeFileSync(join(where, file), 'x');
      return Promise.resolve(status);
    };
    const steps = [
      { title: 'first', run: write('part', 0) },
      { title: 'second', run: write('proof', code) },
    ];
    return { title: `the ${name}`, name, proof: 'proof', bytes: 2_000_000, steps };
  }

  it('comes in steps, once', async () => {
    const path = await ensureInstalled(thing('tool'));
    assert.equal(path, join(folder, 'tool', 'proof'));
    assert.ok(installed(thing('tool')));
    assert.deepEqual(told.slice(1), ['  step 1 of 2: first', '  step 2 of 2: second', '  100 %']);
    assert.match(told[0]!, /^Installing the tool \(2 MB on the disk\)/);
    told.length = 0;
    assert.equal(await ensureInstalled(thing('tool')), path);
    assert.deepEqual(told, []);
  });

  it('is not there when a step fails; the message ends with the log', async () => {
    await assert.rejects(ensureInstalled(thing('broken', 3)), /the broken could not be installed.*part\nproof$/s);
    assert.equal(installed(thing('broken')), false);
    assert.deepEqual(
      readdirSync(folder).filter((name) => /^broken/.test(name)),
      [],
    );
    await ensureInstalled(thing('broken'));
    assert.ok(installed(thing('broken')));
  });

  it('takes away what an interrupted install left, and its lock', async () => {
    // The id of a process that is gone.
    const { pid } = spawnSync(process.execPath, ['--version']);
    const left = join(folder, `late.half-${pid}`);
    mkdirSync(left);
    writeFileSync(join(folder, 'late.lock'), String(pid));
    await ensureInstalled(thing('late'));
    assert.equal(existsSync(left), false);
    assert.equal(existsSync(join(folder, 'late.lock')), false);
  });

  it('happens once when two ask at the same time', async () => {
    await Promise.all([ensureInstalled(thing('both')), ensureInstalled(thing('both'))]);
    assert.equal(told.filter((line) => line.startsWith('Installing')).length, 1);
  });

  it('is no dependency of the project', () => {
    const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
    for (const name of ['code-server', '@sparticuz/chromium'])
      assert.equal(text.includes(`"node_modules/${name}"`), false);
  });
});

describe("the embedded editor's logger", () => {
  interface Logger {
    info(text: string): void;
    debug(text: string): void;
    clearFormatters(): void;
    drop(): void;
  }
  type Create = (name: string, file: string, limit: number, count: number) => Promise<Logger>;
  const { createAsyncRotatingLogger: create } = createRequire(import.meta.url)(
    join(root, 'scripts', 'host', 'plain', 'spdlog.cjs'),
  ) as { createAsyncRotatingLogger: Create };
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-log-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

  it('writes time, level and message, and leaves out what is below its level', async () => {
    const logger = await create('a', join(folder, 'new', 'a.log'), 1000, 1);
    logger.info('one');
    logger.debug('two');
    logger.drop();
    assert.match(text('new/a.log'), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[info\] one\n$/);
  });

  it('keeps as many files as asked for, none longer than the limit', async () => {
    const logger = await create('b', join(folder, 'b.log'), 8, 3);
    logger.clearFormatters();
    for (const word of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n']) logger.info(word);
    logger.drop();
    assert.deepEqual(['b.log', 'b.1.log', 'b.2.log'].map(text), ['dddd\n', 'cccc\n', 'bbbb\n']);
    const single = await create('c', join(folder, 'c.log'), 8, 1);
    single.clearFormatters();
    for (const word of ['aaaa\n', 'bbbb\n']) single.info(word);
    assert.equal(text('c.log'), 'bbbb\n');
    single.drop();
  });
});

describe('a browser of this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-browser-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the scripts find with this folder as the PATH. */
  function found(env: Record<string, string>): { status: number | null; out: string; err: string } {
    const find = pathToFileURL(join(root, 'scripts/host/find.ts')).href;
    const code = `import { findBrowser } from ${JSON.stringify(find)}; console.log(findBrowser());`;
    const options = { encoding: 'utf8', env: { PATH: folder, HOME: folder, ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], options);
    return { status, out: stdout.trim(), err: stderr };
  }
  const program = (name: string, status: number): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
    return path;
  };

  it('is taken if it starts, and the one that IRQSCOPE_CHROMIUM names before all', function () {
    if (process.platform !== 'linux') this.skip();
    assert.equal(found({}).out, 'undefined');
    // As Ubuntu's chromium-browser without its snap.
    program('chromium-browser', 1);
    assert.equal(found({}).out, 'undefined');
    const chrome = program('google-chrome', 0);
    assert.equal(found({}).out, chrome);
    const own = program('mine', 0);
    assert.equal(found({ IRQSCOPE_CHROMIUM: own }).out, own);
    const { status, err } = found({ IRQSCOPE_CHROMIUM: join(folder, 'none') });
    assert.notEqual(status, 0);
    assert.match(err, /IRQSCOPE_CHROMIUM names .*none, which does not exist/);
  });
});
