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
      assert.match(await workbench().page.title(), options.vsix ? /^workspace/ : /Extension Development Host/);
    });

    it('offers the commands of IRQScope in the palette', async function () {
      if ((contributions().commands ?? []).length === 0) return this.skip();
      const offered = await listCommands(workbench().page, 'IRQScope: ');
      assert.notDeepEqual(offered, []);
    });

    it('runs a command from the palette', async () => {
      const { page } = workbench();
      await runCommand(page, 'Help: About');
      await page.locator('.monaco-dialog-box').waitFor();
      await page.keyboard.press('Escape');
    });

    it(`is ${options.trust ? '' : 'not '}in Restricted Mode`, async () => {
      const { page } = workbench();
      const restricted = page.locator('.part.statusbar').getByText('Restricted Mode');
      if (options.trust) await restricted.waitFor();
      else assert.equal(await restricted.count(), 0);
      await screenshot(page, `workbench ${name}`);
    });
  });
}
