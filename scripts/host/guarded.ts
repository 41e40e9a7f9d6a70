// Child processes that cannot outlive this one: see guard.ts.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Guarded {
  process: ChildProcess;
  /** The exit code, once the command and everything that it started are gone. */
  ended: Promise<number>;
  stop(): Promise<number>;
}

interface GuardOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** A folder to delete at the end. */
  temporary?: string;
  output?: 'pipe' | 'inherit' | number;
}

export function spawnGuarded(command: string, args: string[], options: GuardOptions = {}): Guarded {
  const guard = join(import.meta.dirname, 'guard.ts');
  const output = options.output ?? 'pipe';
  const stdio: StdioOptions = ['pipe', output, output];
  const child = spawn(process.execPath, [guard, options.temporary ?? '', command, ...args], {
    stdio,
    cwd: options.cwd,
    env: options.env ?? process.env,
  });
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
  child.stdin?.on('error', () => {});
  return {
    process: child,
    ended,
    stop: () => {
      child.stdin?.end();
      return ended;
    },
  };
}
