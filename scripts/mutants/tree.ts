// Copies of the checkout in a temporary folder: mutants are made there, never in the working tree.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../paths.ts';

/** Generated or foreign things that tests of the pure rooms do not read. */
const LEFT_OUT = new Set(['node_modules', '.git', 'dist', 'test-results', '.vscode-test']);

/** A folder of this checkout's own below the system's temporary folder; it keeps the coverage from run to run. */
export const workFolder = join(
  tmpdir(),
  `irqscope-mutants-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`,
);

/** Makes a fresh copy of the checkout and gives its folder. */
export function copyTree(name: string): string {
  const to = join(workFolder, name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(root))
    if (!LEFT_OUT.has(entry)) cpSync(join(root, entry), join(to, entry), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'), 'dir');
  return to;
}

/** The `.ts` files below a folder of a tree, as paths from the tree's root with slashes. */
export function sourceFiles(tree: string, folder: string): string[] {
  return readdirSync(join(tree, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && statSync(join(tree, folder, name)).isFile())
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

export function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
