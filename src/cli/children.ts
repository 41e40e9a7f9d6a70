import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a child process printed, and how it ended. */
export interface Ended {
  /** Its exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

const here = fileURLToPath(import.meta.url);
/** This program: the bundle, whose parts all lie beside it, or its main file in a checkout. */
export const program = join(dirname(here), here.endsWith('.ts') ? 'main.ts' : 'cli.js');

const running = new Set<ChildProcess>();
const killAll = (): void => {
  for (const child of running) child.kill();
};

/** Runs this program in a process of its own; `stdin`: it gets the standard input of this one. */
function runSelf(args: readonly string[], stdin: boolean): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      stdio: [stdin ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    const end = (status: number | null, signal: NodeJS.Signals | null, why = ''): void => {
      running.delete(child);
      done({ status, signal, out: Buffer.concat(out).toString(), err: `${Buffer.concat(err)}${why}` });
    };
    child.on('error', (error) => end(null, null, error.message));
    child.on('close', end);
  });
}

/**
 * Runs this program once for each list of arguments, `most` at a time: as many as there are processors. `take` gets what they printed
 * in the order given, as soon as it is there; `progress` hears how many have ended. No child outlives this process.
 */
export async function runEach(
  jobs: readonly { readonly args: readonly string[]; readonly stdin: boolean }[],
  progress: (ended: number) => void,
  take: (ended: Ended, job: number) => Promise<void>,
  most = availableParallelism(),
): Promise<void> {
  process.on('exit', killAll);
  try {
    let next = 0;
    let ended = 0;
    const results: Promise<Ended>[] = [];
    const resolvers: ((ended: Ended) => void)[] = [];
    for (const _ of jobs) results.push(new Promise((resolve) => resolvers.push(resolve)));
    const work = async (): Promise<void> => {
      while (next < jobs.length) {
        const job = next++;
        const { args, stdin } = jobs[job]!;
        const result = await runSelf(args, stdin);
        progress(++ended);
        resolvers[job]!(result);
      }
    };
    const workers = Array.from({ length: Math.min(jobs.length, most) }, work);
    for (const [job, result] of results.entries()) await take(await result, job);
    await Promise.all(workers);
  } finally {
    process.off('exit', killAll);
    killAll();
  }
}
