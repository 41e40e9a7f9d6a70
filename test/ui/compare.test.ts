// A comparison as a user makes it: two traces, Compare with… from the palette, and the lanes of both in the timeline.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually, findWebview, runCommand, screenshot, useWorkbench } from '../helpers/host.ts';
import { atStep, compareWithFile, EXAMPLES, row, view } from './views.ts';

/** Two runs of a migration; the second loses the pending bit of an entry. */
const GOOD = join(EXAMPLES, 'migration-good.irqtrace');
const BAD = join(EXAMPLES, 'migration-bad.irqtrace');
const ENTRY = 'device/0000:00:04.0/msix/0';

describe('comparison in the workbench', () => {
  const workbench = useWorkbench({
    folder: EXAMPLES,
    // The dialog of the editor, in which a path can be typed.
    settings: { 'irqscope.openOnStart': GOOD, 'files.simpleDialog.enable': true },
    viewport: { width: 1600, height: 900 },
  });

  it('is made with a file that the user names', async () => {
    const { page } = workbench();
    await compareWithFile(page, BAD);
    await view(page, 'Comparison').getByText('migration-good.irqtrace ↔ migration-bad.irqtrace').waitFor();
  });

  it('shows the lanes of both, A above B, and goes with a row of the view', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Show Comparison in Timeline');
    await page.locator('.tab', { hasText: 'Timeline: migration-good.irqtrace ↔ migration-bad.irqtrace' }).waitFor();
    const frame = await findWebview(page, 'canvas.overlay');
    const lanes = frame.locator(`.name[data-path="${ENTRY}"]`);
    await eventually(async () => assert.equal(await lanes.count(), 2));
    const [a, b] = await lanes.all();
    assert.match((await a!.innerText()).replaceAll(/\s+/g, ' '), /^A MSI-X 0 good$/);
    assert.match((await b!.innerText()).replaceAll(/\s+/g, ' '), /^B MSI-X 0 bad$/);
    for (const lane of [a!, b!])
      assert.ok(await lane.locator('.detail').evaluate((e) => e.scrollWidth <= e.clientWidth), 'it is not cut');
    assert.ok((await a!.boundingBox())!.y < (await b!.boundingBox())!.y);
    await row(page, 'Comparison', 'First divergence').click();
    // The first event that only one run has: the migration that forgets the pending bits withdraws the cause (line 215 of its file).
    await atStep(page, 209);
    await screenshot(page, 'comparison in the timeline');
  });

  it('raises no error', () => {
    assert.deepEqual(
      workbench().errors.filter((error) => /timeline|irqscope/i.test(error)),
      [],
    );
  });
});
