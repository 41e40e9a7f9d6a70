// Bootstrap: `node scripts/run.mjs SCRIPT [ARGUMENT …]`. Node built-ins only, because in a fresh clone nothing else is
// there. It brings node_modules up to date and hands over to scripts/SCRIPT.ts, run by the Node 24 that comes with
// node_modules. package.json says which npm script is which script with which arguments.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const exe = process.platform === 'win32' ? '.exe' : '';

function fail(message) {
  console.error(`irqscope: ${message}`);
  process.exit(1);
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** The folders of the locked packages that belong on this system. */
function packagesHere(lock) {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  const suits = (list, own) => !list || list.includes(own);
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  return Object.entries(packages)
    .filter(([path, it]) => path !== '' && suits(it.os, process.platform) && suits(it.cpu, process.arch))
    .filter(([, it]) => process.platform !== 'linux' || suits(it.libc, libc))
    .map(([path]) => join(root, path));
}

async function runNpmCi(folders) {
  console.error(`irqscope: installing dependencies (npm ci): ${folders.length} packages`);
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...args], options)
    : spawn('npm', args, { ...options, shell: process.platform === 'win32' });
  let shown = 0;
  const beat = setInterval(() => {
    const there = folders.filter((folder) => existsSync(join(folder, 'package.json'))).length;
    if (there > shown) console.error(`  ${there} of ${folders.length}`);
    shown = there;
  }, 2000);
  const status = await new Promise((done) => {
    child.on('error', (error) => fail(`npm did not start: ${error.message}`));
    child.on('exit', (code) => done(code ?? 1));
  });
  clearInterval(beat);
  if (status !== 0) fail('npm ci failed; its output is above');
}

/** Installs the locked dependencies unless node_modules already holds exactly those. */
async function installDependencies() {
  const lock = join(root, 'package-lock.json');
  const stamp = join(modules, '.irqscope-lock');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  // npm's own record is written last: when it is not older than the lock file, the user ran npm install.
  const slack = 5000;
  if (modified(join(modules, '.package-lock.json')) + slack < modified(lock)) {
    await runNpmCi(packagesHere(lock));
  }
  writeFileSync(stamp, hash);
}

/** The Node 24 of node_modules; a Node that is itself new enough will do where install scripts were switched off. */
function findNode() {
  const bundled = join(modules, 'node', 'bin', `node${exe}`);
  if (existsSync(bundled)) return bundled;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return fail(
    'node_modules/node holds no Node 24 (were install scripts switched off?): npm ci --ignore-scripts=false, or use Node 24',
  );
}

const [name = '', ...rest] = process.argv.slice(2);
const script = join(root, 'scripts', `${name}.ts`);
if (name === '' || !existsSync(script))
  fail(`there is no script "${name}"; package.json has the scripts that there are`);
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node ${process.version} is too old: Node 20 or newer is needed`);
await installDependencies();

const node = findNode();
const dashes = rest.indexOf('--');
const args = dashes < 0 ? rest : rest.toSpliced(dashes, 1);
const path = [dirname(node), join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
const child = spawn(node, [script, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: path, INIT_CWD: process.env.INIT_CWD ?? process.cwd() },
});
// A terminal's Ctrl-C reaches the task anyway; a signal sent to this process alone would not. A script may get a signal twice.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`${node}: ${error.message}`));
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
