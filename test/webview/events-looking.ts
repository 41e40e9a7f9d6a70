// What the tests of the list of events look at: rows, cells, selection, what the page asks.
import type { Locator, Page } from 'playwright-core';
import { text } from './looking.ts';
import { openEvents, settle, type TimelinePage } from './page.ts';

export const ROW = 22;
export async function opened(
  browser: Parameters<typeof openEvents>[0],
  times = 1,
  options = {},
): Promise<TimelinePage> {
  const opened = await openEvents(browser, options);
  await opened.page.evaluate(([t, n]) => globalThis.events.load('example.log', t, 1, n), [text, times] as const);
  await opened.page.locator('.view .row').first().waitFor();
  await settle(opened.page);
  return opened;
}

export const rows = (page: Page): Locator => page.locator('.view .row:visible');
/** The cells of a row by its index in the list. */
export const cells = (page: Page, index: number): Promise<string[]> =>
  page
    .locator(`.view [aria-rowindex="${index + 2}"] [role=gridcell]`)
    .evaluateAll((all) =>
      all.filter((cell) => getComputedStyle(cell).display !== 'none').map((cell) => cell.textContent ?? ''),
    );
/** Indices of the rows in the page. */
export const indices = (page: Page): Promise<number[]> =>
  rows(page).evaluateAll((all) =>
    all.map((row) => Number(row.getAttribute('aria-rowindex')) - 2).sort((a, b) => a - b),
  );
export const selected = (page: Page): Promise<number[]> =>
  page
    .locator('.view [aria-selected=true]:visible')
    .evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-rowindex')) - 2).sort((a, b) => a - b));
export const cursor = (page: Page): Promise<number> => page.evaluate(() => globalThis.events.session.cursor);
export const move = async (page: Page, step: number): Promise<void> => {
  await page.evaluate((step) => void globalThis.events.session.move({ to: 'step', step }), step);
  await settle(page);
};
export const press = async (page: Page, ...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
  await settle(page);
};
export const asked = (page: Page): Promise<{ from: number; count: number }[]> =>
  page.evaluate(() =>
    globalThis.events.sent
      .filter((m) => m.method === 'events/rows')
      .map((m) => m.params as { from: number; count: number }),
  );
export async function search(page: Page, filter: string): Promise<void> {
  await page.evaluate(async (filter) => {
    const { searcher, session } = globalThis.events;
    await searcher.look(session, filter);
    await searcher.ended(session);
  }, filter);
  await settle(page);
}

/** Step, stamp and line of the events in the capture of a kind, from the trace. */
export const stepsOf = (page: Page, kind: string): Promise<number[]> =>
  page.evaluate((kind) => {
    const { trace } = globalThis.events.session;
    return Array.from({ length: trace.length }, (_, i) => i).filter((i) => trace.table.kind(i).name === kind);
  }, kind);
