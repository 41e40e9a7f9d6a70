// `npm run fuzz -- --minutes N`: the fuzzers of test/import/fuzz/fuzz-kinds.ts, on the sources of this checkout.
import { join } from 'node:path';
import { main } from './fail.ts';
import { spawnGuarded } from './host/guarded.ts';
import { root } from './paths.ts';

await main(async () => {
  const script = join(root, 'test', 'import', 'fuzz', 'fuzz-main.ts');
  return spawnGuarded(process.execPath, [script, ...process.argv.slice(2)], { cwd: root, output: 'inherit' }).ended;
});
