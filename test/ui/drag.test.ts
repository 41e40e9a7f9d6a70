// Files that are dragged with the mouse, as a user does it: from the explorer, over the icon of IRQScope, which brings its views up, and onto the
// view Traces.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { patient } from '../../scripts/test/patience.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { eventually, runCommand, screenshot, useWorkbench } from '../helpers/host.ts';
import { expand, fold, row, TALL, unfold, view } from './views.ts';

const folder = mkdtempSync(join(tmpdir(), 'irqscope-ui-drag-'));
writeFileSync(join(folder, 'kernel.txt'), fixtureBytes('x86-vtd/ftrace.txt'));
writeFileSync(join(folder, 'machine.log'), fixtureBytes('x86-vtd/qemu.log'));
writeFileSync(join(folder, 'other.txt'), fixtureBytes('x86-threads/ftrace-oneshot.txt'));

/** A place in an element: in its middle, or so many pixels above its lower edge. */
async function placeIn(there: Locator, above?: number): Promise<[x: number, y: number]> {
  const box = (await there.boundingBox()) ?? assert.fail(`nothing to drag to: ${there}`);
  return [box.x + box.width / 2, above === undefined ? box.y + box.height / 2 : box.y + box.height - above];
}

const file = (page: Page, name: string): Locator =>
  page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });

const isSelected = async (page: Page, name: string): Promise<boolean> =>
  /\bselected\b/.test((await file(page, name).getAttribute('class')) ?? '');

/** Selects files in the explorer and takes them with the mouse. */
async function take(page: Page, ...names: string[]): Promise<void> {
  await runCommand(page, 'View: Show Explorer');
  for (const [i, name] of names.entries()) {
    // A click that comes while the editor shows the file of the one before may go nowhere.
    await eventually(async () => {
      if (!(await isSelected(page, name))) await file(page, name).click(i === 0 ? {} : { modifiers: ['Control'] });
      await page.waitForTimeout(500);
      assert.ok(await isSelected(page, name), name);
    }, 20_000);
  }
  const [x, y] = await placeIn(file(page, names.at(-1)!));
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 5, y + 12, { steps: 4 });
}

/** Moves what was taken over the icon of IRQScope until its views are there. */
async function bringUpViews(page: Page): Promise<void> {
  const [x, y] = await placeIn(page.locator('.activitybar .action-label[aria-label^="IRQScope"]'));
  await page.mouse.move(x, y, { steps: 10 });
  await eventually(async () => {
    // An editor that has just started to listen hears of the next move.
    await page.mouse.move(x + 1, y);
    await page.mouse.move(x, y);
    await page.waitForTimeout(1200);
    assert.ok(await view(page, 'Traces').isVisible());
  }, 20_000);
}

async function dropAt(page: Page, x: number, y: number): Promise<void> {
  await page.mouse.move(x, y, { steps: 10 });
  await page.mouse.move(x + 1, y + 1);
  await page.mouse.up();
}

describe('files dragged onto the view Traces', () => {
  const workbench = useWorkbench({ folder, viewport: TALL });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const sources = async (page: Page, ...names: string[]): Promise<void> => {
    for (const name of names) await row(page, 'Traces', name).waitFor({ timeout: patient(20_000) });
  };

  it('an empty view takes them: two files become one trace', async () => {
    const { page } = workbench();
    await page.locator('.activitybar .action-label[aria-label^="IRQScope"]').click();
    await fold(page, ['Interrupts', 'Findings']);
    await unfold(page, 'Traces');
    await view(page, 'Traces').getByText('No trace is open').waitFor();
    await take(page, 'kernel.txt', 'machine.log');
    await bringUpViews(page);
    await dropAt(page, ...(await placeIn(view(page, 'Traces').locator('.pane-body'))));
    await row(page, 'Traces', 'Sources').waitFor({ timeout: patient(20_000) });
    await expand(page, 'Traces', 'Sources');
    await sources(page, 'kernel.txt', 'machine.log');
    await screenshot(page, 'dropped files');
  });

  it('the row of a trace takes one more source', async () => {
    const { page } = workbench();
    await take(page, 'other.txt');
    await bringUpViews(page);
    await dropAt(page, ...(await placeIn(view(page, 'Traces').locator('.monaco-list-row[aria-level="1"]').first())));
    await sources(page, 'kernel.txt', 'machine.log', 'other.txt');
    assert.equal(await view(page, 'Traces').locator('.monaco-list-row[aria-level="1"]').count(), 1);
  });
});
