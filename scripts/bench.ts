// `npm run bench`: the measurements of test/bench, on the bundles and sources of this checkout.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.ts';
import { main, Trouble } from './fail.ts';
import { spawnGuarded } from './host/guarded.ts';
import { root } from './paths.ts';

await main(async () => {
  const script = join(root, 'test', 'bench', 'main.ts');
  if (!existsSync(script)) throw new Trouble('there is no test/bench/main.ts');
  await build();
  // A measurement of peak memory wants to collect garbage when it likes.
  const args = ['--expose-gc', script, ...process.argv.slice(2)];
  return spawnGuarded(process.execPath, args, { cwd: root, output: 'inherit' }).ended;
});
