// Installs a large npm package into the cache folder, once, with progress. It needs npm and nothing else: no install script of
// any package runs, so nothing is compiled and nothing is fetched from elsewhere.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Trouble } from '../fail.ts';
import { cacheDir } from '../paths.ts';
import { spawnGuarded } from './guarded.ts';
import { isAlive, lock } from './lock.ts';

export interface Installation {
  /** What the user reads that it is. */
  title: string;
  /** Its folder in the cache; the version belongs into the name. */
  name: string;
  /** A file in that folder that is there when it is installed. */
  proof: string;
  /** Bytes on the disk in the end: the measure of the progress. */
  bytes: number;
  /** What is done, in this order, in the folder that becomes the installed one. */
  steps: { title: string; run: (folder: string, log: string) => Promise<number> }[];
}

const MB = 1_000_000;
/** How often the progress is looked at, in milliseconds. */
const BEAT = 2000;

export function installed(what: Installation): boolean {
  return existsSync(join(cacheDir(), what.name, what.proof));
}

/** Installs it when the cache lacks it; gives the path of the proof. */
export async function ensureInstalled(what: Installation): Promise<string> {
  const folder = join(cacheDir(), what.name);
  if (!installed(what)) {
    mkdirSync(cacheDir(), { recursive: true });
    const unlock = await lock(`${folder}.lock`, what.title);
    try {
      if (!installed(what)) await install(what, folder);
    } finally {
      unlock();
    }
  }
  return join(folder, what.proof);
}

/** Everything happens beside the final place and is moved there in one step: an interrupted install leaves nothing half done. */
async function install(what: Installation, folder: string): Promise<void> {
  removeLeftovers();
  const half = `${folder}.half-${process.pid}`;
  const log = join(cacheDir(), `install-${what.name}.log`);
  mkdirSync(half, { recursive: true });
  rmSync(log, { force: true });
  const size = `${Math.round(what.bytes / MB)} MB`;
  console.error(`Installing ${what.title} (${size} on the disk) into ${tilde(folder)}, once.`);
  const { steps } = what;
  try {
    for (const [i, step] of steps.entries()) {
      const stop = showProgress(half, what.bytes, `  step ${i + 1} of ${steps.length}: ${step.title}`);
      const code = await step.run(half, log).finally(stop);
      if (code !== 0) throw notInstalled(what.title, log);
    }
    if (!existsSync(join(half, what.proof))) throw notInstalled(what.title, log);
    // A folder without the proof is what someone deleted half of.
    rmSync(folder, { recursive: true, force: true });
    renameSync(half, folder);
    console.error('  100 %');
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

function notInstalled(title: string, log: string): Trouble {
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '';
  return new Trouble(`${title} could not be installed. The end of ${tilde(log)}:\n${tail}`);
}

/** Says the step, and then how much of the whole lies on the disk, whenever that has grown. */
function showProgress(folder: string, bytes: number, line: string): () => void {
  console.error(line);
  let shown = 0;
  let looking = false;
  const beat = setInterval(async () => {
    if (looking) return;
    looking = true;
    const percent = Math.min(99, Math.floor((100 * (await sizeOf(folder))) / bytes));
    looking = false;
    if (percent > shown && !stopped) console.error(`  ${percent} %`);
    shown = Math.max(shown, percent);
  }, BEAT);
  let stopped = false;
  return () => {
    stopped = true;
    clearInterval(beat);
  };
}

/** Bytes in the files of a folder that others write into at the same time. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry): Promise<number> => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sizeOf(path);
    return entry.isFile() ? (await lstat(path).catch(() => ({ size: 0 }))).size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Folders of installs that were interrupted. */
function removeLeftovers(): void {
  for (const name of readdirSync(cacheDir())) {
    const pid = /\.half-(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(cacheDir(), name), { recursive: true, force: true });
  }
}

/** Runs npm as the user called it, without what it tells its children about the project that it was called for. */
export async function npm(args: string[], cwd: string, log: string): Promise<number> {
  const script = process.env.npm_execpath;
  const node = process.env.npm_node_execpath;
  const env: NodeJS.ProcessEnv = { ...process.env };
  const theirs =
    /^(NODE|INIT_CWD|npm_(?!config_).*|npm_config_(user_agent|(local_|global_)?prefix|npm_version|node_gyp))$/;
  for (const name of Object.keys(env)) if (theirs.test(name)) delete env[name];
  env.PATH = [dirname(process.execPath), env.PATH ?? ''].join(delimiter);
  // code-server asks for the Node that runs it later, which need not be the one that npm runs on.
  const all = [...args, '--ignore-scripts', '--engine-strict=false', '--no-audit', '--no-fund'];
  const command = script?.endsWith('.js') && node ? [node, script, ...all] : ['npm', ...all];
  return runLogged(command, cwd, log, env);
}

/** Runs a command whose output goes to the end of the log. */
export async function runLogged(
  [program = '', ...args]: string[],
  cwd: string,
  log: string,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const output = openSync(log, 'a');
  try {
    return await spawnGuarded(program, args, { cwd, env, output }).ended;
  } finally {
    closeSync(output);
  }
}

/** A path as the user would write it. */
export function tilde(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
