// The browser that stands for the user's, driven by playwright-core.
import { type Browser, chromium } from 'playwright-core';
import { patient } from '../test/patience.ts';
import { ensureBrowser } from './chromium.ts';

const FLAGS = [
  // The only site it visits is our own server; as root, and in most containers, the sandbox cannot be set up.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long an action or a wait may take on a quiet machine, in milliseconds. */
const TIMEOUT = 30_000;

/** Starts the browser; whatever is done in its pages may take as long as this machine needs. */
export async function launchBrowser(): Promise<Browser> {
  const { path, env } = await ensureBrowser();
  const browser = await chromium.launch({
    executablePath: path,
    env: { ...process.env, ...env },
    args: FLAGS,
    handleSIGINT: false,
    timeout: patient(TIMEOUT),
  });
  const newContext = browser.newContext.bind(browser);
  const newPage = browser.newPage.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(patient(TIMEOUT));
    return context;
  };
  browser.newPage = async (options) => {
    const page = await newPage(options);
    page.setDefaultTimeout(patient(TIMEOUT));
    return page;
  };
  return browser;
}
