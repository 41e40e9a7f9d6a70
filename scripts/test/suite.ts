// What a test suite is: something that can be run and tells how many tests passed and failed.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from '../fail.ts';
import { root } from '../paths.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Which tests of a suite to run. */
export interface Selection {
  /** Parts of file names; none means all files. */
  names: string[];
  /** Part of a test's title; empty means all tests. */
  grep: string;
  /** Host suite only: test the packaged extension, not the checkout. */
  vsix: boolean;
}

export type Suite = (selection: Selection) => Promise<Counts>;

export function failed(count = 1): Counts {
  return { passed: 0, failed: count, skipped: 0 };
}

/** The test files below a folder, as absolute paths in a stable order; finding none is an error, never a success. */
export function testFiles(folder: string, selection: Selection, without: string[] = []): string[] {
  const start = join(root, folder);
  const names = existsSync(start) ? readdirSync(start, { recursive: true, encoding: 'utf8' }).sort() : [];
  const files = names
    .filter((name) => name.endsWith('.test.ts') && !without.some((part) => name.startsWith(`${part}/`)))
    .filter((name) => selection.names.length === 0 || selection.names.some((part) => name.includes(part)))
    .map((name) => join(start, name));
  if (files.length === 0)
    throw new Trouble(`no test files in ${folder}${selection.names.map((n) => ` ${n}`).join('')}`);
  return files;
}

/** The counts that a test process left behind; a process that ended without leaving any has failed. */
export function readCounts(path: string, exitCode: number): Counts {
  if (!existsSync(path)) {
    console.error(`the tests ended with status ${exitCode} and left no result`);
    return failed();
  }
  const counts = JSON.parse(readFileSync(path, 'utf8')) as Counts;
  if (counts.passed + counts.failed === 0) {
    console.error('no test ran');
    return failed();
  }
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
