// The bundles of dist/, made by esbuild. Does nothing when no input changed since the last build of the same kind.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { type BuildOptions, build as esbuild } from 'esbuild';
import { main } from './fail.ts';
import { NOTICES, noticesFor, packagesIn } from './notices.ts';
import { dist, root } from './paths.ts';

interface Bundle {
  entry: string;
  out: string;
  /** Other programs that share parts with it: parts that several need, and those that are loaded on demand, are files of their own beside them. */
  more?: Readonly<Record<string, string>>;
  options: BuildOptions;
}

/** What the names of those parts begin with. */
export const PART = 'cli-';

const SHEBANG = '#!/usr/bin/env node';
const bundles: Bundle[] = [
  {
    entry: 'src/vscode/extension.node.ts',
    out: 'extension.cjs',
    options: { platform: 'node', format: 'cjs', target: 'node20', external: ['vscode'] },
  },
  {
    entry: 'src/vscode/extension.web.ts',
    out: 'extension.web.cjs',
    options: { platform: 'browser', format: 'cjs', target: 'es2022', external: ['vscode'] },
  },
  {
    entry: 'webview/main.ts',
    out: 'webview/timeline.js',
    options: { platform: 'browser', format: 'iife', target: 'es2022' },
  },
  {
    entry: 'webview/events/main.ts',
    out: 'webview/events.js',
    options: { platform: 'browser', format: 'iife', target: 'es2022' },
  },
  {
    entry: 'src/cli/main.ts',
    out: 'cli.js',
    more: { 'page-thread.js': 'src/cli/page-thread.ts' },
    options: { platform: 'node', format: 'esm', target: 'node20', splitting: true, chunkNames: `${PART}[name]-[hash]` },
  },
];

export type BuildKind = 'development' | 'release';

/** Brings dist/ up to date and tells whether anything had to be made. */
export async function build(): Promise<boolean> {
  const stamp = join(dist, '.build');
  const state = inputState();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return false;
  rmSync(stamp, { force: true });
  await makeAll(dist, 'development');
  writeFile(stamp, state);
  return true;
}

/** Makes all bundles in a folder, and the notices of the packages in them; a release is minified and has no source maps. */
export async function makeAll(target: string, kind: BuildKind): Promise<void> {
  const packages = await Promise.all(bundles.map((bundle) => makeBundle(bundle, target, kind)));
  writeFile(join(target, NOTICES), noticesFor(packages.flat()));
  for (const name of readdirSync(join(root, 'webview'))) {
    if (name.endsWith('.css')) writeFile(join(target, 'webview', name), readFileSync(join(root, 'webview', name)));
  }
}

/** Names, sizes and times of everything that a bundle may be made of. */
function inputState(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!existsSync(path)) return;
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  };
  for (const folder of ['src', 'webview', 'examples/scenarios']) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort();
    for (const name of names) if (/\.(ts|css|json|svg)$/.test(name)) add(join(root, folder, name));
  }
  for (const name of ['package.json', 'package-lock.json', 'scripts/build.ts', 'scripts/notices.ts'])
    add(join(root, name));
  return hash.digest('hex');
}

/** Makes one bundle; gives the folders of the packages in it. */
async function makeBundle(
  { entry, out, more = {}, options }: Bundle,
  target: string,
  kind: BuildKind,
): Promise<string[]> {
  const source = join(root, entry);
  if (!existsSync(source)) {
    console.warn(`build: ${entry} is not there yet; dist/${out} is left out`);
    return [];
  }
  const release = kind === 'release';
  const needsShebang = out === 'cli.js' && !readFileSync(source, 'utf8').startsWith('#!');
  const made = await esbuild({
    ...options,
    absWorkingDir: root,
    entryPoints: Object.entries({ [out]: entry, ...more }).map(([name, from]) => ({
      in: from,
      out: name.slice(0, -extname(name).length),
    })),
    outdir: target,
    outExtension: { '.js': extname(out) },
    bundle: true,
    write: false,
    metafile: true,
    minify: release,
    sourcemap: release ? false : 'linked',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'warning',
    ...(needsShebang ? { banner: { js: SHEBANG } } : {}),
  });
  for (const file of made.outputFiles) writeFile(file.path, file.contents);
  if (options.splitting === true) removeParts(target, new Set(made.outputFiles.map((file) => basename(file.path))));
  if (out === 'cli.js') chmodSync(join(target, out), 0o755);
  return packagesIn(made.metafile);
}

/** Removes the parts of earlier builds. A program that runs meanwhile and loads a part later fails, as with any update. */
function removeParts(target: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(target)) if (name.startsWith(PART) && !current.has(name)) rmSync(join(target, name));
}

/** Replaces a file in one move: an editor or a test that runs meanwhile never reads half of it. */
function writeFile(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const half = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(half, content);
  renameSync(half, path);
}

if (import.meta.main) {
  await main(async () => {
    console.log((await build()) ? 'build: dist is made' : 'build: nothing changed');
    return 0;
  });
}
