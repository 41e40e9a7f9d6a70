// `irqscope kit`: what it writes and prints.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { qemuEventsFile } from '../../src/kit/qemu.ts';
import { captureScript } from '../../src/kit/script.ts';
import { answered } from './run.ts';

describe('irqscope kit', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };

  it('prints the script with its version', async () => {
    const { out, status } = await answered(['kit', '--print']);
    assert.equal(status, 0);
    assert.equal(out, captureScript(version));
    assert.ok(out.startsWith('#!/bin/sh\n'));
    assert.ok(out.includes(`KIT_VERSION='${version}'\n`));
    assert.ok(!out.includes('$\\{') && !out.includes('undefined'));
  });

  it('writes the script, or the events of QEMU, into a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'irqscope-kit-cli-'));
    try {
      const file = join(folder, 'kit.sh');
      const { out } = await answered(['kit', '--out', file]);
      assert.ok(out.includes(file));
      assert.equal(readFileSync(file, 'utf8'), captureScript(version));
      await answered(['kit', '--qemu', '--out', file]);
      assert.equal(readFileSync(file, 'utf8'), qemuEventsFile());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('prints commands for the monitors of QEMU', async () => {
    const hmp = (await answered(['kit', '--qemu', '--hmp'])).out.trimEnd().split('\n');
    assert.match(hmp[0]!, /^logfile \S+$/);
    for (const line of hmp.slice(1)) assert.match(line, /^trace-event \w+ on$/);
    const qmp = (await answered(['kit', '--qemu', '--qmp'])).out.trimEnd().split('\n');
    assert.equal(qmp.length, hmp.length - 1);
    for (const line of qmp) {
      const { execute, arguments: args } = JSON.parse(line) as { execute: string; arguments: { enable: boolean } };
      assert.equal(execute, 'trace-event-set-state');
      assert.equal(args.enable, true);
    }
  });

  it('answers as JSON', async () => {
    const script = JSON.parse((await answered(['kit', '--json'])).out) as Record<string, string>;
    assert.deepEqual(Object.keys(script), ['file', 'version', 'script']);
    assert.equal(script['script'], captureScript(version));
    const qemu = JSON.parse((await answered(['kit', '--qemu', '--json'])).out) as Record<string, string[]>;
    assert.deepEqual(Object.keys(qemu), ['events', 'options', 'hmp', 'qmp']);
  });

  it('refuses what does not fit together', async () => {
    for (const [args, why] of [
      [['file.log'], /kit takes no file\.log/],
      [['--print', '--out', 'x'], /--print and --out exclude one another/],
      [['--hmp'], /--hmp belongs to --qemu/],
      [['--qemu', '--hmp', '--qmp'], /--hmp and --qmp exclude one another/],
    ] as const) {
      const { status, line } = await answered(['kit', ...args]);
      assert.equal(status, 2);
      assert.match(line!, why);
    }
  });

  it('keeps quotes and line breaks of a version out of the script', () => {
    assert.ok(captureScript("1'; rm -rf /; '").includes("KIT_VERSION='1rm-rf'\n"));
  });
});
