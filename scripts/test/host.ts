// The host suite in the embedded editor: Chromium opens the workbench, whose extension host calls the bundled tests.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { launchBrowser } from '../host/browser.ts';
import { startServer } from '../host/server.ts';
import { makePackage } from '../package.ts';
import { results, root } from '../paths.ts';
import { bundleHostTests, GREP, REPORT } from './host-bundle.ts';
import { faultsIn, hostLog } from './host-log.ts';
import { readReport } from './host-report.ts';
import { patient } from './patience.ts';
import { type Counts, failed, type Selection } from './suite.ts';

const TIMEOUT = 10 * 60_000;

export async function hostSuite(selection: Selection): Promise<Counts> {
  await build();
  const tests = await bundleHostTests(selection);
  const temporary = mkdtempSync(join(tmpdir(), 'irqscope-host-'));
  try {
    return await runInEditor(tests, temporary, selection);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The extension host takes tests only beside an extension under development: for the packaged one, an empty one stands in. */
function standIn(folder: string): string {
  const extension = join(folder, 'stand-in');
  mkdirSync(extension);
  const manifest = { name: 'stand-in', publisher: 'irqscope', version: '0.0.1', engines: { vscode: '*' } };
  writeFileSync(join(extension, 'package.json'), JSON.stringify(manifest));
  return extension;
}

async function runInEditor(tests: string, temporary: string, selection: Selection): Promise<Counts> {
  const workspace = join(temporary, 'workspace');
  mkdirSync(workspace);
  const reportFile = join(temporary, 'report');
  const vsix = join(temporary, 'extension.vsix');
  if (selection.vsix) await makePackage(vsix);
  const server = await startServer(selection.vsix ? { vsix } : {});
  const report = readReport(reportFile);
  const ticker = setInterval(report.show, 300);
  const consoleLines: string[] = [];
  try {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.exposeFunction('codeAutomationLog', (kind: string, values: unknown[]) => {
        consoleLines.push(`${kind} ${values.map((value) => JSON.stringify(value)).join(' ')}`);
      });
      const ended = new Promise<number>((resolve) => {
        void page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
        setTimeout(resolve, patient(TIMEOUT), -1).unref();
      });
      await page.goto(
        server.url({
          folder: workspace,
          extension: selection.vsix ? standIn(temporary) : root,
          tests,
          environment: { [REPORT]: reportFile, [GREP]: selection.grep },
        }),
      );
      const code = await Promise.race([ended, server.ended.then(() => -2)]);
      report.show();
      if (code < 0) console.error(code === -1 ? 'the tests ran out of time' : 'the server ended before the tests');
      const counts = report.counts();
      const faults = faultsIn(hostLog(server.dataDir));
      for (const line of faults) console.error(`log of the extension host: ${line}`);
      counts.failed += faults.length > 0 ? 1 : 0;
      return code !== 0 && counts.failed === 0 ? failed() : counts;
    } finally {
      await browser.close();
    }
  } finally {
    clearInterval(ticker);
    const log = hostLog(server.dataDir);
    await server.stop();
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, 'host-extensions.log'), log);
    writeFileSync(join(results, 'host-console.log'), `${consoleLines.join('\n')}\n`);
    writeFileSync(join(results, 'host-server.log'), server.log());
  }
}
