// Runs some test files of a copy of the checkout with mocha, within a time limit.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MochaOrder } from '../test/mocha-suite.ts';
import { readCounts } from '../test/suite.ts';

/** `load`: mocha ended before any test, because a module threw. `hang`: the time limit ended it. */
export type Outcome = 'pass' | 'fail' | 'load' | 'hang';

/** Time limit of one test, as in `npm run test:unit`. */
const TEST_TIMEOUT = 20_000;

const running = new Set<ChildProcess>();

/** Ends what `runTests` started and everything that this started in turn. */
function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

process.on('exit', () => running.forEach(end));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

/**
 * Runs test files (paths from the root of `tree`) up to the first test that fails. `limit` in milliseconds. Node keeps what it
 * compiled, which halves the start of a test file; a file whose text changed is compiled again.
 */
export async function runTests(
  tree: string,
  files: readonly string[],
  limit: number,
  env: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: join(tree, '..', 'compiled') },
): Promise<Outcome> {
  const result = join(tree, '..', `${tree.slice(tree.lastIndexOf('/') + 1)}.result.json`);
  rmSync(result, { force: true });
  const order: MochaOrder = {
    result,
    grep: '',
    timeout: TEST_TIMEOUT,
    bail: true,
    files: files.map((file) => join(tree, file)),
  };
  const args = [join(tree, 'scripts', 'test', 'mocha.ts'), JSON.stringify(order)];
  const child = spawn(process.execPath, args, { cwd: tree, env, stdio: 'ignore', detached: true });
  running.add(child);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    end(child);
  }, limit);
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (status) => resolve(status ?? 1));
  });
  clearTimeout(timer);
  end(child);
  running.delete(child);
  if (hung) return 'hang';
  if (!existsSync(result)) return 'load';
  return readCounts(result, code).failed > 0 ? 'fail' : 'pass';
}
