// Runs inside the extension host: mocha over the bundled tests, every result appended to the report file as a line of JSON.
import { appendFileSync } from 'node:fs';
import type Mocha from 'mocha';
import { makePatient } from './patience.ts';

export type ReportLine =
  | { kind: 'suite'; depth: number; title: string }
  | { kind: 'pass'; depth: number; title: string; ms: number }
  | { kind: 'skip'; depth: number; title: string }
  | { kind: 'fail'; depth: number; title: string; error: string }
  | { kind: 'end'; passed: number; failed: number; skipped: number };

function depthOf(node: Mocha.Suite | Mocha.Runnable): number {
  return node.titlePath().length - 1;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export async function runTests(loadTests: () => void): Promise<void> {
  const file = process.env.IRQSCOPE_TEST_REPORT;
  const report = (line: ReportLine): void => {
    if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
  const { default: MochaClass } = await import('mocha');
  makePatient(MochaClass);
  const grep = process.env.IRQSCOPE_TEST_GREP;
  const mocha = new MochaClass({ timeout: 30_000, reporter: class {} as never, ...(grep ? { grep } : {}) });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  try {
    loadTests();
  } catch (error) {
    report({ kind: 'fail', depth: 0, title: 'reading the tests', error: textOf(error) });
    throw error;
  }
  let skipped = 0;
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run((count) => {
      const { passes = 0, failures: failed = 0 } = runner.stats ?? {};
      report({ kind: 'end', passed: passes, failed, skipped });
      resolve(count);
    });
    runner.on('suite', (suite) => {
      if (!suite.root) report({ kind: 'suite', depth: depthOf(suite), title: suite.title });
    });
    runner.on('pass', (test) =>
      report({ kind: 'pass', depth: depthOf(test), title: test.title, ms: test.duration ?? 0 }),
    );
    runner.on('pending', (test) => {
      skipped++;
      report({ kind: 'skip', depth: depthOf(test), title: test.title });
    });
    runner.on('fail', (test, error: unknown) => {
      report({ kind: 'fail', depth: depthOf(test), title: test.title, error: textOf(error) });
    });
  });
  if (failures > 0) throw new Error(`${failures} failed`);
}
