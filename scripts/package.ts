// `npm run package`: irqscope-<version>.vsix, made from a copy of the project so that dist/ keeps its development bundles.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative } from 'node:path';
import { promisify } from 'node:util';
import { makeAll } from './build.ts';
import { main, Trouble } from './fail.ts';
import { root } from './paths.ts';
import { unzip, zip } from './zip.ts';

/** Never part of the package, and large: not even copied for .vscodeignore to sort out. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'test', 'test-results', '.vscode-test']);

/** The folder of the extension in a VSIX. */
const INSIDE = 'extension/';

export interface Manifest {
  name: string;
  version: string;
  publisher: string;
}

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

/** vsce refuses pictures that have no address, and the project has none: it gets the page without them. */
export function withoutPictures(readme: string): string {
  return readme.replaceAll(/^!\[[^\]]*\]\([^)]*\)\n\n?/gm, '');
}

/** A document as it goes into the package: a link leads to a file of the package, or is only its text. `folder`: where the document lies. */
export function linksInside(text: string, folder: string, names: readonly string[]): string {
  return text.replaceAll(/(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)/g, (whole, picture, label, target, anchor = '') => {
    if (target === '' || /^[a-z]+:/.test(target)) return whole;
    const path = posix.normalize(posix.join(folder, target));
    // vsce gives some files other names: readme.md, changelog.md, LICENSE.txt.
    const found = names.find((name) => name === path) ?? names.find((name) => sameFile(name, path));
    if (found === undefined) return picture ? '' : label;
    return `${picture}[${label}](${posix.relative(folder, found)}${anchor})`;
  });
}

const sameFile = (name: string, path: string): boolean =>
  name.toLowerCase().replace(/\.txt$/, '') === path.toLowerCase().replace(/\.txt$/, '');

/** The page of the package: without the part that needs a clone of the project. */
export const pageOf = (readme: string): string => readme.replace(/^## Try it\n[\s\S]*?(?=^## )/m, '');

/** Puts the page with its pictures, and documents whose links lead into the package, in the place of those that vsce packed. */
function finish(vsix: string): void {
  const files = unzip(readFileSync(vsix));
  const names = [...files.keys()].filter((name) => name.startsWith(INSIDE)).map((name) => name.slice(INSIDE.length));
  for (const name of names.filter((n) => n.endsWith('.md'))) {
    const packed = files.get(INSIDE + name)!.toString('utf8');
    const text = name === 'readme.md' ? pageOf(readFileSync(join(root, 'README.md'), 'utf8')) : packed;
    files.set(INSIDE + name, Buffer.from(linksInside(text, posix.dirname(name), names)));
  }
  writeFileSync(vsix, zip(files));
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
    finish(out);
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
