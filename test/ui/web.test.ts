// The browser bundle in a web extension host: a worker of the browser, where there is no Node and files come through the editor.
import assert from 'node:assert/strict';
import { hostLog } from '../../scripts/test/host-log.ts';
import { findWebview, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import { atStep, chooseFrom, EXAMPLES, goToStep, LAST, row, TALL, UNMASK, unfold } from './views.ts';

describe('in a web extension host', () => {
  const workbench = useWorkbench({ folder: EXAMPLES, web: true, viewport: TALL });

  it('a trace is opened from the explorer by the browser bundle', async () => {
    const { page, server } = workbench();
    // A web extension comes later than the workbench; its menus come with it.
    await page.locator('.activitybar .action-label[aria-label^="IRQScope"]').waitFor();
    await runCommand(page, 'View: Show Explorer');
    const file = page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'x86-vtd-qemu.log' });
    await chooseFrom(page, file, 'Open Trace…');
    await atStep(page, LAST);
    await unfold(page, 'Devices');
    await row(page, 'Devices', '00:03.0 nvme').waitFor();
    // It runs in the worker of the browser, and not in the extension host of the server, which would have told that it starts it.
    assert.ok(page.workers().length > 0);
    assert.match(hostLog(server.dataDir), /_doActivateExtension/);
    assert.doesNotMatch(hostLog(server.dataDir), /_doActivateExtension irqscope/);
    await screenshot(page, 'web extension host');
  });

  it('it is stepped, and its text goes along', async () => {
    const { page } = workbench();
    await goToStep(page, UNMASK.step);
    await runCommand(page, 'IRQScope: Step');
    await atStep(page, UNMASK.step + 1);
    await page
      .locator('.part.statusbar')
      .getByText(`Ln ${UNMASK.line + 1}`)
      .waitFor();
  });

  it('the timeline comes up', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Show Timeline');
    const frame = await findWebview(page, 'canvas.overlay');
    await frame.locator('.cursor-event').waitFor();
  });

  it('a simulation runs to its end', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Start Simulation…');
    await typeInQuickInput(page, 'Start Simulation', 'first-run');
    await page.keyboard.press('Enter');
    await page.locator('.quick-input-widget .quick-input-title', { hasText: 'Seed' }).waitFor();
    await page.keyboard.press('Enter');
    await unfold(page, 'Traces');
    await row(page, 'Traces', 'First run').waitFor();
    await runCommand(page, 'IRQScope: Run All');
    await page.locator('.part.statusbar .statusbar-item', { hasText: /step [\d,]+ of [\d,]+ / }).waitFor();
  });
});
