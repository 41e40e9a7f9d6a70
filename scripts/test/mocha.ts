// Runs mocha over the files that it is told and leaves the counts in a file. Its own process, so that tests cannot harm the runner.
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import Mocha from 'mocha';
import type { MochaOrder } from './mocha-suite.ts';
import { makePatient } from './patience.ts';
import { seed } from './seed.ts';

const order = JSON.parse(process.argv[2] ?? '') as MochaOrder;
makePatient(Mocha);
fc.configureGlobal({ seed });
const mocha = new Mocha({
  timeout: order.timeout,
  bail: order.bail ?? false,
  reporter: process.env.IRQSCOPE_REPORTER ?? (order.files.length > 5 ? 'dot' : 'spec'),
  // A forgotten .only would hide every other test.
  forbidOnly: !!process.env.CI,
  ...(order.grep ? { grep: order.grep } : {}),
});
for (const file of order.files) mocha.addFile(file);
await mocha.loadFilesAsync();
const runner = mocha.run(() => {
  const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
  writeFileSync(order.result, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
  // A test that left a timer or a socket open must not hold up the run.
  process.exit(failures > 0 ? 1 : 0);
});
