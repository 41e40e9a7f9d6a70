// `npm start [-- [--embedded | --check] [FILE]]`: the summary of a trace, then the trace in a real VS Code with the extension loaded.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { main, Trouble } from './fail.ts';
import { findProgram } from './host/find.ts';
import { startServer } from './host/server.ts';
import { dist, exampleTrace, root } from './paths.ts';

const USAGE = 'npm start [-- [--embedded | --check] [FILE]]';

interface Request {
  file: string;
  embedded: boolean;
  /** End as soon as the embedded editor answers, with success. */
  check: boolean;
}

function readArguments(): Request {
  let parsed: { values: { embedded?: boolean; check?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: { embedded: { type: 'boolean' }, check: { type: 'boolean' } },
    });
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\nUsage: ${USAGE}`);
  }
  if (parsed.positionals.length > 1) throw new Trouble(`one file at a time.\nUsage: ${USAGE}`);
  // npm changes to the project's folder; the name was typed in the folder that npm was called in.
  const named = parsed.positionals[0];
  const file = named === undefined ? exampleTrace : resolve(process.env.INIT_CWD ?? process.cwd(), named);
  if (!existsSync(file)) throw new Trouble(`no such file: ${file}`);
  const { embedded = false, check = false } = parsed.values;
  return { file, embedded: embedded || check, check };
}

function printSummary(file: string): void {
  const cli = join(dist, 'cli.js');
  if (!existsSync(cli)) return;
  const done = spawnSync(process.execPath, [cli, 'info', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) throw new Trouble(`${file} could not be read`);
  console.log();
}

/** The user's own VS Code; it runs on after this script has ended. */
async function openInCode(code: string, file: string): Promise<number> {
  const args = [`--extensionDevelopmentPath=${root}`, dirname(file), file];
  console.log(
    `Opening VS Code with the extension loaded. There, run (F1) "IRQScope: Open Trace..." and choose\n  ${file}`,
  );
  const child = spawn(code, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  return new Promise((done, reject) => {
    child.on('error', (error) => reject(new Trouble(`${code} did not start: ${error.message}`)));
    child.on('exit', (status) => done(status ?? 1));
  });
}

/** The embedded editor serves until Ctrl-C; to check it, until its page has come. */
async function openEmbedded(file: string, check: boolean): Promise<number> {
  let interrupt = (): void => {};
  const interrupted = new Promise<void>((done) => {
    interrupt = () => done();
  });
  const server = await startServer({
    settings: {
      'irqscope.openOnStart': file,
      // A trace may lie in a home folder or beside a kernel tree; nobody needs all of that watched.
      'files.watcherExclude': { '**': true },
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  console.log(`IRQScope is ready in a VS Code of its own. Open this address in a browser on this machine:\n`);
  const address = server.url({ folder: dirname(file), extension: root });
  console.log(`  ${address}\n`);
  if (check) {
    await checkPage(address).finally(server.stop);
    console.log('The page answers.');
    return 0;
  }
  console.log(`It shows ${relative(root, file).startsWith('..') ? file : relative(root, file)}. Ctrl-C ends it.`);
  const died = await Promise.race([interrupted, server.ended]);
  await server.stop();
  if (died === undefined) return 0;
  throw new Trouble(`the editor's server ended by itself (exit code ${died}):\n${server.log()}`);
}

async function checkPage(address: string): Promise<void> {
  // The first answer changes the token of the address for a cookie and leads to the page.
  const first = await fetch(address, { redirect: 'manual' });
  const cookie = first.headers.getSetCookie().map((text) => text.split(';')[0]);
  const page = new URL(first.headers.get('location') ?? address, address);
  const answer = await fetch(page, { headers: { cookie: cookie.join('; ') } });
  const text = await answer.text();
  // The page names its main script so; an error page of the server does not.
  if (!answer.ok || !text.includes('workbench.js')) {
    throw new Trouble(`the editor answers ${answer.status}, and not with its page:\n${text.slice(0, 500)}`);
  }
}

await main(async () => {
  const { file, embedded, check } = readArguments();
  await build();
  printSummary(file);
  const code = embedded ? undefined : findProgram('code', 'codium', 'code-insiders');
  return code === undefined ? openEmbedded(file, check) : openInCode(code, file);
});
