// The browser that stands for the user's: Chromium from the system, driven by playwright-core.
import { type Browser, chromium } from 'playwright-core';
import { demandBrowser } from './needs.ts';

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

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: demandBrowser(), args: FLAGS, handleSIGINT: false });
}
