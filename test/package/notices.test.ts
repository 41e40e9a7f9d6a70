// The notices name every package whose code is in a bundle, with the text of its licence, in the VSIX and beside the CLI.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { makeAll } from '../../scripts/build.ts';
import { NOTICES, noticesFor, packagesIn } from '../../scripts/notices.ts';
import { root } from '../../scripts/paths.ts';

const ENTRIES = ['src/vscode/extension.node.ts', 'src/vscode/extension.web.ts', 'webview/main.ts', 'src/cli/main.ts'];
const MIT_ASKS = 'The above copyright notice and this permission notice';

describe('third-party notices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-notices-'));
  let text = '';
  before(async () => {
    await makeAll(folder, 'release');
    text = readFileSync(join(folder, NOTICES), 'utf8');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('lie beside the command line', () => {
    assert.ok(existsSync(join(folder, 'cli.js')) && existsSync(join(folder, NOTICES)));
    assert.match(readFileSync(join(root, '.vscodeignore'), 'utf8'), new RegExp(`^!dist/${NOTICES}$`, 'm'));
  });

  it('name every package that a source map of the bundles names', async () => {
    // Source maps are another account of what is in a bundle than the one that the notices are made from.
    const made = await build({
      absWorkingDir: root,
      entryPoints: ENTRIES,
      outdir: join(folder, 'mapped'),
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      external: ['vscode'],
      mainFields: ['module', 'main'],
      sourcemap: 'external',
      logLevel: 'silent',
    });
    const sources = made.outputFiles
      .filter(({ path }) => path.endsWith('.map'))
      .flatMap((file) => (JSON.parse(file.text) as { sources: string[] }).sources);
    const names = new Set(sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
    assert.ok(names.size > 5, `${names.size} packages`);
    for (const name of names) assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'), name);
  });

  it('hold the text of each licence', () => {
    const parts = text.split(/^-{80}$/m).slice(1);
    for (const part of parts) {
      const [, name, license] = /^(\S+) \S+ \((.+)\)$/m.exec(part) ?? [];
      assert.ok(name, part.slice(0, 80));
      assert.match(part, /Copyright/, name);
      if (license === 'MIT') assert.ok(part.replaceAll(/\s+/g, ' ').includes(MIT_ASKS), name);
    }
  });

  it('take the innermost package of a path, and only code that is in the output', () => {
    const input = (bytesInOutput: number) => ({ bytesInOutput });
    const inputs = {
      'node_modules/a/x.js': input(3),
      'node_modules/a/node_modules/@s/b/lib/y.js': input(2),
      'node_modules/shaken/z.js': input(0),
      'src/main.ts': input(9),
    };
    const output = { bytes: 1, inputs, imports: [], exports: [] };
    assert.deepEqual(packagesIn({ inputs: {}, outputs: { out: output } }), [
      'node_modules/a',
      'node_modules/a/node_modules/@s/b',
    ]);
  });

  it('refuse a package without the text of its licence', () => {
    assert.doesNotThrow(() => noticesFor(['node_modules/valibot']));
    assert.throws(() => noticesFor(['test/fixtures/no-licence']), /brings no text of its licence/);
  });
});
