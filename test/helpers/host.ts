// A real VS Code for tests that look at it as a user does: the embedded editor in a browser, driven by playwright-core.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, errors, type Frame, type Page } from 'playwright-core';
import { build } from '../../scripts/build.ts';
import { launchBrowser } from '../../scripts/host/browser.ts';
import { type EditorServer, startServer } from '../../scripts/host/server.ts';
import { makePackage } from '../../scripts/package.ts';
import { results, root } from '../../scripts/paths.ts';
import { faultsIn, hostLog } from '../../scripts/test/host-log.ts';
import { patient } from '../../scripts/test/patience.ts';

export interface WorkbenchOptions {
  /** The folder to open: a path, or 'none' for a window without folder. Default: an empty temporary folder. */
  folder?: string;
  /** Test the packaged extension, installed, in a plain window; by default the checkout runs as extension under development. */
  vsix?: boolean;
  /** Run the extension under development in the web extension host, a worker in the browser: its browser bundle, without Node. */
  web?: boolean;
  /** Leave workspace trust on, so that a folder opens in Restricted Mode until it is trusted. */
  trust?: boolean;
  settings?: Record<string, unknown>;
  viewport?: { width: number; height: number };
}

export interface Workbench {
  page: Page;
  server: EditorServer;
  /** Errors that the page and its webviews threw or logged, without the editor's own complaints about absent networks. */
  errors: string[];
  stop(): Promise<void>;
}

/** The payload names the kind too, but this build of the workbench goes by the setting. */
const IN_WEB_HOST = { 'remote.extensionKind': { 'irqscope.irqscope': ['web'] } };

const READY_TIMEOUT = 60_000;

