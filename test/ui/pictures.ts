// `npm run pictures`: the pictures in README.md, taken from the packaged extension with the example capture. Look at them before a commit.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Page } from 'playwright-core';
import { main } from '../../scripts/fail.ts';
import { root } from '../../scripts/paths.ts';
import { eventually, findWebview, openWorkbench, runCommand, typeInQuickInput } from '../helpers/host.ts';
import { shrinkPng } from '../helpers/png.ts';
import {
  atStep,
  badge,
  compareWithFile,
  EXAMPLE,
  EXAMPLES,
  expand,
  fold,
  goBeforeUnmask,
  LAST,
  row,
  UNMASK,
  unfold,
} from './views.ts';

const FOLDER = join(root, 'docs', 'images');
const BAD = join(EXAMPLES, 'migration-bad.irqtrace');
/** The line that unmasks entry 2 of the nvme function, which was masked for 2.9 s. Lines do not change when more of them are read as events. */
const UNMASK_AGAIN_LINE = 23_512;
/** Larger ones make the page of the project slow. */
const LARGEST = 300 * 1024;

const settings = {
  'files.simpleDialog.enable': true,
  'workbench.colorTheme': 'Default Dark Modern',
  'breadcrumbs.enabled': false,
  'editor.fontSize': 12,
  'editor.minimap.enabled': false,
  'window.commandCenter': false,
  'workbench.layoutControl.enabled': false,
};

/** Draws the edge between two parts of the window to an x. */
async function dragEdge(page: Page, from: number, to: number): Promise<void> {
  await page.mouse.move(from, 600);
  await page.mouse.down();
  await page.mouse.move((from + to) / 2, 600, { steps: 4 });
  await page.mouse.move(to, 600, { steps: 4 });
  await page.mouse.up();
}

/** Goes to a line, which has this time. */
async function goToLine(page: Page, line: number, time: string): Promise<void> {
  await runCommand(page, 'IRQScope: Go to Line…');
  await typeInQuickInput(page, 'Go to Line', String(line));
  await page.keyboard.press('Enter');
  await page.locator('.part.statusbar .statusbar-item', { hasText: time }).waitFor();
}

async function widenSideBar(page: Page, width: number): Promise<void> {
  const box = (await page.locator('.part.sidebar').boundingBox()) ?? assert.fail('no side bar');
  await dragEdge(page, box.x + box.width, box.x + width);
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  const picture = shrinkPng(await page.screenshot());
  assert.ok(picture.length <= LARGEST, `${name} is too large: ${picture.length} bytes`);
  writeFileSync(path, picture);
  console.log(`${relative(root, path)}: ${Math.ceil(picture.length / 1024)} KB`);
}

/** The step that unmasks an entry: the way down to its mask bit, the value before, the line that did it. */
async function devices(page: Page): Promise<void> {
  await atStep(page, LAST);
  await goBeforeUnmask(page);
  await unfold(page, 'Devices');
  await fold(page, ['Interrupts', 'Findings']);
  await widenSideBar(page, 630);
  await expand(page, 'Devices', '00:03.0 nvme', 'MSI-X table', 'entry 0', 'control:');
  await page.keyboard.press('F10');
  await atStep(page, UNMASK.step);
  const mask = row(page, 'Devices', 'mask: 0 unmasked');
  await eventually(async () => assert.equal(await badge(mask), 'M'));
  await mask.click();
  // At its left end, so that the tooltip hides nothing of the text.
  await mask.locator('.label-name').hover({ position: { x: 4, y: 8 } });
  await page.locator('.monaco-hover', { hasText: '1 masked → 0 unmasked' }).waitFor();
  await page.waitForTimeout(1000);
  await take(page, 'devices');
}

/** Entries of two functions that are masked for seconds while others deliver, at the write that unmasks one of them. */
async function timeline(page: Page): Promise<void> {
  await goToLine(page, UNMASK_AGAIN_LINE, '1795148717.066903');
  await runCommand(page, 'View: Toggle Primary Side Bar Visibility');
  await runCommand(page, 'IRQScope: Show Timeline');
  const frame = await findWebview(page, 'canvas.overlay');
  await frame.locator('.name').first().waitFor();
  const panel = (await page.locator('.editor-group-container').last().boundingBox()) ?? assert.fail('no timeline');
  await dragEdge(page, panel.x, 600);
  const name = frame.locator('.name[data-path="device/0000:00:03.0/msix/2"]');
  await name.locator('.label').click();
  await frame.locator('canvas.overlay').focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('+');
  // Below this entry nothing happens that its tooltip would hide.
  const other = frame.locator('.name[data-path="device/0000:00:06.0/msix/4"]');
  const lane = (await other.boundingBox()) ?? assert.fail('no lane');
  await page.mouse.move(1252, lane.y + lane.height / 2);
  await page.waitForTimeout(1500);
  await take(page, 'timeline');
}

/** Two runs of a migration, at the event in which one of them loses the pending bit: lanes of both, A above B. */
async function comparison(page: Page): Promise<void> {
  await compareWithFile(page, BAD);
  await fold(page, ['Interrupts', 'Findings']);
  await widenSideBar(page, 430);
  await runCommand(page, 'IRQScope: Show Comparison in Timeline');
  const frame = await findWebview(page, 'canvas.overlay');
  await frame.locator('.name').first().waitFor();
  const panel = (await page.locator('.editor-group-container').last().boundingBox()) ?? assert.fail('no timeline');
  await dragEdge(page, panel.x, 700);
  await row(page, 'Comparison', 'First divergence').click();
  await atStep(page, 209);
  await frame.locator('canvas.overlay').focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('+');
  await page.waitForTimeout(1500);
  await take(page, 'comparison');
}

/** A window on the examples with one trace open, for some pictures. */
async function inWindow(trace: string, ...pictures: ((page: Page) => Promise<void>)[]): Promise<void> {
  const { page, stop } = await openWorkbench({
    folder: EXAMPLES,
    vsix: true,
    settings: { ...settings, 'irqscope.openOnStart': trace },
    viewport: { width: 1600, height: 1000 },
  });
  try {
    for (const picture of pictures) await picture(page);
  } finally {
    await stop();
  }
}

await main(async () => {
  mkdirSync(FOLDER, { recursive: true });
  await inWindow(EXAMPLE, devices, timeline);
  await inWindow(join(EXAMPLES, 'migration-good.irqtrace'), comparison);
  return 0;
});
