// Starts the embedded editor's server on a free port of 127.0.0.1 with a throwaway data folder, and builds its addresses.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Trouble } from '../fail.ts';
import { patient } from '../test/patience.ts';
import { ensureEditor } from './editor.ts';
import { spawnGuarded } from './guarded.ts';

export interface ServerOptions {
  /** Ask before trusting a folder, as VS Code does by default; without it everything is trusted. */
  trust?: boolean;
  /** Settings of the throwaway user. */
  settings?: Record<string, unknown>;
  /** A packaged extension to install first. */
  vsix?: string;
}

export interface OpenOptions {
  folder?: string;
  /** The checkout of an extension under development. */
  extension?: string;
  /** A module with run(), to be called in the extension host. */
  tests?: string;
  /** Environment variables of the extension host; only with an extension under development. */
  environment?: Record<string, string>;
  /** Further pairs for the workbench, for instance ['openFile', remoteUri]. */
  payload?: [string, string][];
}

export interface EditorServer {
  port: number;
  dataDir: string;
  url(options?: OpenOptions): string;
  /** A path of this machine as the workbench names it. */
  remoteUri(path: string): string;
  /** The server's own output so far. */
  log(): string;
  /** Resolves when the server has ended, for whatever reason. */
  ended: Promise<number>;
  stop(): Promise<void>;
}

/** No welcome page, no chat, no look-ups in the network: the window shows the extension and nothing else. */
const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  // A folder opens in Restricted Mode without a dialog in front of everything; only where workspace trust is on at all.
  'security.workspace.trust.startupPrompt': 'never',
  'git.enabled': false,
};

const START_TIMEOUT = 60_000;

export async function startServer(options: ServerOptions = {}): Promise<EditorServer> {
  const main = await ensureEditor();
  const dataDir = mkdtempSync(join(tmpdir(), 'irqscope-editor-'));
  try {
    const user = join(dataDir, 'data', 'User');
    mkdirSync(user, { recursive: true });
    writeFileSync(join(user, 'settings.json'), JSON.stringify({ ...QUIET_SETTINGS, ...options.settings }, null, 2));
    if (options.settings?.['irqscope.openOnStart'] !== undefined) writeStarter(dataDir);
    if (options.vsix) await installVsix(main, dataDir, options.vsix);
    return await launch(main, dataDir, options.trust ?? false);
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * IRQScope itself waits until it is used. This extension beside it starts it at once, so that it opens the trace
 * that its setting names. It lies where the server finds installed extensions when it starts for the first time.
 */
function writeStarter(dataDir: string): void {
  const folder = join(dataDir, 'extensions', 'irqscope.starter-0.0.1');
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: 'starter',
    publisher: 'irqscope',
    version: '0.0.1',
    engines: { vscode: '^1.101.0' },
    capabilities: { untrustedWorkspaces: { supported: true } },
    activationEvents: ['onStartupFinished'],
    main: './main.js',
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(
    join(folder, 'main.js'),
    "exports.activate = () => require('vscode').extensions.getExtension('irqscope.irqscope')?.activate();\n",
  );
}

async function installVsix(main: string, dataDir: string, vsix: string): Promise<void> {
  const args = [main, '--accept-server-license-terms', '--server-data-dir', dataDir, '--install-extension', vsix];
  await promisify(execFile)(process.execPath, args, {
    env: serverEnvironment(dataDir),
    timeout: patient(START_TIMEOUT),
  });
}

/** The server opens its sockets in the data folder, where they go away with it, and knows nothing of an editor around us. */
function serverEnvironment(dataDir: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(env)) if (/^(VSCODE_|ELECTRON_|npm_)/.test(name)) delete env[name];
  if (process.platform === 'linux') env.XDG_RUNTIME_DIR = dataDir;
  return env;
}

async function launch(main: string, dataDir: string, trust: boolean): Promise<EditorServer> {
  // Without the token every web page and every user of this machine could drive the editor, and through it a terminal.
  const token = randomBytes(12).toString('hex');
  const args = [main, '--host', '127.0.0.1', '--port', '0', '--connection-token', token];
  args.push('--accept-server-license-terms', '--telemetry-level', 'off', '--server-data-dir', dataDir);
  // A built workbench takes an extension under development from its address only with this switch.
  args.push('--enable-smoke-test-driver');
  if (!trust) args.push('--disable-workspace-trust');
  const server = spawnGuarded(process.execPath, args, { env: serverEnvironment(dataDir), temporary: dataDir });
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Trouble(`the editor's server did not start:\n${output}`)),
      patient(START_TIMEOUT),
    );
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /listening on (\d+)/.exec(output)?.[1];
      if (found) resolve(Number(found));
      if (found) clearTimeout(timer);
    };
    server.process.stdout?.on('data', read);
    server.process.stderr?.on('data', read);
    void server.ended.then(() => {
      clearTimeout(timer);
      reject(new Trouble(`the editor's server ended at once:\n${output}`));
    });
  }).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  const remoteUri = (path: string): string => `vscode-remote://127.0.0.1:${port}${encodeURI(path)}`;
  return {
    port,
    dataDir,
    remoteUri,
    url: (open = {}) => `http://127.0.0.1:${port}/?${query(token, open, remoteUri)}`,
    log: () => output,
    ended: server.ended,
    stop: async () => {
      await server.stop();
    },
  };
}

function query(token: string, open: OpenOptions, remoteUri: (path: string) => string): string {
  const payload: [string, string][] = [['skipWelcome', 'true'], ...(open.payload ?? [])];
  if (open.extension) payload.push(['extensionDevelopmentPath', remoteUri(open.extension)]);
  if (open.tests) payload.push(['extensionTestsPath', remoteUri(open.tests)]);
  if (open.environment) payload.push(['extensionEnvironment', JSON.stringify(open.environment)]);
  const parts = [`tkn=${token}`, open.folder ? `folder=${encodeURIComponent(open.folder)}` : 'ew=true'];
  return [...parts, `payload=${encodeURIComponent(JSON.stringify(payload))}`].join('&');
}
