// The timeline in the real workbench: beside the text, in step with trees and caret, in all themes, and back after it was hidden.
import assert from 'node:assert/strict';
import type { Frame, Page } from 'playwright-core';
import { eventually, findWebview, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import { atStep, EXAMPLE, EXAMPLES, goBeforeUnmask, LAST, row, UNMASK, unfold } from './views.ts';

const ENTRY = 'device/0000:00:03.0/msix/0';
const THEMES = ['Dark Modern', 'Light Modern', 'Dark High Contrast', 'Light High Contrast'];

/** The page of the timeline, once its lanes are there. */
async function timeline(page: Page): Promise<Frame> {
  const frame = await findWebview(page, 'canvas.overlay');
  await frame.locator('.name').first().waitFor();
  return frame;
}

/**
 * What part of the trace is shown, in words. The page tells it some time after it was last changed: it is read when three rounds of
 * the page's own timers and frames have not changed it.
 */
async function shown(frame: Frame): Promise<string> {
  const label = await frame.evaluate(async () => {
    const read = (): string | null => document.querySelector('canvas.overlay')!.getAttribute('aria-label');
    let before = read();
    for (let calm = 0; calm < 3; ) {
      await new Promise((done) => setTimeout(done, 200));
      await new Promise((done) => requestAnimationFrame(done));
      const now = read();
      calm = now === before ? calm + 1 : 0;
      before = now;
    }
    return before;
  });
  return /, (\S+ to \S+?)(,|$)/.exec(label ?? '')?.[1] ?? assert.fail(`no range in ${label}`);
}

async function pictureBox(frame: Frame) {
  return (await frame.locator('canvas.overlay').boundingBox()) ?? assert.fail('no picture');
}

/** Middle of a lane's row on the screen. */
async function rowY(frame: Frame, path: string): Promise<number> {
  const box = (await frame.locator(`.name[data-path="${path}"]`).boundingBox()) ?? assert.fail(`no row ${path}`);
  return box.y + box.height / 2;
}

describe('timeline in the workbench', () => {
  const workbench = useWorkbench({
    folder: EXAMPLES,
    settings: { 'irqscope.openOnStart': EXAMPLE },
    viewport: { width: 1600, height: 900 },
  });

  it('comes up beside the text of the trace', async () => {
    const { page } = workbench();
    await atStep(page, LAST);
    await runCommand(page, 'IRQScope: Show Timeline');
    const frame = await timeline(page);
    await page.locator('.tab', { hasText: 'Timeline: x86-vtd-qemu.log' }).waitFor();
    assert.ok((await frame.locator('.name:visible').count()) > 15);
    const [text, picture] = await Promise.all([
      page.locator('.editor-group-container .monaco-editor').first().boundingBox(),
      pictureBox(frame),
    ]);
    assert.ok(picture.x >= text!.x + text!.width, 'the text stays in sight');
    await page.waitForTimeout(500);
    await screenshot(page, 'timeline');
  });

  it('moves the cursor of all views by a click', async () => {
    const { page } = workbench();
    const frame = await timeline(page);
    await goBeforeUnmask(page);
    await eventually(async () => assert.match(await frame.locator('.cursor-event').innerText(), /^1795148664\.\d{6}/));
    // The cursor is in sight: zoomed in around it, the unmask is the next event of the entry.
    await frame.locator(`.name[data-path="${ENTRY}"] .label`).click();
    await frame.locator('canvas.overlay').focus();
    for (let i = 0; i < 26; i++) await page.keyboard.press('+');
    await page.keyboard.press('Control+ArrowRight');
    await atStep(page, UNMASK.step);
    await screenshot(page, 'timeline zoomed in');
    const before = await frame.locator('.cursor-event').innerText();
    assert.match(
      before,
      /^1795148664\.565645\s+tbl\.write device\/0000:00:03\.0\/msix\/0 offset=0xc size=4 value=0x0$/,
    );
    const box = await pictureBox(frame);
    await page.keyboard.press('f');
    await shown(frame);
    await page.mouse.click(box.x + box.width * 0.9, await rowY(frame, ENTRY));
    await eventually(async () => assert.notEqual(await frame.locator('.cursor-event').innerText(), before));
    const event = await frame.locator('.cursor-event').innerText();
    assert.match(event, /device\/0000:00:03\.0\/msix\/0/);
    const time = /^\S+/.exec(event)![0];
    await page.locator('.part.statusbar').getByText(time).waitFor();
    // The line of that event is the one that the caret is on. The caret follows a moment after the views.
    const caret = page.locator('.editor-group-container .monaco-editor .current-line').first();
    const lines = page.locator('.editor-group-container .view-line');
    await eventually(async () => {
      const lineY = (await caret.boundingBox())!.y;
      const texts = await lines.evaluateAll(
        (all, y) =>
          all.filter((line) => Math.abs(line.getBoundingClientRect().y - y) < 4).map((line) => line.textContent),
        lineY,
      );
      assert.ok(
        texts.some((text) => text?.includes(time)),
        `${time} is not in ${texts}`,
      );
    });
  });

  it('follows the cursor when it is moved elsewhere', async () => {
    const { page } = workbench();
    const frame = await timeline(page);
    const before = await frame.locator('.cursor-event').innerText();
    await runCommand(page, 'IRQScope: Step');
    await eventually(async () => assert.notEqual(await frame.locator('.cursor-event').innerText(), before));
    // Forward and back by keys; the picture has no context menu.
    await frame.locator('canvas.overlay').focus();
    await page.keyboard.press('F10');
    await page.keyboard.press('Control+F10');
    await page.keyboard.press('Control+F10');
    await page.keyboard.press('Shift+F10');
    await eventually(async () => assert.equal(await frame.locator('.cursor-event').innerText(), before));
    await page.waitForTimeout(500);
    assert.equal(await page.locator('.context-view .monaco-menu').count(), 0);
    await unfold(page, 'CPUs');
    await row(page, 'CPUs', 'vCPU 1').click();
    await eventually(async () =>
      assert.equal(await frame.locator('.name.focused').getAttribute('data-path'), 'vcpu/1'),
    );
  });

  it('pans when it is dragged', async () => {
    const { page } = workbench();
    const frame = await timeline(page);
    const box = await pictureBox(frame);
    await page.mouse.move(box.x + box.width / 2, box.y + 100);
    for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -200);
    const before = await shown(frame);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 - 150, box.y + 120, { steps: 6 });
    await page.mouse.up();
    const after = await shown(frame);
    const start = (range: string): number => Number(range.split(' ')[0]);
    assert.ok(start(after) > start(before), `${before} is not before ${after}`);
  });

  it('comes back as it was after another editor covered it', async () => {
    const { page } = workbench();
    const frame = await timeline(page);
    const before = await shown(frame);
    await frame.locator('canvas.overlay').focus();
    await runCommand(page, 'File: New Untitled Text File');
    await eventually(async () => assert.equal(await page.locator('.tab.active', { hasText: 'Untitled' }).count(), 1));
    await page.locator('.tab', { hasText: 'Timeline: x86-vtd-qemu.log' }).click();
    const back = await timeline(page);
    await eventually(async () => assert.equal(await shown(back), before));
  });

  for (const theme of THEMES) {
    it(`suits the theme ${theme}`, async () => {
      const { page } = workbench();
      const frame = await timeline(page);
      await runCommand(page, 'Preferences: Color Theme');
      await typeInQuickInput(page, null, theme);
      await page.locator('.quick-input-widget .monaco-list-row', { hasText: theme }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      const light = theme.startsWith('Light');
      await eventually(async () => {
        // The colour of the picture is the background of the editor beside it.
        const background = await frame.evaluate(() => {
          const canvas = document.querySelector<HTMLCanvasElement>('canvas.lanes-picture')!;
          const [r, g, b] = canvas.getContext('2d')!.getImageData(canvas.width - 3, canvas.height - 3, 1, 1).data;
          return [r, g, b];
        });
        const expected = await frame.evaluate(() => {
          const g = document.createElement('canvas').getContext('2d')!;
          g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background');
          g.fillRect(0, 0, 1, 1);
          return [...g.getImageData(0, 0, 1, 1).data].slice(0, 3);
        });
        assert.equal(expected[0]! > 128, light, `${theme}: ${expected}`);
        assert.ok(
          background.every((part, i) => Math.abs(part! - expected[i]!) < 40),
          `${background} is not ${expected}`,
        );
      });
      await screenshot(page, `timeline ${theme}`);
    });
  }

  it('raises no error', () => {
    assert.deepEqual(
      workbench().errors.filter((error) => /timeline|irqscope/i.test(error)),
      [],
    );
  });
});
