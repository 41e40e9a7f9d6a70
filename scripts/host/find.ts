// What this machine already has: programs on the PATH, a browser that a script may drive.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { Trouble } from '../fail.ts';

/** The full path of the first of these programs that is on the PATH. */
export function findProgram(...names: string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder || '.', process.platform === 'win32' ? `${name}.cmd` : name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {}
    }
  }
  return undefined;
}

/** Where installers of Chrome and Edge put them without telling the PATH. */
const PLACES: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].flatMap((name) => {
    const base = process.env[name];
    if (base === undefined) return [];
    return [
      join(base, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(base, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ];
  }),
};

/** Whether it starts: Ubuntu's chromium-browser, for one, is a script that asks to install a snap. */
export function answers(path: string, env: Record<string, string> = {}): boolean {
  if (process.platform === 'win32') return true; // There it would open a window instead.
  const options = { stdio: 'ignore', timeout: 60_000, env: { ...process.env, ...env } } as const;
  return spawnSync(path, ['--version'], options).status === 0;
}

/** Where playwright-core keeps its own browser, whether it is there or not; undefined where it has none for this system. */
export function playwrightsBrowser(): string | undefined {
  try {
    return chromium.executablePath() || undefined;
  } catch {
    return undefined;
  }
}

let found: { path: string | undefined } | undefined;

/** A Chromium, Chrome or Edge of this machine, or one that `playwright-core install chromium` left here. */
export function findBrowser(): string | undefined {
  found ??= { path: lookForBrowser() };
  return found.path;
}

function lookForBrowser(): string | undefined {
  const own = process.env.IRQSCOPE_CHROMIUM;
  if (own) {
    if (!existsSync(own)) throw new Trouble(`IRQSCOPE_CHROMIUM names ${own}, which does not exist`);
    return own;
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
  for (const name of names) {
    const path = findProgram(name);
    if (path !== undefined && answers(path)) return path;
  }
  const places = [...(PLACES[process.platform] ?? []), playwrightsBrowser() ?? ''];
  return places.find((path) => path !== '' && existsSync(path) && answers(path));
}
