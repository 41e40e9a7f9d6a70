// Runs the command line from its source, as a user would run it.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

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

/** The JSON objects of an answer of one per line. */
export const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
