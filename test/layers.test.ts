// The rule of the rooms (src/README.md), read from the imports themselves.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const LADDER = ['base', 'model', 'trace', 'query', 'check', 'sim', 'import', 'kit', 'view', 'session', 'protocol'];
const SHELLS: Record<string, RegExp> = { 'src/cli': /^node:/, 'src/vscode': /^(vscode$|node:)/, webview: /^$/ };

function tsFiles(dir: string): string[] {
  return readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => join(dir, name));
}

/** Every module named by an import, an export-from or a dynamic import. */
function importsOf(text: string): string[] {
  const bare = text.replaceAll(/^\s*(\/\/|\*).*$/gm, '');
  return [...bare.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g)].map((m) => m[1]!);
}

/** The room a file stands in: 'model', 'src/cli', 'webview', … or undefined when it stands in none. */
function roomOf(file: string): string | undefined {
  const parts = file.split('/');
  if (parts[0] === 'webview') return 'webview';
  if (parts[0] !== 'src' || parts.length < 3) return undefined;
  return LADDER.includes(parts[1]!) ? parts[1] : `src/${parts[1]}`;
}

/** What is wrong with one import, or undefined. */
function breach(file: string, target: string): string | undefined {
  const room = roomOf(file);
  if (room === undefined) return `${file} stands in no room`;
  const shell = SHELLS[room];
  if (!target.startsWith('.')) {
    if (target === 'vscode' || target.startsWith('node:')) {
      return shell?.test(target) ? undefined : `${file} says ${target}`;
    }
    return undefined;
  }
  // The bundled scenarios are data of the simulator; they lie where users look for examples.
  if (room === 'sim' && /^(\.\.\/)+examples\/scenarios\/[\w-]+\.scenario\.json$/.test(target)) return undefined;
  const there = roomOf(relative(root, resolve(root, dirname(file), target)));
  if (there === undefined) return `${file} reaches outside the rooms: ${target}`;
  if (there === room) return undefined;
  if (there in SHELLS) return `${file} imports the shell ${there}`;
  if (shell) return undefined;
  return LADDER.indexOf(there) < LADDER.indexOf(room) ? undefined : `${file} (${room}) imports upward from ${there}`;
}

describe('layers', () => {
  const files = [...tsFiles('src'), ...tsFiles('webview')];
  /** Files outside the rooms. */
  const others = [...tsFiles('test'), ...tsFiles('scripts')];
  const graph = new Map(files.map((file) => [file, importsOf(readFileSync(join(root, file), 'utf8'))]));

  it('a room imports only from rooms above it', () => {
    const wrong = files.flatMap((file) =>
      graph
        .get(file)!
        .map((t) => breach(file, t))
        .filter((b) => b !== undefined),
    );
    assert.deepEqual(wrong, []);
  });

  it('recognises a breach when it sees one', () => {
    assert.match(breach('src/model/x.ts', '../trace/y.ts') ?? '', /imports upward/);
    assert.match(breach('src/base/x.ts', 'node:fs') ?? '', /says node:fs/);
    assert.match(breach('src/cli/x.ts', '../vscode/y.ts') ?? '', /imports the shell/);
    assert.match(breach('webview/x.ts', '../src/vscode/y.ts') ?? '', /imports the shell/);
    assert.equal(breach('src/trace/x.ts', '../model/y.ts'), undefined);
    assert.equal(breach('webview/x.ts', '../src/protocol/y.ts'), undefined);
    assert.deepEqual(importsOf("import a from 'x';\nexport * from './y.ts';\nawait import('./z.ts');"), [
      'x',
      './y.ts',
      './z.ts',
    ]);
  });

  it('no import cycles', () => {
    const done = new Set<string>();
    const walk = (file: string, path: string[]): void => {
      if (path.includes(file)) assert.fail(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' > ')}`);
      if (done.has(file)) return;
      for (const target of graph.get(file) ?? []) {
        if (target.startsWith('.')) walk(normalize(join(dirname(file), target)), [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) walk(file, []);
  });

  it('no file over 400 lines without a reason in its header', () => {
    for (const file of [...files, ...others]) {
      const text = readFileSync(join(root, file), 'utf8');
      if (text.split('\n').length > 400) assert.match(text.slice(0, 1500), /over 400 lines/i, `${file} is too long`);
    }
  });

  it('files and folders stay small', () => {
    const sorted = files
      .map((file) => readFileSync(join(root, file), 'utf8').split('\n').length - 1)
      .sort((a, b) => a - b);
    const quantile = (q: number): number => sorted[Math.floor(sorted.length * q)]!;
    assert.ok(quantile(0.5) <= 120, `half of the files have more than ${quantile(0.5)} lines`);
    assert.ok(quantile(0.9) <= 300, `a tenth of the files has more than ${quantile(0.9)} lines`);
    const counts = new Map<string, number>();
    for (const file of [...files, ...others]) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    for (const [folder, count] of counts) assert.ok(count <= 26, `${folder} has ${count} files`);
  });
});
