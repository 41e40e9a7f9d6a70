// The embedded editor: the server of VS Code, as npm package code-server, installed once and without its parts in C++. Logger and
// watchdog among them get a substitute; the others belong to features that nobody uses here, such as the terminal.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from '../fail.ts';
import { ensureInstalled, type Installation, npm } from './install.ts';

const VERSION = '4.139.1';
const inside = join('node_modules', 'code-server', 'lib', 'vscode');

/** npm ci refuses the lock files of the inner packages; npm install keeps to them as far as they go. */
const inner =
  (...below: string[]) =>
  (folder: string, log: string): Promise<number> =>
    npm(['install', '--omit=dev'], join(folder, inside, ...below), log);

/** The packages of the server; those in C++ that it asks for in every window are replaced by scripts. */
async function serverPackages(folder: string, log: string): Promise<number> {
  const code = await inner()(folder, log);
  if (code !== 0) return code;
  for (const name of ['spdlog', 'native-watchdog']) {
    const script = join(import.meta.dirname, 'plain', `${name}.cjs`);
    copyFileSync(script, join(folder, inside, 'node_modules', '@vscode', name, 'index.js'));
  }
  return 0;
}

const EDITOR: Installation = {
  title: `the embedded editor (code-server ${VERSION})`,
  name: `code-server-${VERSION}`,
  // The server's own main script; code-server's outer one drops the parameters of extension development.
  proof: join(inside, 'out', 'server-main.js'),
  bytes: 580_000_000,
  steps: [
    {
      title: 'the server',
      run: (folder, log) => {
        writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
        return npm(['install', '--save-exact', `code-server@${VERSION}`], folder, log);
      },
    },
    { title: 'its packages', run: serverPackages },
    { title: 'the packages of its built-in extensions', run: inner('extensions') },
  ],
};

/** Installs the editor when the cache lacks it and gives the path of its main script. */
export async function ensureEditor(): Promise<string> {
  if (process.platform === 'win32') {
    throw new Trouble('the embedded editor does not run on Windows: use WSL, or put `code` (VS Code) on the PATH');
  }
  return ensureInstalled(EDITOR);
}
