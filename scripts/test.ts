// `npm test` and its parts: test.ts [SUITE] [FILE-NAME-PARTS...] [--grep TEXT]. Prints a line per suite and the sum as last line.
import { parseArgs } from 'node:util';
import { main, Trouble } from './fail.ts';
import { ensureBrowser } from './host/chromium.ts';
import { ensureEditor } from './host/editor.ts';
import { electronSuite } from './test/electron.ts';
import { hostSuite } from './test/host.ts';
import { mochaSuite } from './test/mocha-suite.ts';
import { grammarSuite, lintSuite, typecheckSuite } from './test/static.ts';
import { type Counts, failed, type Selection, type Suite } from './test/suite.ts';

/** In the order of `npm test`: what is quick and fails often comes first. */
const SUITES: Record<string, Suite> = {
  lint: lintSuite,
  typecheck: typecheckSuite,
  unit: mochaSuite('test', { without: ['host', 'ui', 'webview', 'package'], timeout: 20_000 }),
  grammar: grammarSuite,
  webview: mochaSuite('test/webview', { timeout: 60_000, optional: true }),
  package: mochaSuite('test/package', { timeout: 60_000 }),
  host: hostSuite,
  ui: mochaSuite('test/ui', { timeout: 120_000 }),
};
const EXTRA: Record<string, Suite> = { electron: electronSuite };
const IN_EDITOR = ['host', 'ui'];
const IN_BROWSER = ['webview', ...IN_EDITOR];

async function runSuite(name: string, suite: Suite, place: string, selection: Selection): Promise<Counts> {
  const started = performance.now();
  console.log(`\n=== ${name}${place}`);
  const counts = await suite(selection).catch((error: unknown) => {
    console.error(error instanceof Trouble ? error.message : error);
    return failed();
  });
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`=== ${name}: ${counts.passed} passed, ${counts.failed} failed${skipped} (${seconds} s)`);
  return counts;
}

await main(async () => {
  const options = { grep: { type: 'string', short: 'g' }, vsix: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const all = { ...SUITES, ...EXTRA };
  const chosen = positionals.filter((word) => Object.hasOwn(all, word));
  const names = chosen.length > 0 ? chosen : Object.keys(SUITES);
  const selection: Selection = {
    names: positionals.filter((word) => !chosen.includes(word)),
    grep: values.grep ?? '',
    vsix: values.vsix ?? false,
  };
  // Before minutes of other suites, not after them: someone may be waiting to see whether it works.
  if (names.some((name) => IN_EDITOR.includes(name))) await ensureEditor();
  if (names.some((name) => IN_BROWSER.includes(name))) await ensureBrowser();
  const sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [i, name] of names.entries()) {
    const place = names.length > 1 ? ` (${i + 1} of ${names.length})` : '';
    const counts = await runSuite(name, all[name]!, place, selection);
    sum.passed += counts.passed;
    sum.failed += counts.failed;
  }
  console.log(`\n${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed > 0 ? 1 : 0;
});
