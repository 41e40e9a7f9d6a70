// `npm start [-- [--embedded] [FILE]]`: the summary of a trace, then the trace in a real VS Code with the extension loaded.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { main, Trouble } from './fail.ts';
import { findProgram } from './host/needs.ts';
import { startServer } from './host/server.ts';
import { dist, exampleTrace, root } from './paths.ts';

const USAGE = 'npm start [-- [--embedded] [FILE]]';

interface Request {
  file: string;
  embedded: boolean;
}

function readArguments(): Request {
  let parsed: { values: { embedded?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({ allowPositionals: true, options: { embedded: { type: 'boolean' } } });
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\nUsage: ${USAGE}`);
  }
  if (parsed.positionals.length > 1) throw new Trouble(`one file at a time.\nUsage: ${USAGE}`);
  // npm changes to the project's folder; the name was typed in the folder that npm was called in.
  const named = parsed.positionals[0];
  const file = named === undefined ? exampleTrace : resolve(process.env.INIT_CWD ?? process.cwd(), named);
  if (!existsSync(file)) throw new Trouble(`no such file: ${file}`);
  return { file, embedded: parsed.values.embedded ?? false };
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

/** The embedded editor serves until Ctrl-C. */
async function openEmbedded(file: string): Promise<number> {
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
  console.log(`  ${server.url({ folder: dirname(file), extension: root })}\n`);
  console.log(`It shows ${relative(root, file).startsWith('..') ? file : relative(root, file)}. Ctrl-C ends it.`);
  const died = await Promise.race([interrupted, server.ended]);
  await server.stop();
  if (died === undefined) return 0;
  throw new Trouble(`the editor's server ended by itself (exit code ${died}):\n${server.log()}`);
}

await main(async () => {
  const { file, embedded } = readArguments();
  await build();
  printSummary(file);
  const code = embedded ? undefined : findProgram('code', 'codium', 'code-insiders');
  return code === undefined ? openEmbedded(file) : openInCode(code, file);
});
