// Traces of several sources in the real workbench: from the explorer, in the view Traces, and in the editor of files that are no text.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialog, Frame, Page } from 'playwright-core';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { eventually, findWebview, runCommand, screenshot, typeInQuickInput, useWorkbench } from '../helpers/host.ts';
import { chooseFrom, expand, fold, row, select, TALL, unfold } from './views.ts';

const folder = mkdtempSync(join(tmpdir(), 'irqscope-ui-sources-'));
mkdirSync(join(folder, 'run'));
writeFileSync(join(folder, 'run/kernel.txt'), fixtureBytes('x86-vtd/ftrace.txt'));
writeFileSync(join(folder, 'run/machine.log'), fixtureBytes('x86-vtd/qemu.log'));
writeFileSync(join(folder, 'trace.dat'), fixtureBytes('x86-vtd/trace.dat'));

async function events(page: Page): Promise<Frame> {
  const frame = await findWebview(page, '.grid[role=grid]');
  // A row shows dots until its event is there.
  await frame
    .locator('.view .row .kind', { hasText: /\w\.\w/ })
    .first()
    .waitFor();
  return frame;
}

/**
 * What the workbench has written down of its editors. A workbench in a browser writes its state every 5 seconds, when it has nothing else to do;
 * while its window closes it writes nothing.
 */
const writtenEditors = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    let written = '';
    for (const { name } of await indexedDB.databases()) {
      if (!name?.startsWith('vscode-web-state-db-')) continue;
      const database = await result(indexedDB.open(name));
      const items = database.transaction('ItemTable').objectStore('ItemTable');
      written += (await result(items.get('memento/workbench.parts.editor'))) ?? '';
      database.close();
    }
    return written;
  });

/**
 * Reloads the window when the workbench has written down that the editor of a file is open: one that it has not written down does not come back.
 * While other state is not written yet, the workbench asks whether the reload is meant.
 */
async function reload(page: Page, name: string): Promise<void> {
  await eventually(async () => assert.match(await writtenEditors(page), new RegExp(`/${name}\\W`)), 20_000);
  const accept = (dialog: Dialog): void => void dialog.accept();
  page.on('dialog', accept);
  await page.reload();
  page.off('dialog', accept);
}

const tab = (page: Page, name: string) => page.locator('.tabs-container .tab', { hasText: name });

describe('several sources in the workbench', () => {
  const workbench = useWorkbench({ folder, viewport: TALL });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('a folder of the explorer opens as one trace, with the list of its events', async () => {
    const { page } = workbench();
    await page.locator('.activitybar .action-label[aria-label^="IRQScope"]').waitFor();
    await runCommand(page, 'View: Show Explorer');
    const there = page.locator('.explorer-folders-view .monaco-list-row', { hasText: /^run$/ });
    await chooseFrom(page, there, 'Open Folder as Trace…');
    await events(page);
    await tab(page, 'run').waitFor();
  });

  it('the view Traces lists its sources, and a pair of events leads to its step', async () => {
    const { page } = workbench();
    await fold(page, ['Interrupts', 'Findings']);
    await unfold(page, 'Traces');
    await row(page, 'Traces', 'run').waitFor();
    await expand(page, 'Traces', 'Sources', 'run/machine.log', 'Clock offset');
    await row(page, 'Traces', 'System').waitFor();
    const pair = row(page, 'Traces', 'steps ');
    const step = /steps ([\d,]+) and/.exec(await pair.innerText())![1]!;
    await select(pair);
    const item = page.locator('.part.statusbar .statusbar-item', { hasText: /step [\d,]+ of/ });
    await eventually(async () =>
      assert.match((await item.innerText()).replaceAll(',', ''), new RegExp(`step ${step.replaceAll(',', '')} of`)),
    );
    await events(page);
    await page.waitForTimeout(500);
    await screenshot(page, 'sources of a trace');
  });

  it('a system is set from the menu of its row', async () => {
    const { page } = workbench();
    await chooseFrom(page, row(page, 'Traces', 'run/machine.log'), 'Set System…');
    await typeInQuickInput(page, 'Set System', 'board');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.match(await row(page, 'Traces', 'run/machine.log').innerText(), /board/));
  });

  it('the folder is there again after a reload', async () => {
    const { page } = workbench();
    await reload(page, 'run');
    await tab(page, 'run').waitFor();
    const frame = await events(page);
    await frame.locator('.total', { hasText: '47,179 events' }).waitFor();
  });

  it('trace.dat opens from the explorer as the list of its events, and is there again after a reload', async () => {
    const { page } = workbench();
    await runCommand(page, 'View: Close All Editors');
    await runCommand(page, 'View: Show Explorer');
    await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'trace.dat' }).dblclick();
    await events(page);
    await tab(page, 'trace.dat').waitFor();
    // The keys step there, too: in the editor, which is a webview of its own.
    await (await events(page)).locator('.grid').focus();
    await page.keyboard.press('Home');
    const item = page.locator('.part.statusbar .statusbar-item', { hasText: /step [\d,]+ of/ });
    await eventually(async () => assert.match(await item.innerText(), /step 0 of/));
    await page.keyboard.press('F10');
    await eventually(async () => assert.match(await item.innerText(), /step 1 of/));
    await page.keyboard.press('Control+F10');
    await eventually(async () => assert.match(await item.innerText(), /step 0 of/));
    await reload(page, 'trace.dat');
    await tab(page, 'trace.dat').waitFor();
    const frame = await events(page);
    await frame.locator('.total', { hasText: '9,878 events' }).waitFor();
    await page.waitForTimeout(500);
    await screenshot(page, 'trace.dat in its editor');
  });
});
