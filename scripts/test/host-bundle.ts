// Bundles test/host/**/*.test.ts into one module with run(), the form that VS Code's extension host and @vscode/test-electron call.
import { readFileSync, renameSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { dist, root } from '../paths.ts';
import { type Selection, testFiles } from './suite.ts';

/** Where the module reports to, and which tests it is to run; set in the environment of the extension host. */
export const REPORT = 'IRQSCOPE_TEST_REPORT';
export const GREP = 'IRQSCOPE_TEST_GREP';

/** A test asks for its own place with import.meta.dirname, which a CommonJS bundle does not have. */
const ownPlace: Plugin = {
  name: 'own-place',
  setup: (bundler) => {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.dirname', JSON.stringify(dirname(path))),
      loader: 'ts',
    }));
  },
};

export async function bundleHostTests(selection: Selection): Promise<string> {
  const files = testFiles('test/host', selection).map((file) => `./${relative(root, file)}`);
  const outfile = join(dist, 'test-host', 'index.cjs');
  const half = join(dist, 'test-host', `index.${process.pid}.cjs`);
  await build({
    stdin: {
      // Required one by one inside a function: mocha's describe and it must be there before the tests are read.
      contents: `
        import { runTests } from './scripts/test/host-entry.ts';
        export const run = () => runTests(() => { ${files.map((file) => `require(${JSON.stringify(file)});`).join(' ')} });
      `,
      resolveDir: root,
      loader: 'ts',
    },
    outfile: half,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'mocha'],
    mainFields: ['module', 'main'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [ownPlace],
  });
  renameSync(half, outfile);
  return outfile;
}
