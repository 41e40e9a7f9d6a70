// What the workbench tests of the views share: the rows on the screen, their badges, and where the cursor stands.
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { root } from '../../scripts/paths.ts';
import { patient } from '../../scripts/test/patience.ts';
import { count } from '../../src/base/counted.ts';
import { LAST, UNMASK } from '../helpers/example.ts';
import { eventually, runCommand, typeInQuickInput } from '../helpers/host.ts';

/** A window in which every view shows the rows that the tests use. */
export const TALL = { width: 1400, height: 1500 };

export const EXAMPLES = join(root, 'examples');
export const EXAMPLE = join(EXAMPLES, 'x86-vtd-qemu.log');

export { LAST, UNMASK };

/** A view of IRQScope by its title. */
export const view = (page: Page, title: string): Locator =>
  page.locator('.pane').filter({ has: page.locator('.pane-header .title', { hasText: new RegExp(`^${title}$`) }) });

/** The row of a view that begins with a text. */
export const row = (page: Page, title: string, start: string): Locator =>
  view(page, title)
    .locator('.monaco-list-row')
    .filter({
      has: page.locator('.label-name', { hasText: new RegExp(`^${start.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`) }),
    })
    .first();

/** Selects a row with the mouse, and waits until the keyboard is in its view: a busy workbench takes a moment for that. */
export async function select(there: Locator): Promise<void> {
  await there.click();
  const state = (): Promise<string> =>
    there.evaluate((e) => `${e.className} / ${e.closest('.monaco-list')?.contains(document.activeElement)}`);
  await eventually(async () => assert.match(await state(), /(?=.*\bselected\b)(?=.*\bfocused\b).* \/ true$/));
}

/** Expands rows one below the other with the mouse. */
export async function expand(page: Page, title: string, ...labels: string[]): Promise<void> {
  for (const label of labels) {
    const there = row(page, title, label);
    await there.scrollIntoViewIfNeeded();
    if ((await there.getAttribute('aria-expanded')) === 'false') await there.locator('.monaco-tl-twistie').click();
    await eventually(async () => assert.equal(await there.getAttribute('aria-expanded'), 'true', label));
  }
}

/** Opens views that are folded to their titles at first. */
export const unfold = (page: Page, ...titles: string[]): Promise<void> => fold(page, titles, false);

/** Folds views to their titles, or opens them: the side bar has not room enough for all of them. */
export async function fold(page: Page, titles: readonly string[], folded = true): Promise<void> {
  for (const title of titles) {
    const header = view(page, title).locator('.pane-header');
    if ((await header.getAttribute('aria-expanded')) === String(folded)) await header.locator('.title').click();
    await eventually(async () => assert.equal(await header.getAttribute('aria-expanded'), String(!folded), title));
  }
}

/** Chooses an item of the context menu of a row. A menu that has just come up takes no clicks yet. */
export async function chooseFrom(page: Page, there: Locator, label: string): Promise<void> {
  await there.click({ button: 'right' });
  const item = page.locator('.context-view .action-label', { hasText: label });
  await item.waitFor();
  await eventually(async () => {
    if ((await item.count()) > 0) await item.click({ timeout: patient(1000) });
    await item.waitFor({ state: 'detached', timeout: patient(1000) });
  });
}

/** The letter at the end of a row: A, M or D, or the empty text. */
export function badge(there: Locator): Promise<string> {
  return there.evaluate((element) => {
    for (const part of element.querySelectorAll('*')) {
      const { content } = getComputedStyle(part, '::after');
      const letter = /^"([AMD])"$/.exec(content)?.[1];
      if (letter) return letter;
    }
    return '';
  });
}

/** The part of a row's label that is highlighted. */
export const highlighted = (there: Locator): Promise<string> =>
  there
    .locator('.label-name .highlight')
    .allInnerTexts()
    .then((texts) => texts.join(''));

/** Waits until the status bar tells this step. */
export async function atStep(page: Page, step: number): Promise<void> {
  await eventually(async () => {
    const texts = await page.locator('.part.statusbar .statusbar-item').allInnerTexts();
    assert.ok(
      texts.some((text) => text.includes(`step ${count(step)} of`)),
      texts.join(' | '),
    );
  }, 20_000);
}

/** Goes to a step by the palette. */
export async function goToStep(page: Page, step: number): Promise<void> {
  await runCommand(page, 'IRQScope: Go to Step…');
  await typeInQuickInput(page, 'Go to Step', String(step));
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  await atStep(page, step);
}

/** Goes to the event before the unmask. */
export const goBeforeUnmask = (page: Page): Promise<void> => goToStep(page, UNMASK.step - 1);

/** Compares the active trace, once its rows are there, with a file that is named in the dialog of the editor (`files.simpleDialog.enable`). */
export async function compareWithFile(page: Page, file: string): Promise<void> {
  await view(page, 'Interrupts').locator('.monaco-list-row').first().waitFor();
  await runCommand(page, 'IRQScope: Compare with…');
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'A File…' }).click();
  const input = page.locator('.quick-input-widget input[type="text"]');
  // The dialog comes with the folder in its box; an Enter before it lists the file does nothing.
  await eventually(async () => assert.match(await input.inputValue(), /\//));
  const listed = page.locator('.quick-input-widget .monaco-list-row', { hasText: basename(file) });
  await eventually(async () => {
    // A slow dialog lists its folder only now, and puts that into the box again.
    if (await input.isVisible()) {
      if ((await input.inputValue()) !== file) await input.fill(file);
      await listed.waitFor({ timeout: patient(1000) });
      await page.keyboard.press('Enter');
    }
    await input.waitFor({ state: 'hidden', timeout: patient(1000) });
  });
  await row(page, 'Comparison', 'First divergence').waitFor();
}
