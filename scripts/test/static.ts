// Suites that read the source and run none of it: lint, types, grammars.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { Trouble } from '../fail.ts';
import { spawnGuarded } from '../host/guarded.ts';
import { root } from '../paths.ts';
import { type Counts, failed, type Selection } from './suite.ts';

/** Runs a program of node_modules as one test. */
async function check(title: string, script: string[], args: string[]): Promise<Counts> {
  const program = join(root, 'node_modules', ...script);
  const code = await spawnGuarded(process.execPath, [program, ...args], { cwd: root, output: 'inherit' }).ended;
  console.log(`  ${code === 0 ? 'ok  ' : 'FAIL'} ${title}`);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : failed();
}

function add(counts: Counts[]): Counts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of counts) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}

export function lintSuite(): Promise<Counts> {
  const strict = ['--error-on-warnings', '--no-errors-on-unmatched'];
  return check('biome check', ['@biomejs', 'biome', 'bin', 'biome'], ['check', ...strict, '.']);
}

export async function typecheckSuite(): Promise<Counts> {
  const projects = ['.', 'src/tsconfig.pure.json', 'webview'];
  // Tests that live in a browser or in both worlds bring their own tsconfig.
  for (const name of readdirSync(join(root, 'test')).sort()) {
    if (existsSync(join(root, 'test', name, 'tsconfig.json'))) projects.push(`test/${name}`);
  }
  const counts: Counts[] = [];
  for (const project of projects) {
    counts.push(await check(`tsc -p ${project}`, ['typescript', 'bin', 'tsc'], ['--pretty', 'false', '-p', project]));
  }
  return add(counts);
}

/** Files with a snapshot beside them are compared with it, the others carry their assertions inside. */
export async function grammarSuite(selection: Selection): Promise<Counts> {
  const files = readdirSync(join(root, 'test', 'grammar'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(snap|md|ts)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((name) => selection.names.length === 0 || selection.names.some((part) => name.includes(part)))
    .sort();
  const [snapshots, asserted] = [true, false].map((wanted) =>
    files.filter((name) => existsSync(join(root, `${name}.snap`)) === wanted),
  ) as [string[], string[]];
  if (files.length === 0) throw new Trouble('no test files in test/grammar');
  const counts = [await tmgrammar('unit.js', asserted)];
  // A snapshot has no line that names its scope: the grammar named like the file's ending is meant.
  for (const ending of new Set(snapshots.map((name) => extname(name)))) {
    const grammar = join(root, 'syntaxes', `${ending.slice(1)}.tmLanguage.json`);
    const { scopeName } = JSON.parse(readFileSync(grammar, 'utf8')) as { scopeName: string };
    const files = snapshots.filter((name) => extname(name) === ending);
    counts.push(await tmgrammar('snapshot.js', files, ['--scope', scopeName]));
  }
  return add(counts);
}

/** One run over many files; each file that it does not name as good has failed. */
async function tmgrammar(script: string, files: string[], extra: string[] = []): Promise<Counts> {
  if (files.length === 0) return add([]);
  const grammars = readdirSync(join(root, 'syntaxes'))
    .filter((name) => name.endsWith('.tmLanguage.json'))
    .flatMap((name) => ['--grammar', `syntaxes/${name}`]);
  const program = join(root, 'node_modules', 'vscode-tmgrammar-test', 'dist', script);
  const child = spawnGuarded(process.execPath, [program, ...grammars, ...extra, ...files], { cwd: root });
  let output = '';
  child.process.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.process.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await child.ended;
  process.stdout.write(output);
  if (code === 0) return { passed: files.length, failed: 0, skipped: 0 };
  const good = files.filter((name) =>
    output.split('\n').some((line) => /^\W*✓/.test(line) && line.includes(name)),
  ).length;
  return { passed: good, failed: Math.max(1, files.length - good), skipped: 0 };
}
