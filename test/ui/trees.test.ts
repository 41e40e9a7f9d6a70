// A user with mouse and keyboard: opens the example capture, looks down to a mask bit, steps across its unmask.
import assert from 'node:assert/strict';
import { patient } from '../../scripts/test/patience.ts';
import { eventually, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import {
  atStep,
  badge,
  chooseFrom,
  EXAMPLE,
  EXAMPLES,
  expand,
  fold,
  goBeforeUnmask,
  highlighted,
  LAST,
  row,
  select,
  TALL,
  UNMASK,
  unfold,
  view,
} from './views.ts';

describe('views of a trace', () => {
  const workbench = useWorkbench({ folder: EXAMPLES, viewport: TALL });

  it('invite to open a trace', async () => {
    const { page } = workbench();
    await page.locator('.activitybar .action-label[aria-label^="IRQScope"]').click();
    for (const button of ['Open Trace…', 'Start Simulation…'])
      await view(page, 'Interrupts').locator('.welcome-view-content').getByText(button).waitFor();
    await unfold(page, 'Domains', 'Devices', 'CPUs');
    for (const title of ['Domains', 'Devices', 'CPUs'])
      await view(page, title).locator('.welcome-view-content').getByText('Open').first().waitFor();
    assert.equal(await page.locator('.part.statusbar').getByText('step').count(), 0);
    await screenshot(page, 'views without trace');
  });

  it('open it from the explorer', async () => {
    const { page } = workbench();
    await runCommand(page, 'View: Show Explorer');
    const file = page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'x86-vtd-qemu.log' });
    await chooseFrom(page, file, 'Open Trace…');
    await atStep(page, LAST);
    await unfold(page, 'Traces');
    await row(page, 'Devices', '00:03.0 nvme').waitFor();
    await row(page, 'Domains', 'Interrupt remapping 0').waitFor();
    await row(page, 'CPUs', 'vCPU 0').waitFor();
    await row(page, 'Traces', 'x86-vtd-qemu.log').waitFor();
    await page.locator('.tab', { hasText: 'x86-vtd-qemu.log' }).waitFor();
    await page.locator('.part.statusbar').getByText('QEMU Trace Log').waitFor();
    await screenshot(page, 'views with trace');
    await fold(page, ['Interrupts', 'Findings', 'Traces', 'Domains', 'CPUs']);
  });

  it('tell that the keys for the events of an object need one', async () => {
    const { page } = workbench();
    await page.locator('.monaco-editor .view-line', { hasText: '1795148743.626864' }).click();
    // The key belongs to the trace once the extension has heard that its text is active: a busy workbench takes a moment for that.
    const told = page.locator('.part.statusbar').getByText('No object is selected.');
    await eventually(async () => {
      await page.keyboard.press('Alt+.');
      await told.waitFor({ timeout: patient(1000) });
    });
  });

  it('lead from a function down to the mask bit of an entry', async () => {
    const { page } = workbench();
    await goBeforeUnmask(page);
    await expand(page, 'Devices', '00:03.0 nvme', 'MSI-X table', 'entry 0', 'control:');
    await row(page, 'Devices', 'mask: 1 masked').waitFor();
    assert.equal(await badge(row(page, 'Devices', 'mask: 1 masked')), '');
    await screenshot(page, 'mask bit before');
  });

  it('show what a step changed: badge, highlighted value, value before', async () => {
    const { page } = workbench();
    await page.keyboard.press('F10');
    await atStep(page, UNMASK.step);
    const mask = row(page, 'Devices', 'mask: 0 unmasked');
    await mask.waitFor();
    await eventually(async () => assert.equal(await badge(mask), 'M'));
    assert.equal(await highlighted(mask), '0 unmasked');
    assert.equal(await mask.locator('.label-description').innerText(), 'was 1 masked');
    const entry = row(page, 'Devices', 'entry 0');
    assert.equal(await badge(entry), 'M');
    assert.match(await entry.innerText(), /0xfee00298 \/ 0x0 {1,2}unmasked/);
    assert.match((await entry.getAttribute('aria-label')) ?? '', /unmasked.*changed/);
    await screenshot(page, 'mask bit after');
  });

  it('explain a field in its tooltip', async () => {
    const { page } = workbench();
    await row(page, 'Devices', 'mask: 0 unmasked').hover();
    const tooltip = page.locator('.monaco-hover', { hasText: 'bit 0, read/write' });
    await tooltip.waitFor();
    assert.match(await tooltip.innerText(), /1 masked → 0 unmasked[\s\S]*PCIe Base/);
    await screenshot(page, 'tooltip of the mask bit');
    await page.mouse.move(700, 500);
    await tooltip.waitFor({ state: 'hidden' });
  });

  it('forget the mark with the next step, and step back by keys', async () => {
    const { page } = workbench();
    await page.keyboard.press('F10');
    await atStep(page, UNMASK.step + 1);
    await eventually(async () => assert.equal(await badge(row(page, 'Devices', 'mask: 0 unmasked')), ''));
    await page.keyboard.press('Control+F10');
    await page.keyboard.press('Control+F10');
    await atStep(page, UNMASK.step - 1);
    await row(page, 'Devices', 'mask: 1 masked').waitFor();
  });

  it('show only what changed, on demand', async () => {
    const { page } = workbench();
    await page.keyboard.press('F10');
    await atStep(page, UNMASK.step);
    await row(page, 'Devices', 'mask: 0 unmasked').click();
    await view(page, 'Devices').locator('.action-label[aria-label^="Toggle Unchanged"]').click();
    await eventually(async () => assert.equal(await row(page, 'Devices', '00:00.0 mch').count(), 0));
    await row(page, 'Devices', 'mask: 0 unmasked').waitFor();
    await fold(page, ['CPUs'], false);
    await view(page, 'CPUs').getByText('This step changed nothing here.').waitFor();
    await fold(page, ['CPUs']);
    await screenshot(page, 'only what changed');
    await runCommand(page, 'IRQScope: Toggle Unchanged');
    await row(page, 'Devices', '00:00.0 mch').waitFor();
  });

  it('list the history of a field and go to a write of it', async () => {
    const { page } = workbench();
    await chooseFrom(page, row(page, 'Devices', 'mask: 0 unmasked'), 'Show History');
    const picks = page.locator('.quick-input-widget .monaco-list-row');
    await picks.filter({ hasText: '1 masked → 0 unmasked' }).first().waitFor();
    await screenshot(page, 'history of the mask bit');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await row(page, 'Devices', 'mask: 1 masked').waitFor();
    assert.equal(await badge(row(page, 'Devices', 'mask: 1 masked')), 'M');
  });

  it('list the history of an object without counters and computed keys, until asked', async () => {
    const { page } = workbench();
    const picks = page.locator('.quick-input-widget .monaco-list-row');
    const more = picks.filter({ hasText: 'Show Counters and Computed Keys Too' });
    await chooseFrom(page, row(page, 'Devices', 'entry 0'), 'Show History');
    await picks.filter({ hasText: 'control: ' }).first().waitFor();
    // The upper half of the address is written first; the lower half is not known yet.
    await picks.filter({ hasText: 'address: ?, a part became known' }).first().waitFor();
    await typeInQuickInput(page, null, 'effectivelyMasked');
    await eventually(async () => assert.equal(await picks.count(), 1));
    await more.click();
    await picks.filter({ hasText: 'effectivelyMasked: ' }).first().waitFor();
    assert.equal(await more.count(), 0);
    await page.keyboard.press('Escape');
  });

  it('go to the events of the selected object by keys', async () => {
    const { page } = workbench();
    await goBeforeUnmask(page);
    await select(row(page, 'Devices', 'mask:'));
    await page.keyboard.press('Alt+.');
    await atStep(page, UNMASK.step);
    await page.keyboard.press('Alt+,');
    await atStep(page, UNMASK.step - 2);
    await page.keyboard.press('Control+End');
    await atStep(page, LAST);
    await page.keyboard.press('Control+Home');
    await atStep(page, 0);
    // At the first event there is no function yet; what was expanded is so again when it comes back.
    await view(page, 'Devices').getByText('Up to this step').waitFor();
    await goBeforeUnmask(page);
    await row(page, 'Devices', 'mask: 1 masked').waitFor();
  });

  it('reveal the line that wrote a value', async () => {
    const { page } = workbench();
    await goBeforeUnmask(page);
    await page.keyboard.press('F10');
    await atStep(page, UNMASK.step);
    await chooseFrom(page, row(page, 'Devices', 'mask:'), 'Reveal the Line That Wrote This');
    await page.locator('.part.statusbar').getByText(`Ln ${UNMASK.line}`).waitFor();
    await eventually(async () =>
      assert.equal(await page.evaluate(() => document.activeElement?.closest('.editor-instance') !== null), true),
    );
  });

  it('stay in step with the text', async () => {
    const { page } = workbench();
    // The caret of the text, moved by keys.
    await page.keyboard.press('ArrowUp');
    await atStep(page, UNMASK.step - 1);
    await row(page, 'Devices', 'mask: 1 masked').waitFor();
    await page.keyboard.press('ArrowDown');
    await atStep(page, UNMASK.step);
    // And by the mouse.
    await page.locator('.monaco-editor .view-line', { hasText: '1795148664.565611' }).click();
    await atStep(page, UNMASK.step - 2);
    await page.keyboard.press('Control+F10');
    await atStep(page, UNMASK.step - 3);
    // Shift+F10 opens the context menu, as everywhere.
    await page.keyboard.press('Shift+F10');
    const menu = page.locator('.context-view .monaco-menu');
    await menu.waitFor();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    await atStep(page, UNMASK.step - 3);
    const line = page.locator('.monaco-editor .margin-view-overlays .active-line-number');
    await eventually(async () => assert.equal(await line.innerText(), String(UNMASK.line - 3)));
    await screenshot(page, 'text in step');
  });

  it('leave the keys to other editors', async () => {
    const { page } = workbench();
    await runCommand(page, 'File: New Untitled Text File');
    await page.locator('.tab.active', { hasText: 'Untitled' }).waitFor();
    await page.locator('.editor-instance .monaco-editor.focused').waitFor();
    // The extension hears of the new editor a moment after it is there, and only then sets the condition of its keys.
    await page.waitForTimeout(1000);
    for (const key of ['F10', 'F10', 'Control+F10', 'Alt+.']) await page.keyboard.press(key);
    await page.waitForTimeout(500);
    await atStep(page, UNMASK.step - 3);
    await runCommand(page, 'View: Close Editor');
    await page.locator('.tab', { hasText: 'Untitled' }).waitFor({ state: 'detached' });
  });

  it('follow a held key', async () => {
    const { page } = workbench();
    const before = UNMASK.step - 3;
    await row(page, 'Devices', 'mask:').click();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.down('F10');
      await page.waitForTimeout(30);
    }
    await page.keyboard.up('F10');
    await atStep(page, before + 60);
  });

  it('close the trace', async () => {
    const { page, errors } = workbench();
    await runCommand(page, 'IRQScope: Close Trace');
    await view(page, 'Devices').locator('.welcome-view-content').getByText('Open').first().waitFor();
    await eventually(async () => assert.equal(await page.locator('.part.statusbar').getByText('step').count(), 0));
    assert.deepEqual(
      errors.filter((error) => /irqscope|\brows?\b|tree/i.test(error)),
      [],
    );
  });
});

