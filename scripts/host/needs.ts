// What the machine must have for the embedded editor and its tests, and how to get what is missing.
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Trouble } from '../fail.ts';

interface Need {
  what: string;
  debian: string;
  present: () => boolean;
}

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

/** A Chromium or Chrome that a script may drive. */
export function findBrowser(): string | undefined {
  const own = process.env.IRQSCOPE_CHROMIUM;
  if (own && existsSync(own)) return own;
  const inPath = findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome');
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  return inPath ?? (existsSync(mac) ? mac : undefined);
}

function hasKerberosHeaders(): boolean {
  if (process.platform !== 'linux' || findProgram('krb5-config') !== undefined) return true;
  return globSync(['/usr/include/gssapi/gssapi.h', '/usr/include/*/gssapi/gssapi.h']).length > 0;
}

const browser: Need = {
  what: 'Chromium or Chrome (the browser that the tests drive)',
  debian: 'chromium',
  present: () => findBrowser() !== undefined,
};

/** The embedded editor comes as an npm package with parts in C++, compiled once. */
const compilers: Need[] = [
  { what: 'a C++ compiler', debian: 'build-essential', present: () => !!findProgram('c++', 'g++', 'clang++') },
  { what: 'make', debian: 'build-essential', present: () => findProgram('make', 'gmake') !== undefined },
  { what: 'Python 3', debian: 'python3', present: () => findProgram('python3') !== undefined },
  { what: 'the Kerberos headers', debian: 'libkrb5-dev', present: hasKerberosHeaders },
];

/** Throws one message that names everything missing and the command that installs it. */
function demand(needs: Need[], purpose: string): void {
  const missing = needs.filter((need) => !need.present());
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.debian))].join(' ');
  throw new Trouble(
    `${purpose} needs ${missing.map((need) => need.what).join(', ')}. On Debian or Ubuntu:\n  sudo apt-get install -y ${packages}`,
  );
}

export function demandCompilers(): void {
  if (process.platform === 'win32') {
    throw new Trouble('the embedded editor does not run on Windows: use WSL, or put `code` (VS Code) on the PATH');
  }
  demand(compilers, 'installing the embedded editor');
}

export function demandBrowser(): string {
  demand([browser], 'driving the editor');
  return findBrowser()!;
}

/** Both at once, so that one run of apt-get is enough. */
export function demandEverything(editorInstalled: boolean): void {
  demand(editorInstalled ? [browser] : [browser, ...compilers], 'testing in a real editor');
}
