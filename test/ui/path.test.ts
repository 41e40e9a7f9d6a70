// The view Delivery Path in the workbench: the way of one interrupt, and the stage funnel of all.
import assert from 'node:assert/strict';
import { eventually, findWebview, runCommand, screenshot, useWorkbench } from '../helpers/host.ts';
import { atStep, chooseFrom, EXAMPLE, EXAMPLES, fold, goToStep, LAST, row, TALL, view } from './views.ts';

/** The cause of the first message of nvme in the example. */
const CAUSE = 4702;

describe('Delivery Path in the workbench', () => {
  const workbench = useWorkbench({
    folder: EXAMPLES,
    settings: { 'irqscope.openOnStart': EXAMPLE },
    viewport: TALL,
  });

  it('shows the stage funnel of an interrupt', async () => {
    const { page } = workbench();
    await atStep(page, LAST);
    await goToStep(page, CAUSE);
    await fold(page, ['Findings', 'Traces', 'Domains', 'Devices', 'CPUs']);
    const interrupt = row(page, 'Interrupts', '00:03.0 #0');
    await interrupt.waitFor();
    await chooseFrom(page, interrupt, 'Show Stage Funnel');
    const stage = (name: string) => row(page, 'Delivery Path', name);
    await stage('Stage funnel').waitFor();
    // The numbers of docs/cli.md.
    await eventually(async () =>
      assert.match(await stage('accept').innerText({ timeout: 1000 }), /68 in, 68 out\s+measured/),
    );
    assert.match(await stage('handler').innerText(), /not recorded/);
    await page.waitForTimeout(500);
    await screenshot(page, 'stage funnel');
    // What was asked for last stands at the top.
    await runCommand(page, 'IRQScope: Show Delivery Path');
    await row(page, 'Delivery Path', 'delivered').waitFor();
    await runCommand(page, 'IRQScope: Show Stage Funnel');
    await stage('Stage funnel').waitFor();
  });

  it('counts the range that is marked on the timeline', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Show Timeline');
    const frame = await findWebview(page, 'canvas.overlay');
    await frame.locator('.name').first().waitFor();
    const box = (await frame.locator('canvas.overlay').boundingBox())!;
    await page.keyboard.down('Shift');
    await page.mouse.move(box.x + box.width * 0.3, box.y + 300);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 310, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const funnel = row(page, 'Delivery Path', 'Stage funnel');
    await eventually(async () =>
      assert.match(
        (await funnel.getAttribute('aria-label', { timeout: 1000 })) ?? '',
        /\d+ deliveries, .*steps [\d,]+ to [\d,]+, marked on the timeline/,
      ),
    );
    await page.waitForTimeout(500);
    await screenshot(page, 'stage funnel of a range');
    await runCommand(page, 'IRQScope: Hide Delivery Path');
    await view(page, 'Delivery Path').waitFor({ state: 'detached' });
  });
});