for (const theme of ['Default Light Modern', 'Default High Contrast', 'Default High Contrast Light']) {
  describe(`views in ${theme}`, () => {
    const settings = { 'workbench.colorTheme': theme, 'irqscope.openOnStart': EXAMPLE };
    const workbench = useWorkbench({ folder: EXAMPLES, settings, viewport: TALL });

    it('show what a step changed', async () => {
      const { page } = workbench();
      await atStep(page, LAST);
      await goBeforeUnmask(page);
      await unfold(page, 'Devices');
      await fold(page, ['Interrupts', 'Findings']);
      await expand(page, 'Devices', '00:03.0 nvme', 'MSI-X table', 'entry 0', 'control:');
      await page.keyboard.press('F10');
      const mask = row(page, 'Devices', 'mask: 0 unmasked');
      await eventually(async () => assert.equal(await badge(mask), 'M'));
      await screenshot(page, `mask bit in ${theme}`);
    });
  });
}

describe('views of the packaged extension', () => {
  for (const [where, folder] of [
    ['in Restricted Mode', EXAMPLES],
    ['in a window without folder', 'none'],
  ] as const) {
    describe(where, () => {
      const settings = { 'irqscope.openOnStart': EXAMPLE };
      const workbench = useWorkbench({ vsix: true, trust: true, folder, settings, viewport: TALL });

      it('show the trace', async () => {
        const { page } = workbench();
        if (folder !== 'none') await page.locator('.part.statusbar').getByText('Restricted Mode').waitFor();
        await atStep(page, LAST);
        await goBeforeUnmask(page);
        await unfold(page, 'Devices');
        await fold(page, ['Interrupts', 'Findings']);
        await expand(page, 'Devices', '00:03.0 nvme', 'MSI-X table');
        await row(page, 'Devices', 'entry 0').waitFor();
        await screenshot(page, `views ${where}`);
      });
    });
  }
});
