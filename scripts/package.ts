// `npm run package`: irqscope-<version>.vsix, made from a copy of the project so that dist/ keeps its development bundles.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { makeAll } from './build.ts';
import { main, Trouble } from './fail.ts';
import { root } from './paths.ts';

/** Never part of the package, and large: not even copied for .vscodeignore to sort out. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'test', 'test-results', '.vscode-test']);

export interface Manifest {
  name: string;
  version: string;
  publisher: string;
}

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

/** The page of an installed extension shows no pictures that lie in the package, so its README goes without them. */
export function withoutPictures(readme: string): string {
  return readme.replaceAll(/^!\[[^\]]*\]\([^)]*\)\n\n?/gm, '');
}

/** Writes the VSIX to the given path. */
export async function makePackage(out: string): Promise<void> {
  const stage = mkdtempSync(join(tmpdir(), 'irqscope-package-'));
  try {
    for (const name of readdirSync(root)) {
      if (!LEFT_OUT.has(name) && !name.endsWith('.vsix'))
        cpSync(join(root, name), join(stage, name), { recursive: true });
    }
    const readme = join(stage, 'README.md');
    writeFileSync(readme, withoutPictures(readFileSync(readme, 'utf8')));
    await makeAll(join(stage, 'dist'), 'release');
    mkdirSync(dirname(out), { recursive: true });
    const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
    const args = [vsce, 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
    await promisify(execFile)(process.execPath, [...args, '--out', out], { cwd: stage }).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Trouble(`vsce failed:\n${stdout ?? ''}${stderr ?? ''}`);
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await main(async () => {
    const { name, version } = readManifest();
    const out = join(root, `${name}-${version}.vsix`);
    await makePackage(out);
    console.log(`${relative(root, out)}: ${Math.ceil(statSync(out).size / 1024)} KB`);
    return 0;
  });
}
