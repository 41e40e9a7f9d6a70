// What the tests of the timeline look at: places and colours of the picture, what the page asks and remembers.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { exampleText, launchBrowser, load, openTimeline, type PageOptions, settle, type TimelinePage } from './page.ts';

export const ENTRY = 'device/0000:00:03.0/msix/0';
/** Always masked, as nobody ever opened it. */
export const SPARE = 'device/0000:00:03.0/msix/5';
const ROW = 24;

/** The example capture. */
export const text = exampleText();

/** For a describe block: one browser for all its tests. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  before('start the browser', async () => {
    browser = await launchBrowser();
  });
  after('close the browser', () => browser?.close());
  return () => browser ?? assert.fail('the browser is there only inside a test');
}

/** The timeline with the example capture, all of it drawn. */
export async function opened(browser: Browser, options: PageOptions = {}): Promise<TimelinePage> {
  const opened = await openTimeline(browser, options);
  await load(opened.page, 'example.log', text);
  return opened;
}

/** Stamps of the first and the last line of the capture, in nanoseconds after the second it begins in. */
export function ends(): { base: number; first: number; last: number } {
  const stamps = [...text.matchAll(/^\d+@(\d+)\.(\d{6}):/gm)];
  const [a, b] = [stamps[0]!, stamps.at(-1)!];
  const base = Number(a[1]);
  const ns = (m: RegExpMatchArray): number => (Number(m[1]) - base) * 1e9 + Number(m[2]) * 1000;
  return { base, first: ns(a), last: ns(b) };
}

/** Stamp of the first line that matches, in nanoseconds after the second in which the capture begins. */
export function stampOf(pattern: RegExp): number {
  const line = text.split('\n').find((l) => pattern.test(l)) ?? assert.fail(`no line like ${pattern}`);
  const [, s, us] = /@(\d+)\.(\d+):/.exec(line)!;
  return (Number(s) - ends().base) * 1e9 + Number(us) * 1000;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function pictureBox(page: Page): Promise<Box> {
  return (await page.locator('canvas.overlay').boundingBox()) ?? assert.fail('no picture');
}

/** Middle of a lane's row, measured from the top of the picture. */
export async function rowOf(page: Page, path: string): Promise<number> {
  const name = (await page.locator(`.name[data-path="${path}"]`).boundingBox()) ?? assert.fail(`no row ${path}`);
  return name.y + ROW / 2 - (await pictureBox(page)).y;
}

/** Where a time lies when all of the capture is shown: two percent of the width are left free on either side. */
export async function pixelOf(page: Page, ns: number): Promise<number> {
  const { width } = await pictureBox(page);
  const { first, last } = ends();
  return width * (0.02 + (0.96 * (ns - first)) / (last - first));
}

type Rgb = readonly [number, number, number];

/** Share of the pixels of a rectangle whose colour is close to one. */
export function share(page: Page, canvas: string, box: Box, rgb: Rgb): Promise<number> {
  return page.evaluate(
    ([selector, { x, y, width, height }, [r, g, b]]) => {
      const element = document.querySelector<HTMLCanvasElement>(selector)!;
      const ratio = devicePixelRatio;
      const image = element
        .getContext('2d')!
        .getImageData(x * ratio, y * ratio, Math.max(1, width * ratio), Math.max(1, height * ratio));
      let n = 0;
      for (let i = 0; i < image.data.length; i += 4) {
        const [dr, dg, db] = [image.data[i]! - r, image.data[i + 1]! - g, image.data[i + 2]! - b];
        if (image.data[i + 3]! > 200 && Math.hypot(dr, dg, db) < 48) n++;
      }
      return (n * 4) / image.data.length;
    },
    [canvas, box, rgb] as const,
  );
}

/** A variable of the theme as a colour. */
export function color(page: Page, variable: string): Promise<Rgb> {
  return page.evaluate((name) => {
    const g = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
    g.fillRect(0, 0, 1, 1);
    const [r, gr, b] = g.getImageData(0, 0, 1, 1).data;
    return [r!, gr!, b!] as const;
  }, variable);
}

export interface Shown {
  readonly from: number;
  readonly to: number;
  readonly focused: string;
  readonly axis: string;
}

/** What part is shown, as the page itself remembers it. */
export async function shown(page: Page): Promise<Shown> {
  await settle(page);
  return page.evaluate(() => globalThis.harness.state as Shown);
}

export const cursor = (page: Page): Promise<number> => page.evaluate(() => globalThis.harness.session.cursor);
