/**
 * Goes on in a newer Node: this one unpacks zstd in JavaScript, one with zstd in its runtime takes less time for a large trace.dat. Only the
 * command line does this. A program is run only when the user named it (IRQSCOPE_NODE) or when it stands in the PATH by its usual name.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { FileBytes, Trouble } from '../import/tracedat/file.ts';
import { readHead } from '../import/tracedat/parts.ts';
import { program } from './children.ts';
import { SIGNALLED, SIGNALS } from './failure.ts';
import { unzstd } from './unzstd.ts';

/** Names a Node to go on in; empty: none is looked for. A process that goes on for another one has it empty, so that it never hands on. */
const NODE = 'IRQSCOPE_NODE';
/** Bytes of a packed file above which it pays: another process takes a fifth of a second to begin. */
const WORTH = 1 << 22;
/** Bytes in which a trace.dat tells its packing. */
const HEAD = 256;
/** Programs that are asked for their version at most, and milliseconds until they must have told it. */
const MOST_ASKED = 8;
const PATIENCE = 2000;

/** What Node is called in the folders of the PATH. */
const NAMES = process.platform === 'win32' ? ['node.exe'] : ['node', 'nodejs'];

/** Whether a file is a large trace.dat packed with zstd. */
export function isLargeZstd(file: string, worth = WORTH): boolean {
  try {
    const about = statSync(file);
    if (!about.isFile() || about.size < worth) return false;
    const head = new Uint8Array(HEAD);
    const handle = openSync(file, 'r');
    try {
      readSync(handle, head, 0, HEAD, 0);
    } finally {
      closeSync(handle);
    }
    const bytes = new FileBytes();
    bytes.push(head);
    return readHead(bytes).head.packing === 'zstd';
  } catch (error) {
    // A file that cannot be read is told of when it is read.
    if (error instanceof Trouble || (error as NodeJS.ErrnoException).code !== undefined) return false;
    throw error;
  }
}

/** Whether a version, as `node --version` prints it, has zstd: 22.15, 23.8 and newer ones have. */
export function hasZstd(version: string): boolean {
  const found = /^v(\d{1,4})\.(\d{1,4})\.\d{1,4}\s*$/.exec(version);
  if (found === null) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15);
}

/** The programs that may be a newer Node. Folders of the PATH that depend on where the user stands are left out. */
function candidates(env: NodeJS.ProcessEnv): string[] {
  const named = env[NODE];
  if (named !== undefined) return named === '' ? [] : [named];
  const own = realpathSync(process.execPath);
  const found = new Set<string>();
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    for (const name of NAMES) {
      try {
        const node = realpathSync(join(folder, name));
        if (node !== own && statSync(node).isFile()) found.add(node);
      } catch {
        // It is not there, or may not be looked at.
      }
    }
  }
  return [...found].slice(0, MOST_ASKED);
}

/** The first of them that says it is new enough. */
export function newerNode(env: NodeJS.ProcessEnv): string | undefined {
  return candidates(env).find((node) => {
    const asked = spawnSync(node, ['--version'], {
      encoding: 'utf8',
      timeout: PATIENCE,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return asked.status === 0 && hasZstd(asked.stdout);
  });
}

/**
 * Runs this program in a newer Node where that pays and one is there: its exit status. Undefined: it is to be done here. `able`: this Node has
 * zstd.
 */
export async function elsewhere(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  able = unzstd !== undefined,
): Promise<number | undefined> {
  if (able || env[NODE] === '' || !args.some((arg) => isLargeZstd(arg))) return undefined;
  const node = newerNode(env);
  if (node === undefined) return undefined;
  const child = spawn(node, [program, ...args], { stdio: 'inherit', env: { ...env, [NODE]: '' } });
  const pass = SIGNALS.map(([signal]) => [signal, () => child.kill(signal)] as const);
  for (const [signal, send] of pass) process.on(signal, send);
  try {
    return await new Promise((done) => {
      child.on('error', () => done(undefined));
      child.on('exit', (status, ended) => {
        done(status ?? SIGNALLED + (SIGNALS.find(([signal]) => signal === ended)?.[1] ?? 0));
      });
    });
  } finally {
    for (const [signal, send] of pass) process.off(signal, send);
  }
}
