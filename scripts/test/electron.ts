// The same host suite through @vscode/test-electron, which downloads a VS Code: for machines with internet and a display.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { build } from '../build.ts';
import { Trouble } from '../fail.ts';
import { cacheDir, root } from '../paths.ts';
import { bundleHostTests, GREP, REPORT } from './host-bundle.ts';
import { readReport } from './host-report.ts';
import { type Counts, failed, type Selection } from './suite.ts';

async function findVSCode(): Promise<string> {
  const own = process.env.IRQSCOPE_VSCODE;
  if (own) {
    if (!existsSync(own)) throw new Trouble(`IRQSCOPE_VSCODE names ${own}, which does not exist`);
    return own;
  }
  try {
    return await downloadAndUnzipVSCode({ cachePath: join(cacheDir(), 'vscode'), timeout: 60_000 });
  } catch (error) {
    throw new Trouble(
      `VS Code could not be downloaded (${reason(error)}).\nThis suite needs the internet, or IRQSCOPE_VSCODE=<path of a VS Code executable>.\n` +
        'Without either, `npm run test:host` runs the same tests in the embedded editor.',
    );
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}

export async function electronSuite(selection: Selection): Promise<Counts> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    throw new Trouble('VS Code needs a display: xvfb-run -a npm run test:electron (Debian package xvfb)');
  }
  const vscodeExecutablePath = await findVSCode();
  await build();
  const extensionTestsPath = await bundleHostTests(selection);
  const temporary = mkdtempSync(join(tmpdir(), 'irqscope-electron-'));
  try {
    const workspace = join(temporary, 'workspace');
    mkdirSync(workspace);
    const report = readReport(join(temporary, 'report'));
    const code = await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: root,
      extensionTestsPath,
      extensionTestsEnv: { [REPORT]: join(temporary, 'report'), [GREP]: selection.grep },
      launchArgs: [workspace, '--disable-extensions', `--user-data-dir=${join(temporary, 'user')}`],
    }).catch((error: unknown) => {
      console.error(reason(error));
      return 1;
    });
    report.show();
    const counts = report.counts();
    return code !== 0 && counts.failed === 0 ? failed() : counts;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
