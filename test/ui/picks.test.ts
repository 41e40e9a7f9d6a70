// Questions with lists, answered by typing: the row that fits is the one that Enter takes.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import { row, unfold } from './views.ts';

const WIDGET = '.quick-input-widget';

/** Runs a command that asks, types, and waits until the row with this label is the selected one. */
async function typeInto(page: Page, command: string, text: string, label: string): Promise<void> {
  await runCommand(page, command);
  await typeInQuickInput(page, /Start Simulation|Run to/, text);
  const selected = page.locator(`${WIDGET} .monaco-list-row.focused .label-name`);
  await eventually(async () => assert.equal(await selected.first().innerText(), label));
}

describe('lists to choose from', () => {
  const workbench = useWorkbench();

  it('start the scenario whose id was typed', async () => {
    const { page } = workbench();
    await typeInto(page, 'IRQScope: Start Simulation…', 'affinity-move', 'Affinity: a vector moves between CPUs');
    await page.keyboard.press('Enter');
    await page.locator(`${WIDGET} .quick-input-title`, { hasText: 'Seed' }).waitFor();
    await page.keyboard.press('Enter');
    await unfold(page, 'Traces');
    await row(page, 'Traces', 'Affinity: a vector moves between CPUs').waitFor();
  });

  it('select the scenario that is running', async () => {
    const { page } = workbench();
    await typeInto(page, 'IRQScope: Start Simulation…', '', 'Affinity: a vector moves between CPUs');
    await screenshot(page, 'scenarios to choose from');
    await page.keyboard.press('Escape');
  });

  it('offer scenarios to plant faults in last, under a separator, also while text is typed', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Start Simulation…');
    await typeInQuickInput(page, 'Start Simulation', 'xen');
    const rows = page.locator(`${WIDGET} .monaco-list-row`);
    await eventually(async () => {
      const ids = await rows.locator('.label-description').allInnerTexts();
      const last = ids.findIndex((id) => id.endsWith('-faults'));
      assert.ok(last > 0, ids.join(' '));
      assert.ok(
        ids.slice(last).every((id) => id.endsWith('-faults')),
        ids.join(' '),
      );
      const separators = await rows.nth(last).locator('.quick-input-list-separator').allInnerTexts();
      assert.deepEqual(separators, ['To plant faults in']);
    });
    await screenshot(page, 'scenarios to plant faults in');
    await page.keyboard.press('Escape');
  });

  it('offer the policies that the running scenario can feel first', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Change Policy…');
    const rows = page.locator(`${WIDGET} .monaco-list-row`);
    await page.locator(`${WIDGET} .quick-input-title`, { hasText: 'Change Policy' }).waitFor();
    await rows.filter({ hasText: 'ntbPublish' }).waitFor();
    const labels = await rows.locator('.quick-input-list-row:first-child .label-name').allInnerTexts();
    // Nothing of that scenario is a virtual machine or a remapping unit.
    assert.deepEqual(labels.slice(0, 4), ['affinityStrategy', 'vectorCleanup', 'kernel.era', 'fault']);
    const separator = rows.locator('.quick-input-list-separator', { hasText: 'no effect in this scenario' });
    assert.equal(await separator.count(), 1);
    await screenshot(page, 'policies to choose from');
    await typeInQuickInput(page, 'Change Policy', 'qwordSplit');
    await eventually(async () => assert.match(await rows.first().innerText(), /scenario \S+ shows it/));
    await page.keyboard.press('Escape');
  });

  it('offer the kinds of events with their counts, and go to the one that was typed', async () => {
    const { page } = workbench();
    await typeInto(page, 'IRQScope: Run to…', 'dev.raise', 'dev.raise');
    await page.keyboard.press('Enter');
    await page.locator('.part.statusbar .statusbar-item', { hasText: /step [\d,]+ of/ }).waitFor();
    await typeInto(page, 'IRQScope: Run to…', 'dev.raise', 'dev.raise');
    const description = page.locator(`${WIDGET} .monaco-list-row.focused .label-description`);
    assert.match(await description.first().innerText(), /^1 event, none ahead/);
    await screenshot(page, 'kinds to run to');
    await page.keyboard.press('Escape');
  });

  it('go on with a filter while it is typed, say what is wrong with it, and go to the event that fits', async () => {
    const { page } = workbench();
    const widget = page.locator(WIDGET);
    const selected = widget.locator('.monaco-list-row.focused .label-name');
    const shows = (label: string): Promise<void> =>
      eventually(async () => assert.equal(await selected.first().innerText(), label));
    const first = page.locator('.part.statusbar .statusbar-item', { hasText: /step 0 of/ });
    await runCommand(page, 'IRQScope: Go to First Event');
    await first.waitFor();
    await runCommand(page, 'IRQScope: Run to…');
    await typeInQuickInput(page, 'Run to…', 'An event that');
    await shows('An event that fits…');
    await page.keyboard.press('Enter');
    const input = widget.locator('input.input, .quick-input-filter input').first();
    await eventually(async () => assert.match((await input.getAttribute('placeholder')) ?? '', /msix\.write/));
    await typeInQuickInput(page, 'Run to', 'kin');
    await shows('kind');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal(await input.inputValue(), 'kind '));
    await typeInQuickInput(page, 'Run to', '== sned', 'kind ');
    await eventually(async () =>
      assert.match((await widget.innerText()).replaceAll(/\s+/g, ' '), /no event kind sned; did you mean send/),
    );
    for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
    await typeInQuickInput(page, 'Run to', 'send && entry.sends == 1', 'kind == ');
    await eventually(async () =>
      assert.match(await selected.first().innerText(), /Run to kind == send && entry\.sends == 1/),
    );
    await screenshot(page, 'a filter that is typed');
    await page.keyboard.press('Enter');
    await first.waitFor({ state: 'detached' });
  });

  it('Run to What Goes Wrong Next says what it looked for', async () => {
    const { page } = workbench();
    await runCommand(page, 'IRQScope: Run to What Goes Wrong Next');
    // A toast goes away by itself; the list of notifications keeps it.
    const toast = page.locator('.notifications-center .notification-list-item', { hasText: 'Nothing goes wrong' });
    await eventually(async () => {
      await runCommand(page, 'Notifications: Show Notifications');
      await page.waitForTimeout(500);
      assert.equal(await toast.count(), 1, (await page.locator('.notification-list-item').allInnerTexts()).join(' | '));
    }, 10_000);
    assert.match(await toast.innerText(), /looked for a drop[\s\S]*never sent[\s\S]*never taken/);
  });

  it('ask for an operation, its object and its arguments, and say what came of it', async () => {
    const { page } = workbench();
    const widget = page.locator(WIDGET);
    const titled = (text: string) => widget.locator('.quick-input-title', { hasText: text }).waitFor();
    const choose = async (text: string): Promise<void> => {
      await runCommand(page, 'IRQScope: Inject Operation…');
      await typeInQuickInput(page, 'Inject Operation', text);
      await eventually(async () =>
        assert.match(await widget.locator('.monaco-list-row.focused').innerText(), new RegExp(text)),
      );
      await page.keyboard.press('Enter');
    };
    // Escape closes notifications first.
    await runCommand(page, 'Notifications: Hide Notifications');
    await runCommand(page, 'IRQScope: Run All');
    const status = page.locator('.part.statusbar .statusbar-item', { hasText: /step [\d,]+ of [\d,]+ / });
    await status.waitFor();
    // The run is over: no further event can be made.
    await eventually(async () => assert.doesNotMatch(await status.innerText(), /of [\d,]+\+/));
    // Half way: the object was chosen, then Escape.
    await choose('device.write');
    await titled('Write to memory: Object');
    await page.keyboard.press('Enter');
    await titled('Write to memory: address');
    await eventually(async () => assert.match(await widget.innerText(), /from 0x0 to 0x1fffffffffffff/));
    await typeInQuickInput(page, 'Write to memory: address', '12q');
    await eventually(async () => assert.match(await widget.innerText(), /This is no hexadecimal number/));
    await page.keyboard.press('Enter');
    await titled('Write to memory: address');
    await page.keyboard.press('Escape');
    await widget.waitFor({ state: 'hidden' });
    // irqbalance finds nothing to move.
    await choose('irq.balance');
    await page.locator('.part.statusbar').getByText('Irq.balance made no event yet').waitFor();
    // The function has no MSI: the system refuses.
    await choose('msi.alloc');
    await titled('Allocate the MSI: Object');
    await page.keyboard.press('Enter');
    const refused = page.locator('.notification-list-item', { hasText: 'has no MSI capability' });
    await eventually(async () => {
      await runCommand(page, 'Notifications: Show Notifications');
      assert.ok((await refused.count()) > 0);
    });
    await page.keyboard.press('Escape');
  });
});
