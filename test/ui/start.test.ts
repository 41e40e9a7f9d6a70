// `npm start` as a user runs it: what it prints, what it opens, and that Ctrl-C leaves nothing behind.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { launchBrowser } from '../../scripts/host/browser.ts';
import { exampleTrace, root } from '../../scripts/paths.ts';
import { patient } from '../../scripts/test/patience.ts';
import { screenshot, waitForWorkbench } from '../helpers/host.ts';

interface Run {
  child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

function start(args: string[], env: NodeJS.ProcessEnv): Run {
  const child = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), 'start', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output, ended: new Promise((resolve) => child.on('exit', resolve)) };
}

/** The address that a run prints. */
async function addressOf(run: Run): Promise<string> {
  const deadline = Date.now() + patient(60_000);
  while (Date.now() < deadline && run.child.exitCode === null) {
    const found = /http:\/\/127\.0\.0\.1:\S+/.exec(run.output())?.[0];
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  return assert.fail(`no address in: ${run.output()}`);
}

describe('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-start-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('--embedded serves the example until Ctrl-C', async () => {
    const run = start(['--embedded'], { TMPDIR: folder });
    try {
      const url = await addressOf(run);
      assert.match(run.output(), /x86-vtd-qemu/);
      const browser = await launchBrowser();
      try {
        const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
        await page.goto(url);
        await waitForWorkbench(page);
        assert.match(await page.title(), /Extension Development Host.*examples/);
        await screenshot(page, 'npm start');
      } finally {
        await browser.close();
      }
      run.child.kill('SIGINT');
      assert.equal(await run.ended, 0, run.output());
      await assert.rejects(fetch(url), 'the server answers after the end');
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      run.child.kill('SIGTERM');
    }
  });

  it('--check ends with success once the page has come', async () => {
    const run = start(['--check'], { TMPDIR: folder });
    assert.equal(await run.ended, 0, run.output());
    assert.match(run.output(), /The page answers\.\n$/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("opens the user's own VS Code when it is on the PATH", async () => {
    const said = join(folder, 'said');
    const code = join(folder, 'code');
    writeFileSync(code, `#!/bin/sh\nprintf '%s\\n' "$@" > '${said}'\n`);
    chmodSync(code, 0o755);
    const run = start([], { PATH: [folder, process.env.PATH].join(delimiter) });
    assert.equal(await run.ended, 0, run.output());
    const args = readFileSync(said, 'utf8').trim().split('\n');
    assert.deepEqual(args, [`--extensionDevelopmentPath=${root}`, dirname(exampleTrace), exampleTrace]);
  });

  it('names a file that does not exist, as seen from the folder of the caller', async () => {
    const run = start(['absent.log'], { INIT_CWD: folder });
    assert.equal(await run.ended, 1);
    assert.match(run.output(), new RegExp(`no such file: .*${join(folder, 'absent.log')}`));
    assert.equal(existsSync(join(folder, 'absent.log')), false);
  });
});
