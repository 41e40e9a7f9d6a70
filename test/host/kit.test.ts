// *Save Capture Script…* writes the script that the command line prints.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { run } from './helper.ts';

describe('Save Capture Script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-kit-host-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('writes the script, in place of an old one', async () => {
    const file = vscode.Uri.file(join(folder, 'irqscope-kit.sh'));
    for (let times = 0; times < 2; times++) {
      const written = await run<vscode.Uri>('saveCaptureScript', file);
      assert.equal(written?.fsPath, file.fsPath);
    }
    const text = readFileSync(file.fsPath, 'utf8');
    assert.ok(text.startsWith('#!/bin/sh\n# IRQScope capture kit '));
    assert.ok(text.trimEnd().endsWith('main "$@" </dev/null; exit'));
    assert.match(text, /^KIT_VERSION='\d+\.\d+\.\d+'$/m);
    assert.deepEqual(readdirSync(folder), ['irqscope-kit.sh']);
  });

  it('says what it cannot write', async () => {
    assert.equal(await run('saveCaptureScript', vscode.Uri.file(folder)), undefined);
    assert.deepEqual(readdirSync(folder), ['irqscope-kit.sh']);
  });
});
