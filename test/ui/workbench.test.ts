// The workbench as a user meets it: it comes up, knows the extension's commands, and stays quiet.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';
import { listCommands, runCommand, screenshot, useWorkbench, type WorkbenchOptions } from '../helpers/host.ts';

interface Contributions {
  commands?: { title: string; category?: string }[];
}

function contributions(): Contributions {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { contributes?: Contributions };
  return manifest.contributes ?? {};
}

const windows: [string, WorkbenchOptions][] = [
  ['the checkout in a trusted folder', {}],
  ['the packaged extension in Restricted Mode', { vsix: true, trust: true }],
];

for (const [name, options] of windows) {
  describe(`workbench: ${name}`, () => {
    const workbench = useWorkbench(options);

    it('comes up', async () => {
      const { page } = workbench();
      assert.match(await page.title(), options.vsix ? /^workspace/ : /Extension Development Host/);
      await screenshot(page, `workbench ${name}`);
    });

    it('offers the commands of IRQScope in the palette', async function () {
      if ((contributions().commands ?? []).length === 0) return this.skip();
      const offered = await listCommands(workbench().page, 'IRQScope: ');
      assert.ok(
        offered.some((title) => title.startsWith('IRQScope: ')),
        `offered: ${offered.join(', ')}`,
      );
    });

    it('runs a command from the palette', async () => {
      const { page } = workbench();
      await runCommand(page, 'Help: About');
      await page.locator('.monaco-dialog-box').waitFor();
      await page.keyboard.press('Escape');
    });

    it(`${options.trust ? 'asks' : 'does not ask'} for trust`, async () => {
      const restricted = workbench().page.locator('.part.statusbar').getByText('Restricted Mode');
      assert.equal(await restricted.count(), options.trust ? 1 : 0);
    });
  });
}
