// The page of the timeline in plain Chromium, with a host that runs in the same page (harness.ts) and a real trace.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/host/browser.ts';
import { dist, exampleTrace, results, root } from '../../scripts/paths.ts';
import { eventsPage, type PageParts, timelinePage } from '../../src/vscode/timeline/page.ts';
import themes from './themes.json' with { type: 'json' };

export type ThemeName = keyof typeof themes;
export const themeNames = Object.keys(themes) as ThemeName[];

const ORIGIN = 'http://timeline.test';
const NONCE = 'c0ffee';

const harnesses = new Map<string, Promise<string>>();

/** The host's end as one script, from the sources as they are. */
function harnessScript(name: string): Promise<string> {
  const known = harnesses.get(name);
  if (known) return known;
  const made = build({
    entryPoints: [join(root, 'test/webview', name)],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'warning',
  }).then(({ outputFiles }) => outputFiles[0]!.text);
  harnesses.set(name, made);
  return made;
}

export interface PageOptions {
  readonly theme?: ThemeName;
  readonly viewport?: { width: number; height: number };
  readonly scale?: number;
  /** What an earlier page stored. */
  readonly state?: unknown;
  readonly reducedMotion?: boolean;
}

export interface TimelinePage {
  readonly page: Page;
  /** Errors and warnings of the page: script errors, refused resources, messages to the console. */
  readonly errors: string[];
}

/** What a page is made of, and the script that plays its host. */
interface Subject {
  readonly name: string;
  readonly harness: string;
  readonly html: (parts: PageParts) => string;
}

/** Opens the timeline, without any trace. */
export async function openTimeline(browser: Browser, options: PageOptions = {}): Promise<TimelinePage> {
  const opened = await openPage(browser, { name: 'timeline', harness: 'harness.ts', html: timelinePage }, options);
  await opened.page.locator('.message:visible').waitFor();
  return opened;
}

/** Opens the list of events, without any trace. */
export async function openEvents(browser: Browser, options: PageOptions = {}): Promise<TimelinePage> {
  const viewport = options.viewport ?? { width: 1200, height: 320 };
  const subject = { name: 'events', harness: 'events-harness.ts', html: eventsPage };
  const opened = await openPage(browser, subject, { ...options, viewport });
  await opened.page.locator('.message:visible').waitFor();
  return opened;
}

async function openPage(
  browser: Browser,
  { name, harness, html }: Subject,
  options: PageOptions,
): Promise<TimelinePage> {
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1200, height: 700 },
    deviceScaleFactor: options.scale ?? 1,
    reducedMotion: options.reducedMotion ? 'reduce' : 'no-preference',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  const body = html({
    cspSource: ORIGIN,
    nonce: NONCE,
    script: `${ORIGIN}/${name}.js`,
    styles: [`${ORIGIN}/${name}.css`, `${ORIGIN}/query.css`],
  });
  await page.route(`${ORIGIN}/**`, (route) => {
    const file = new URL(route.request().url()).pathname.slice(1);
    if (file === '') return route.fulfill({ contentType: 'text/html', body });
    if (![`${name}.js`, `${name}.css`, 'query.css'].includes(file)) return route.fulfill({ status: 404, body: '' });
    const contentType = file.endsWith('.js') ? 'text/javascript' : 'text/css';
    return route.fulfill({ contentType, body: readFileSync(join(dist, 'webview', file)) });
  });
  await page.addInitScript({ content: await harnessScript(harness) });
  await page.addInitScript((state) => {
    globalThis.harness.state = state;
  }, options.state);
  await page.addInitScript(applyTheme, themes[options.theme ?? 'dark']);
  await page.goto(`${ORIGIN}/`);
  return { page, errors };
}

interface ThemeData {
  readonly bodyClass: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What the editor does to the page of a webview: variables on the root element, classes on the body. */
function applyTheme({ bodyClass, variables }: ThemeData): void {
  const apply = (): void => {
    document.documentElement.removeAttribute('style');
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
    document.body.className = bodyClass;
  };
  if (document.body) apply();
  else document.addEventListener('DOMContentLoaded', apply);
}

/** Switches to another theme, as the editor does while the page is shown. */
export async function setTheme(page: Page, theme: ThemeName): Promise<void> {
  await page.evaluate(applyTheme, themes[theme]);
}

export const exampleText = (): string => readFileSync(exampleTrace, 'utf8');

/** Loads a trace and waits until all of it is drawn. */
export async function load(page: Page, name: string, text: string): Promise<void> {
  await page.evaluate(([n, t]) => globalThis.harness.load(n!, t!), [name, text]);
  await page.locator('.name').first().waitFor();
  await settle(page);
}

/**
 * Waits until nothing is on its way any more: every question is answered, and for three rounds the page sent nothing. A round
 * is measured in the page itself, by its own timers and frames, so it lasts as long as the page needs on a busy machine.
 */
export async function settle(page: Page): Promise<void> {
  let before = -1;
  for (let calm = 0; calm < 3; ) {
    const [sent, open] = await page.evaluate(async () => {
      await new Promise((done) => setTimeout(done, 120));
      // What is drawn at the next frame may ask for another one.
      for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
      return [globalThis.harness.sent.length, globalThis.harness.open.size] as const;
    });
    calm = sent === before && open === 0 ? calm + 1 : 0;
    before = sent;
  }
}

export { launchBrowser, results };
