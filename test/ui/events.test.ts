// The list of events in the real workbench: in the panel below text and timeline, in step with them.
import assert from 'node:assert/strict';
import type { Frame, Page } from 'playwright-core';
import { eventually, findWebview, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import { atStep, EXAMPLE, EXAMPLES, goToStep, LAST, UNMASK } from './views.ts';

const FILTER = 'kind == msix.write && device == 00:03.0 && entry.mask';
/** An event that fits, as docs/filter.md shows it. */
const MASKED = 4744;

async function list(page: Page): Promise<Frame> {
  const frame = await findWebview(page, '.grid[role=grid]');
  await frame.locator('.view .row').first().waitFor();
  return frame;
}

const row = (frame: Frame, index: number) => frame.locator(`.view [aria-rowindex="${index + 2}"]`);

describe('list of events in the workbench', () => {
  const workbench = useWorkbench({
    folder: EXAMPLES,
    settings: { 'irqscope.openOnStart': EXAMPLE },
    viewport: { width: 1600, height: 1000 },
  });

  it('comes up in the panel, at the event of the cursor', async () => {
    const { page } = workbench();
    await atStep(page, LAST);
    await goToStep(page, UNMASK.step);
    await runCommand(page, 'IRQScope: Show Event List');
    const frame = await list(page);
    await eventually(async () => assert.match(await row(frame, UNMASK.step).innerText(), /tbl\.write/));
    assert.equal(await row(frame, UNMASK.step).getAttribute('aria-selected'), 'true');
    const [panel, box] = await Promise.all([
      page.locator('.part.panel').boundingBox(),
      frame.locator('.grid').boundingBox(),
    ]);
    assert.ok(box!.y > panel!.y && box!.x >= panel!.x, 'it lies in the panel');
    await runCommand(page, 'IRQScope: Show Timeline');
    await findWebview(page, 'canvas.overlay');
    await page.waitForTimeout(1000);
    await screenshot(page, 'events');
  });

  it('moves the cursor of all views by a click and by keys', async () => {
    const { page } = workbench();
    const frame = await list(page);
    await row(frame, UNMASK.step + 1).click();
    await atStep(page, UNMASK.step + 1);
    await page.keyboard.press('ArrowDown');
    await atStep(page, UNMASK.step + 2);
    // The keys that step do so here, too.
    await page.keyboard.press('F10');
    await atStep(page, UNMASK.step + 3);
    await page.keyboard.press('Control+F10');
    await atStep(page, UNMASK.step + 2);
    await eventually(async () => assert.equal(await row(frame, UNMASK.step + 2).getAttribute('aria-selected'), 'true'));
  });

  it('copies the rows that are selected', async () => {
    const { page } = workbench();
    const frame = await list(page);
    await row(frame, UNMASK.step).click();
    await atStep(page, UNMASK.step);
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Control+c');
    await page.locator('.part.statusbar .statusbar-item', { hasText: 'On the clipboard: 2 events' }).waitFor();
  });

  it('lists what Find Events… found, and the timeline shows the same', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Find Events…');
    const widget = page.locator('.quick-input-widget');
    await typeInQuickInput(page, 'Find Events', FILTER);
    await eventually(async () =>
      assert.match(await widget.locator('.monaco-list-row.focused').first().innerText(), /Find kind == msix\.write/),
    );
    await page.keyboard.press('Enter');
    const frame = await list(page);
    await eventually(async () => assert.match(await frame.locator('.hit-count').innerText(), /^\d+ events$/));
    assert.equal(await frame.locator('.query input').inputValue(), FILTER);
    const timeline = await findWebview(page, 'canvas.overlay');
    assert.equal(await timeline.locator('.query input').inputValue(), FILTER);
    assert.equal(await timeline.locator('.hit-count').innerText(), await frame.locator('.hit-count').innerText());
    await frame.locator('.query input').click();
    await page.keyboard.press('Enter');
    await eventually(async () => assert.match(await frame.locator('.hit-count').innerText(), /^\d+ of \d+ events$/));
    // The writes before the cursor, and the one that docs/filter.md shows first of those after a pause.
    const steps = await frame.locator('.view .row:visible .step').allInnerTexts();
    assert.ok(steps.includes(String(MASKED)), steps.join(' '));
    assert.ok(!steps.includes(String(UNMASK.step)), 'the unmask does not fit');
    await page.waitForTimeout(500);
    await screenshot(page, 'events filtered');
  });

  it('tells below the box what is wrong with a filter', async () => {
    const { page } = workbench();
    const frame = await list(page);
    const input = frame.locator('.query input');
    await input.click();
    // All at once: a busy editor takes its time with single keys.
    await input.fill('kind == tbl.wirte');
    const problem = frame.locator('.query-problem');
    await eventually(async () =>
      assert.match(await problem.innerText(), /^Column 9: there is no event kind tbl\.wirte/),
    );
    await screenshot(page, 'events wrong filter');
    await input.fill('kind == tbl.');
    await frame.locator('.query-option', { hasText: 'tbl.write' }).waitFor();
    await screenshot(page, 'events completion');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await eventually(async () => assert.equal(await frame.locator('.hits').isVisible(), false));
  });

  it('comes back at the cursor after another view of the panel covered it', async () => {
    const { page } = workbench();
    await list(page);
    await runCommand(page, 'View: Toggle Output');
    await goToStep(page, 12_345);
    await runCommand(page, 'IRQScope: Show Event List');
    const frame = await list(page);
    await eventually(async () => assert.equal(await row(frame, 12_345).getAttribute('aria-selected'), 'true'));
  });

  for (const theme of ['Dark High Contrast', 'Light Modern', 'Dark Modern']) {
    it(`suits the theme ${theme}`, async () => {
      const { page } = workbench();
      await runCommand(page, 'Preferences: Color Theme');
      await typeInQuickInput(page, null, theme);
      await page.locator('.quick-input-widget .monaco-list-row', { hasText: theme }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      const frame = await list(page);
      await eventually(async () => {
        const [panel, body] = await Promise.all([
          page.locator('.part.panel').evaluate((one) => getComputedStyle(one).backgroundColor),
          frame.evaluate(() => getComputedStyle(document.body).backgroundColor),
        ]);
        assert.equal(body, panel);
      });
      await page.waitForTimeout(500);
      await screenshot(page, `events ${theme}`);
    });
  }

  it('raises no error', () => {
    assert.deepEqual(
      workbench().errors.filter((error) => /events|irqscope/i.test(error)),
      [],
    );
  });
});
