// Runs the command line from its source, as a user would run it.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { answer } from '../../src/cli/answer.ts';
import { Failure, REFUSED } from '../../src/cli/failure.ts';
import { Output } from '../../src/cli/output.ts';
import { Progress } from '../../src/cli/progress.ts';

export const root = resolve(import.meta.dirname, '../..');
/** The example capture, as seen from the root. */
export const example = 'examples/x86-vtd-qemu.log';
export const main = resolve(root, 'src/cli/main.ts');

export interface Done {
  status: number | null;
  out: string;
  err: string;
}

/** Runs `irqscope` with these arguments in the root of the checkout. */
export function irqscope(args: readonly string[], input?: Uint8Array): Promise<Done> {
  return run(process.execPath, [main, ...args], input);
}

/** Runs a program in the root of the checkout. */
export function run(program: string, args: readonly string[], input?: Uint8Array, env = process.env): Promise<Done> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, env });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', fail);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (status) =>
      done({ status, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

/** What `irqscope` says to these arguments, asked in this process: `line` is why it refused. */
export async function answered(args: readonly string[]): Promise<{ status: number; out: string; line?: string }> {
  let text = '';
  const out = new Output({
    write(chunk, done) {
      text += chunk;
      done();
      return true;
    },
  });
  const context = { out, progress: new Progress({ write() {} }), warn() {} };
  // Files are named as seen from the root of the checkout.
  const before = process.cwd();
  process.chdir(root);
  try {
    const status = await answer(args, context);
    await out.flush();
    return { status, out: text };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { status: REFUSED, out: text, line: error.line };
  } finally {
    process.chdir(before);
  }
}

/** The JSON objects of an answer of one per line. */
export const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
