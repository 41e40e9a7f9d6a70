// Mocha suites that need Node alone, or Node and a browser that the tests start themselves.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { spawnGuarded } from '../host/guarded.ts';
import { root } from '../paths.ts';
import { readCounts, type Suite, testFiles } from './suite.ts';

interface MochaSuite {
  /** Folders below it that are suites of their own. */
  without?: string[];
  timeout: number;
  /** The folder may be absent: nothing to test yet. */
  optional?: boolean;
}

/** Where Node keeps what it compiled: tests of the command line start it hundreds of times, in half the time with this. */
const COMPILED = join(root, 'node_modules', '.cache', 'compiled');

/** What mocha.ts is told. */
export interface MochaOrder {
  result: string;
  grep: string;
  timeout: number;
  /** Stop at the first test that fails. */
  bail?: boolean;
  files: string[];
}

export function mochaSuite(folder: string, { without = [], timeout, optional = false }: MochaSuite): Suite {
  return async (selection) => {
    if (optional && !existsSync(join(root, folder))) {
      console.log(`${folder} does not exist`);
      return { passed: 0, failed: 0, skipped: 0 };
    }
    const files = testFiles(folder, selection, without);
    await build();
    const temporary = mkdtempSync(join(tmpdir(), 'irqscope-test-'));
    try {
      const result = join(temporary, 'result.json');
      const order: MochaOrder = { result, grep: selection.grep, timeout, files };
      const args = [join(import.meta.dirname, 'mocha.ts'), JSON.stringify(order)];
      const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
      const code = await spawnGuarded(process.execPath, args, { cwd: root, env, output: 'inherit' }).ended;
      return readCounts(result, code);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  };
}
