// The browser that the tests drive. One that the machine has comes first. Without any, Linux on x86-64 gets it from npm, as package
// @sparticuz/chromium: a headless shell together with the libraries and fonts that a bare machine lacks. Elsewhere
// playwright-core downloads one, which takes the internet and, on Linux, the libraries of a desktop.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Trouble } from '../fail.ts';
import { root } from '../paths.ts';
import { answers, findBrowser, playwrightsBrowser } from './find.ts';
import { ensureInstalled, type Installation, npm, runLogged, tilde } from './install.ts';

export interface BrowserProgram {
  path: string;
  /** What its environment needs beside ours. */
  env: Record<string, string>;
}

const VERSION = '153.0.0';

const LIBRARIES = join('al2023', 'lib');

/** Fonts of the machine where it has any, and those of the package. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

const SHELL: Installation = {
  title: `a browser for the tests (@sparticuz/chromium ${VERSION})`,
  name: `chromium-${VERSION}`,
  proof: 'chromium',
  bytes: 290_000_000,
  steps: [
    {
      title: 'its package',
      run: (folder, log) => {
        writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
        return npm(['install', '--save-exact', `@sparticuz/chromium@${VERSION}`], folder, log);
      },
    },
    { title: 'unpacking', run: unpack },
  ],
};

/** The package unpacks itself into the folder for temporary files, and its libraries only when the environment names AWS Lambda. */
async function unpack(folder: string, log: string): Promise<number> {
  const script = join(folder, 'unpack.js');
  writeFileSync(script, "import chromium from '@sparticuz/chromium';\nconsole.log(await chromium.executablePath());\n");
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
  const code = await runLogged([process.execPath, script], folder, log, env);
  if (code !== 0) return code;
  for (const name of ['node_modules', 'unpack.js', 'package.json', 'package-lock.json'])
    rmSync(join(folder, name), { recursive: true, force: true });
  chmodSync(join(folder, 'chromium'), 0o755);
  writeFileSync(join(folder, 'fonts.conf'), FONTS);
  return 0;
}

async function shell(): Promise<BrowserProgram> {
  const path = await ensureInstalled(SHELL);
  const folder = dirname(path);
  const libraries = [join(folder, LIBRARIES), process.env.LD_LIBRARY_PATH ?? ''].filter((part) => part !== '');
  return { path, env: { LD_LIBRARY_PATH: libraries.join(delimiter), FONTCONFIG_FILE: join(folder, 'fonts.conf') } };
}

/** Downloads the browser that belongs to this version of playwright-core, into playwright's own cache; it shows its progress. */
function download(): BrowserProgram {
  console.error('Downloading a browser for the tests (playwright-core install chromium), once.');
  const cli = join(root, 'node_modules', 'playwright-core', 'cli.js');
  const done = spawnSync(process.execPath, [cli, 'install', 'chromium', '--no-shell'], { stdio: ['ignore', 2, 2] });
  const path = playwrightsBrowser() ?? '';
  if (done.status === 0 && existsSync(path) && answers(path)) return { path, env: {} };
  throw new Trouble(
    `the tests drive a browser, and none starts here. Install Chromium, Chrome or Edge${
      process.platform === 'linux' ? ' (on Debian: sudo apt-get install chromium)' : ''
    }, or name one: IRQSCOPE_CHROMIUM=/path/of/it`,
  );
}

/** Finds a browser, or gets one. */
export async function ensureBrowser(): Promise<BrowserProgram> {
  const own = findBrowser();
  if (own !== undefined) return { path: own, env: {} };
  if (process.platform === 'linux' && process.arch === 'x64') {
    const program = await shell();
    if (answers(program.path, program.env)) return program;
    console.error(`${tilde(program.path)} does not start here.`);
  }
  return download();
}
