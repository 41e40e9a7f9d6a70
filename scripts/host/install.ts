// The embedded editor: the server of VS Code, as npm package code-server, kept in the cache folder and installed once.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble } from '../fail.ts';
import { cacheDir } from '../paths.ts';
import { spawnGuarded } from './guarded.ts';
import { demandCompilers } from './needs.ts';

const VERSION = '4.139.1';
const folder = join(cacheDir(), `code-server-${VERSION}`);

/** The server's own main script; code-server's outer one drops the parameters of extension development. */
const serverMain = join('node_modules', 'code-server', 'lib', 'vscode', 'out', 'server-main.js');

export function editorInstalled(): boolean {
  return existsSync(join(folder, serverMain));
}

/** Installs the editor when the cache lacks it and gives the path of its main script. */
export async function ensureEditor(): Promise<string> {
  if (!editorInstalled()) {
    demandCompilers();
    mkdirSync(cacheDir(), { recursive: true });
    const unlock = await lock(`${folder}.lock`);
    try {
      if (!editorInstalled()) await install();
    } finally {
      unlock();
    }
  }
  return join(folder, serverMain);
}

/** Everything happens beside the final place and is moved there in one step: an interrupted install leaves nothing half done. */
async function install(): Promise<void> {
  removeLeftovers();
  const half = `${folder}.half-${process.pid}`;
  const log = join(cacheDir(), 'install.log');
  mkdirSync(half, { recursive: true });
  rmSync(log, { force: true });
  // npm runs install scripts only of packages that are named here.
  const allowScripts = { 'code-server': true, argon2: true };
  writeFileSync(join(half, 'package.json'), JSON.stringify({ private: true, allowScripts }));
  console.error(
    `Installing the embedded editor (code-server ${VERSION}, 600 MB) into ${tilde(folder)}, once: about 2 minutes.`,
  );
  try {
    let code = await npmInstall(half, log, {});
    const headers = localHeaders();
    if (code !== 0 && headers) code = await npmInstall(half, log, { npm_config_nodedir: headers });
    if (code !== 0 || !existsSync(join(half, serverMain))) {
      const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
      throw new Trouble(`the embedded editor could not be installed. The end of ${tilde(log)}:\n${tail}`);
    }
    if (!editorInstalled()) renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

/** Folders of installs that were interrupted. */
function removeLeftovers(): void {
  for (const name of readdirSync(cacheDir())) {
    const pid = /^code-server-.*\.half-(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(cacheDir(), name), { recursive: true, force: true });
  }
}

/** Node headers on this machine, for when the site that node-gyp fetches them from cannot be reached. */
function localHeaders(): string | undefined {
  return ['/usr', '/usr/local'].find((prefix) => existsSync(join(prefix, 'include', 'node', 'node_api.h')));
}

/** Runs npm on Node 24, which is also what compiles the parts in C++ and later runs them. */
async function npmInstall(cwd: string, log: string, extra: NodeJS.ProcessEnv): Promise<number> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  // What npm tells its children about itself and the project that it was called for would lead this npm astray.
  const theirs =
    /^(NODE|INIT_CWD|npm_(?!config_).*|npm_config_(user_agent|(local_|global_)?prefix|npm_version|node_gyp))$/;
  for (const name of Object.keys(env)) if (theirs.test(name)) delete env[name];
  env.PATH = [dirname(process.execPath), env.PATH ?? ''].join(delimiter);
  const started = Date.now();
  const beat = setInterval(() => console.error(`  ... ${Math.round((Date.now() - started) / 1000)} s`), 30_000);
  const output = openSync(log, 'a');
  try {
    const args = ['install', `code-server@${VERSION}`, '--no-audit', '--no-fund', '--foreground-scripts'];
    return await spawnGuarded('npm', args, { cwd, env, output }).ended;
  } finally {
    clearInterval(beat);
    closeSync(output);
  }
}

/** Holds a lock file with this process's id in it; takes it over when its holder is gone. */
async function lock(path: string): Promise<() => void> {
  let told = false;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      const unlock = (): void => rmSync(path, { force: true });
      process.once('exit', unlock);
      return unlock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (holderIsGone(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) console.error('Another process is installing the embedded editor; waiting for it.');
    told = true;
    await sleep(1000);
  }
}

function holderIsGone(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // An empty file is a lock that is just being written.
    return pid === 0 ? Date.now() - statSync(path).mtimeMs > 10_000 : !isAlive(pid);
  } catch {
    return true;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A path as the user would write it. */
export function tilde(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