/** Starts a server and a browser and waits until the workbench has its extension host. */
export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  const temporary = mkdtempSync(join(tmpdir(), 'irqscope-ui-'));
  let server: EditorServer | undefined;
  let browser: Browser | undefined;
  const stop = async (): Promise<void> => {
    await browser?.close();
    await server?.stop();
    rmSync(temporary, { recursive: true, force: true });
  };
  try {
    await build();
    const vsix = options.vsix ? join(temporary, 'extension.vsix') : undefined;
    if (vsix) await makePackage(vsix);
    server = await startServer({
      trust: options.trust ?? false,
      settings: { ...(options.web ? IN_WEB_HOST : {}), ...options.settings },
      ...(vsix ? { vsix } : {}),
    });
    browser = await launchBrowser();
    const page = await browser.newPage({ viewport: options.viewport ?? { width: 1400, height: 900 } });
    const errors = collectErrors(page);
    const folder = options.folder ?? join(temporary, 'workspace');
    if (options.folder === undefined) mkdirSync(folder);
    await page.goto(
      server.url({
        ...(folder === 'none' ? {} : { folder }),
        ...(vsix === undefined ? { extension: root } : {}),
        ...(options.web ? { payload: [['extensionDevelopmentKind', 'web']] } : {}),
      }),
    );
    await waitForWorkbench(page);
    return { page, server, errors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * For a describe block: one workbench for all its tests, and a screenshot of each failure in test-results/.
 * The returned function gives the workbench inside a test.
 */
export function useWorkbench(options: WorkbenchOptions = {}): () => Workbench {
  let workbench: Workbench | undefined;
  const get = (): Workbench => workbench ?? assert.fail('the workbench is there only inside a test');
  before('open the workbench', async function () {
    this.timeout(180_000);
    workbench = await openWorkbench(options);
  });
  afterEach('picture of a failure', async function () {
    const test = this.currentTest;
    if (test?.state === 'failed' && workbench) {
      console.log(`      ${await screenshot(workbench.page, `failed ${test.titlePath().join(' ')}`)}`);
    }
  });
  after('close the workbench', async () => {
    const faults = workbench ? faultsIn(hostLog(workbench.server.dataDir)) : [];
    await workbench?.stop();
    assert.deepEqual(faults, [], 'the log of the extension host');
  });
  return get;
}

function collectErrors(page: Page): string[] {
  const errors: string[] = [];
  const harmless =
    /ERR_NAME_NOT_RESOLVED|ENOTFOUND|404 \(Not Found\)|ServiceWorker|Service Worker|\.open-vsx|marketplace|authentication provider/i;
  page.on('console', (message) => {
    if (message.type() === 'error' && !harmless.test(message.text())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return errors;
}

/** Waits until the workbench has settled: the counter of problems comes last, when the extensions are being started. */
export async function waitForWorkbench(page: Page): Promise<void> {
  await page.locator('.monaco-workbench .part.activitybar').waitFor({ timeout: patient(READY_TIMEOUT) });
  await page
    .locator('.monaco-workbench .part.statusbar [id="status.problems"]')
    .waitFor({ timeout: patient(READY_TIMEOUT) });
}

const PALETTE_ROW = '.quick-input-widget .monaco-list-row';

/**
 * Opens the command palette with this text in it. False when it closed again before the text stood there, as it does when
 * something else in the window takes the focus: a user presses F1 again then.
 */
async function openPalette(page: Page, text: string): Promise<boolean> {
  const timeout = patient(3000);
  try {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input[type="text"]');
    await input.waitFor({ state: 'visible', timeout });
    await input.fill(`>${text}`, { timeout });
    await page.locator(PALETTE_ROW).first().waitFor({ timeout });
    return true;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}

/** Opens the palette again until it lists something: an open palette does not show commands that are added later. */
async function openPaletteUntil<T>(
  page: Page,
  text: string,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + patient(15_000);
  for (;;) {
    const opened = await openPalette(page, text);
    for (let tries = 0; opened && tries < 10; tries++) {
      const found = await find();
      if (found !== undefined) return found;
      await page.waitForTimeout(100);
    }
    if (Date.now() > deadline) return undefined;
    await page.keyboard.press('Escape');
  }
}

function shownTitles(page: Page): Promise<string[]> {
  return page.locator(`${PALETTE_ROW} .label-name`).allInnerTexts();
}

/** The titles beginning with a text that the palette offers for it; none when there is none after some time. */
export async function listCommands(page: Page, start: string): Promise<string[]> {
  const all = async (): Promise<string[] | undefined> => {
    // The list holds only the rows that it shows.
    const titles = new Set<string>();
    for (let before = -1; titles.size > before; await page.keyboard.press('PageDown')) {
      before = titles.size;
      for (const title of await shownTitles(page)) titles.add(title);
    }
    const matching = [...titles].filter((title) => title.startsWith(start));
    return matching.length > 0 ? matching.sort() : undefined;
  };
  const found = await openPaletteUntil(page, start, all);
  await page.keyboard.press('Escape');
  return found ?? [];
}

/**
 * Runs the command with exactly this title ("IRQScope: Step Back") as a user would, through F1. An editor that opens meanwhile takes
 * the focus and closes the palette, so that nothing runs; then this opens it again.
 */
export async function runCommand(page: Page, title: string): Promise<void> {
  const exactly = new RegExp(`^${title.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`);
  const row = page
    .locator(PALETTE_ROW)
    .filter({ has: page.locator('.label-name', { hasText: exactly }) })
    .first();
  for (let tries = 1; ; tries++) {
    const found = await openPaletteUntil(page, title, async () => ((await row.count()) > 0 ? true : undefined));
    if (!found) {
      const offered = await shownTitles(page);
      await page.keyboard.press('Escape');
      assert.fail(`the palette has no "${title}"; it offers ${JSON.stringify(offered.slice(0, 10))}`);
    }
    try {
      return await row.click({ timeout: 5000 });
    } catch (error) {
      if (tries === 3 || (await row.isVisible())) throw error;
    }
  }
}

/**
 * Types into the box of the quick input that has this title (null: any but the command palette), and returns when the text stands there,
 * behind `keep`, which stands there before. A box that is shown has not the focus yet: what is typed then goes to a webview, or nowhere.
 */
export async function typeInQuickInput(
  page: Page,
  title: string | RegExp | null,
  text: string,
  keep = '',
): Promise<void> {
  const widget = page.locator('.quick-input-widget');
  if (title !== null) await widget.locator('.quick-input-title', { hasText: title }).waitFor();
  const box = widget.locator('input[type="text"]');
  const timeout = patient(3000);
  const holds = async (): Promise<string> => await box.inputValue({ timeout });
  await eventually(async () => {
    await box.waitFor({ state: 'visible', timeout });
    assert.doesNotMatch(await holds(), /^>/, 'the command palette is still there');
    if ((await widget.locator('input[type="text"]:focus').count()) === 0) await box.focus({ timeout });
    if ((await holds()) !== keep) await box.fill(keep, { timeout });
    await page.keyboard.press('End');
    await page.keyboard.type(text);
    // A box that changes again has been filled by the editor, which shows the next question there.
    for (let times = 0; times < 2; times++) {
      await page.waitForTimeout(50);
      assert.equal(await holds(), keep + text, 'what stands in the box');
    }
  });
}

/** Writes what a user would see to test-results/<name>.png and gives the path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  mkdirSync(results, { recursive: true });
  const path = join(results, `${name.replaceAll(/[^\w.-]+/g, '-').toLowerCase()}.png`);
  await page.screenshot({ path });
  return path;
}

/**
 * The webview that holds something matching this selector, within `timeout` ms of a quiet machine. A webview is two frames deep,
 * and comes and goes with its panel.
 */
export async function findWebview(page: Page, selector: string, timeout = 20_000): Promise<Frame> {
  const deadline = Date.now() + patient(timeout);
  while (Date.now() < deadline) {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame()) continue;
      const count = await frame
        .locator(selector)
        .count()
        // A frame that was just replaced is looked at again in the next round.
        .catch(() => 0);
      if (count > 0) return frame;
    }
    await page.waitForTimeout(100);
  }
  return assert.fail(`no webview has ${selector}; frames: ${page.frames().map((frame) => frame.url().slice(0, 80))}`);
}

/** Repeats a check until it holds; for what the editor does in its own time. `timeout`: ms of a quiet machine. */
export async function eventually(check: () => Promise<void>, timeout = 10_000): Promise<void> {
  const deadline = Date.now() + patient(timeout);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}
